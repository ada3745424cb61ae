"""A small host with a WhatsApp channel around a unit, and what every unit test asserts."""

from __future__ import annotations

import configparser
import plistlib
import re
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from modify.units.codemod import examine
from modify.units.restarts import SPREADS_SINCE
from skill.edit import Patch
from skill.finding import Finding
from skill.host import Host
from skill.options import Options
from tests import harness

UNIT = "deploy/bot.service"
PLIST = "deploy/com.bot.plist"
HOST = {
    "package.json": '{"name": "bot", "main": "dist/index.js", '
    '"scripts": {"start": "node dist/index.js"}}\n',
    "src/index.ts": "import './whatsapp.js';\n",
    "src/whatsapp.ts": "const sock = makeWASocket({});\nsock.ev.on('connection.update', on);\n",
    "src/dashboard.ts": "serve(8080);\n",
    "scripts/backup.sh": "#!/bin/sh\ntar c store\n",
}
NODE_START = "ExecStart=/usr/bin/node /opt/bot/dist/index.js"
SOUND = "StartLimitIntervalSec=300\nStartLimitBurst=5\n"
RESTARTS_WELL = "Restart=on-failure\nRestartSec=10\n"
GROWTH = (
    "# Growing pauses stay below the limit while a dependency is missing (systemd >= 254)\n"
    "RestartSteps=4\nRestartMaxDelaySec=300\n"
)
KEEP_ALIVE_RIGHT = (
    "    <key>KeepAlive</key>\n    <dict>\n"
    "        <key>SuccessfulExit</key>\n        <false/>\n    </dict>\n"
)


def unit(service: str = RESTARTS_WELL, limit: str = SOUND, start: str = NODE_START) -> str:
    """A unit file: what stands in [Unit] beside the description, and in [Service]."""
    return (
        f"[Unit]\nDescription=Bot\n{limit}\n[Service]\n{start}\n{service}\n"
        "[Install]\nWantedBy=default.target\n"
    )


def grown(text: str) -> str:
    """The same unit with pauses that grow."""
    return re.sub(r"^(RestartSec *=.*\n)", rf"\1{GROWTH}", text, flags=re.MULTILINE)


def plist(keys: str, program: str = "/opt/bot/dist/index.js") -> str:
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n<plist version="1.0">\n<dict>\n'
        "    <key>Label</key>\n    <string>com.bot</string>\n"
        "    <key>ProgramArguments</key>\n    <array>\n"
        f"        <string>/usr/bin/node</string>\n        <string>{program}</string>\n"
        f"    </array>\n{keys}</dict>\n</plist>\n"
    )


def make_host(folder: Path, files: Mapping[str, str | bytes]) -> Host:
    harness.write(folder, {**HOST, **files})
    return Host(folder)


def look(folder: Path, files: Mapping[str, str | bytes], **options: Any) -> Patch:
    return patched(folder, files, **options).patch


def patched(folder: Path, files: Mapping[str, str | bytes], **options: Any) -> harness.Outcome:
    return harness.patched(folder, {**HOST, **files}, Options(**options), codemod=examine)


def check_noop(
    folder: Path, files: Mapping[str, str | bytes], **options: Any
) -> tuple[list[Finding], Patch]:
    """No byte changes. Returns the hand-offs, and the patch for its notes."""
    patch = look(folder, files, **options)
    assert not patch.edits
    assert all(finding.is_hand_off for finding in patch.findings)
    return patch.findings, patch


def check_transformed(
    folder: Path,
    path: str,
    before: str,
    after: str,
    *,
    others: dict[str, str | bytes] | None = None,
) -> Patch:
    """``before`` becomes ``after``; the host is left so."""
    assert before != after, "an empty change proves nothing: use check_noop"
    made = patched(folder, {**(others or {}), path: before})
    assert made.text(path) == after
    harness.write(folder, made.after)
    return made.patch


def parse_unit(text: str) -> dict[str, dict[str, list[str]]]:
    """The unit as a plain INI reader sees it; every key keeps all its values."""
    parser = configparser.RawConfigParser(strict=False, delimiters=("=",), interpolation=None)
    parser.optionxform = str  # type: ignore[assignment,method-assign]
    parser.read_string(text)
    return {name: {k: [v] for k, v in parser[name].items()} for name in parser.sections()}


def parse_plist(text: str) -> dict[str, Any]:
    data = plistlib.loads(text.encode())
    assert isinstance(data, dict)
    return data


def verify_with_systemd(folder: Path, text: str, name: str = "bot.service") -> None:
    """systemd accepts the unit: no unknown key, nothing ignored (exit 1 with this option).

    Keys that it knows since 254 are left out where it is older.
    """
    tool = shutil.which("systemd-analyze")
    assert tool, "systemd-analyze is missing: install systemd"
    text = re.sub(r"^(ExecStart=).*(?:\\\n.*)*$", r"\1/bin/true", text, flags=re.MULTILINE)
    text = re.sub(r"^(WorkingDirectory=).*$", r"\1/", text, flags=re.MULTILINE)
    text = re.sub(r"\$\{[^}]*\}", "x", text)
    version = subprocess.run([tool, "--version"], capture_output=True, text=True, check=True)
    if int(version.stdout.split()[1]) < SPREADS_SINCE:
        text = re.sub(r"^[ \t]*(RestartSteps|RestartMaxDelaySec)=.*$", "", text, flags=re.MULTILINE)
    target = folder / name
    target.write_text(text)
    done = subprocess.run(
        [tool, "verify", "--man=no", "--recursive-errors=no", str(target)],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    for word in ("Unknown key", "ignoring", "Failed to parse"):
        assert word not in done.stderr, done.stderr
