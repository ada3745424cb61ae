"""Writes the service files. Restart=always here is prose, and stays.

[Service] in a docstring, too.
"""

import plistlib
import sys
from pathlib import Path


def unit(workdir: str, python_path: str | None = None) -> str:
    python_path = python_path or sys.executable
    return f"""[Unit]
Description=Harbor
After=network.target

[Service]
WorkingDirectory={workdir}
ExecStart={python_path} -m harbor
Restart=always
RestartSec=5

[Install]
WantedBy=default.target
"""


def backup_unit() -> str:
    return "\n".join(
        [
            "[Unit]",
            "Description=Nightly copy",
            "",
            "[Service]",
            "ExecStart=/usr/bin/rsync -a /srv/harbor /backup",
            "Restart=always",
            "",
        ]
    )


def system_unit() -> str:
    return "\n".join(
        [
            "[Unit]",
            "Description=Harbor, for everybody",
            "StartLimitIntervalSec=0",
            "",
            "[Service]",
            "Type=simple",
            f"ExecStart={sys.executable} -m harbor",
            "Restart=always",
            "",
            "[Install]",
            "WantedBy=multi-user.target",
            "",
        ]
    )


def write_agent(path: Path, home: Path) -> None:
    data = {
        "Label": "org.harbor",
        "ProgramArguments": [sys.executable, "-m", "harbor"],
        "RunAtLoad": True,
        "KeepAlive": True,
        "StandardOutPath": str(home / "out.log"),
    }
    path.write_bytes(plistlib.dumps(data))


def write_tunnel(path: Path) -> None:
    data = {
        "Label": "org.harbor.tunnel",
        "ProgramArguments": ["/usr/bin/ssh", "-N", "relay"],
        "KeepAlive": True,
    }
    path.write_bytes(plistlib.dumps(data))
