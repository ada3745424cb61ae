import plistlib

# Restart=always would start it for ever.
PLIST = plistlib.dumps(
    {"Label": "bot", "ProgramArguments": ["python3", "qq.py"], "KeepAlive": {"SuccessfulExit": False}}
)
