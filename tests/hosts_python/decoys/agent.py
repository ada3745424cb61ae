import plistlib

# Restart=always would start it forever.
PLIST = plistlib.dumps(
    {"Label": "bot", "ProgramArguments": ["python3", "qq.py"], "KeepAlive": {"SuccessfulExit": False}}
)
