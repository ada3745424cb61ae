"""Answers of any form from the programs that are asked: no traceback, and the rest is answered."""

from __future__ import annotations

import json
import plistlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.slow.service.rig import Said

Skillgen = Callable[..., Said]
StandIn = Callable[[str, str], Path]
ODD: tuple[Any, ...] = (
    None,
    [],
    {},
    0,
    -1,
    1e99,
    "",
    "x",
    "\x00",
    "[]",
    [[]],
    [{}],
    [None],
    {"a": 1},
    True,
)


def printing(text: str) -> str:
    return f"cat <<'END_OF_ANSWER'\n{text}\nEND_OF_ANSWER"


@pytest.fixture
def unit(home: Path, bot: Path, tools: StandIn) -> None:
    """A unit that is answered whatever else is odd; its manager has no bus."""
    path = home / ".config" / "systemd" / "user" / "wa.service"
    path.parent.mkdir(parents=True)
    path.write_text(f"[Service]\nExecStart=/usr/bin/node {bot}/dist/index.js\nRestart=always\n")
    tools("systemctl", "exit 1")


def answered(said: Said) -> None:
    assert said.code == 1, said
    assert "defect" not in said.err and "Traceback" not in said.err
    assert "wa.service" in {each["name"] for each in said.row["services"]}


def test_pm2(skillgen: Skillgen, unit: None, home: Path, bot: Path, tools: StandIn) -> None:
    (home / ".pm2").mkdir()
    app: dict[str, Any] = {
        "name": "line",
        "pm_exec_path": f"{bot}/dist/index.js",
        "pm_cwd": str(bot),
    }
    app |= {"exec_interpreter": "node", "args": [], "stop_exit_codes": [0], "env": {}}
    app |= {"status": "online", "restart_time": 1, "autorestart": True, "restart_delay": 1}
    apps = [[{**app, key: odd} for odd in ODD] for key in app]
    for answer in (*ODD, *apps, [{"pm2_env": odd} for odd in ODD]):
        (home / ".pm2" / "dump.pm2").write_text(json.dumps(answer))
        answered(skillgen("--format", "json"))
    for text in ("", "[", "\x00", "[" * 100_000):
        (home / ".pm2" / "dump.pm2").write_text(text)
        answered(skillgen("--format", "json"))


def test_docker(skillgen: Skillgen, unit: None, bot: Path, tools: StandIn) -> None:
    (bot / "compose.yaml").write_text("services:\n  line:\n    build: .\n    restart: always\n")
    (bot / "Dockerfile").write_text('CMD ["node", "dist/index.js"]\n')
    labels = {"com.docker.compose.service": "line"}
    labels["com.docker.compose.project.config_files"] = str(bot / "compose.yaml")
    whole: dict[str, Any] = {
        "Id": "a",
        "Name": "/a",
        "Path": "node",
        "Args": [],
        "Mounts": [],
        "State": {"Status": "running"},
        "HostConfig": {"RestartPolicy": {"Name": "always"}},
        "Config": {"Labels": labels, "WorkingDir": "/"},
        "RestartCount": 1,
    }
    found = [[{**whole, key: odd} for odd in ODD] for key in whole]
    found.append([{**whole, "Config": {"Labels": odd}} for odd in ODD])
    found.append([{**whole, "HostConfig": {"RestartPolicy": odd}} for odd in ODD])
    found.append(
        [{**whole, "Mounts": [{"Type": "bind", "Source": odd, "Destination": odd}]} for odd in ODD]
    )
    for answer in (*ODD, *found):
        tools("docker", f'case "$1" in ps) echo a;; *) {printing(json.dumps(answer))}\n;; esac')
        answered(skillgen("--format", "json"))


def test_launchd(skillgen: Skillgen, unit: None, home: Path, bot: Path, tools: StandIn) -> None:
    folder = home / "Library" / "LaunchAgents"
    folder.mkdir(parents=True)
    tools("launchctl", printing("state = \nruns = many\nproperties = \x00"))
    whole = {"Label": "a", "ProgramArguments": ["node", f"{bot}/dist/index.js"], "KeepAlive": True}
    whole |= {"ThrottleInterval": 5, "WorkingDirectory": str(bot), "Program": "/bin/node"}
    for key in whole:
        for number, odd in enumerate(ODD):
            if odd is None or odd == "\x00" or odd == 1e99 or odd == [None]:
                continue
            content = {**whole, key: odd}
            (folder / f"{key}{number}.plist").write_bytes(plistlib.dumps(content))
            binary = plistlib.dumps(content, fmt=plistlib.FMT_BINARY)
            (folder / f"{key}{number}b.plist").write_bytes(binary)
    for number, raw in enumerate(
        (b"", b"<plist>", b"bplist00", b"\x00\xff", b"<?xml version='1.0'?><plist/>")
    ):
        (folder / f"raw{number}.plist").write_bytes(raw)
    answered(skillgen("--format", "json"))


@pytest.mark.parametrize(
    "answer",
    [
        "",
        "=",
        "Version=\n\n\n=\n",
        "Version=x\nUnitPath=",
        "Version=99999999999999999999\nUnitPath=/ / relative/systemd/user",
        "Id=wa.service\nExecStart={ path= ; argv[]= ; ignore_errors=no ; }",
        "Id=wa.service\nExecStart={ path=x ; argv[]=node BOT/dist/index.js ; ignore_errors=no ; }",
        "Id=wa.service\nLoadState=masked",
        "Id=../../x.service\nExecStart={ argv[]=node BOT/dist/index.js ; ignore_errors=no ; }",
        "\x00\xff",
    ],
)
def test_systemctl(skillgen: Skillgen, unit: None, bot: Path, tools: StandIn, answer: str) -> None:
    tools("systemctl", printing(answer.replace("BOT", str(bot))))
    tools("journalctl", printing('null\n[]\n{}\n1e999\n{"__REALTIME_TIMESTAMP":"x"}'))
    for words in ([], ["--apply", "--dry-run"], ["--revert", "--dry-run"]):
        said = skillgen(*words)
        assert "defect" not in said.err and "Traceback" not in said.err, said
