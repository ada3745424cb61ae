"""``--add-service``: a whole unit for a host that has none."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from modify.units.codemod import examine
from skill.errors import SkillgenError
from skill.host import Host
from skill.options import Options
from skill.render.service_templates import command_line
from skill.render.service_units import render_service
from tests.quick.rules.service_cases.harness import (
    HOST,
    UNIT,
    make_host,
    parse_plist,
    parse_unit,
    unit,
    verify_with_systemd,
)
from tests.quick.units.test_dependency import ASKS

FOLDERS = ["bot", "my bot", 'quo"te', "it's", "50%", "a$b", "back\\slash b", "<tag> & co", "ünï"]


def nowhere(_program: str) -> None:
    return None


def usual(program: str) -> str:
    return f"/usr/bin/{program}"


@pytest.mark.parametrize("folder", FOLDERS)
def test_systemd_unit(tmp_path: Path, folder: str) -> None:
    (tmp_path / folder).mkdir()
    addition = render_service("systemd", make_host(tmp_path / folder, {}), find=usual)
    sections = parse_unit(addition.content.decode())
    assert addition.path == "deploy/bot.service"
    assert addition.mode == 0o644
    assert sections["Service"]["Restart"] == ["on-failure"]
    assert sections["Service"]["RestartSec"] == ["10"]
    assert sections["Service"]["RestartSteps"] == ["4"]
    assert sections["Service"]["RestartMaxDelaySec"] == ["300"]
    assert sections["Unit"]["StartLimitIntervalSec"] == ["300"]
    assert sections["Unit"]["StartLimitBurst"] == ["5"]
    assert sections["Service"]["WorkingDirectory"] == [str(tmp_path / folder).replace("%", "%%")]
    assert sections["Service"]["ExecStart"][0].startswith("/usr/bin/node ")


def test_systemd_unit_of_a_bot_that_waits_for_something(tmp_path: Path) -> None:
    text = render_service("systemd", make_host(tmp_path, {**ASKS}), find=usual).content.decode()
    lines = text.splitlines()
    assert lines[lines.index("RestartSec=61") + 1].startswith("# 61 s and growing pauses")
    text = render_service(
        "systemd", make_host(tmp_path, {**ASKS}), start_limit=1, find=usual
    ).content.decode()
    assert "RestartSec=301" in text and "RestartSteps" not in text


@pytest.mark.system
@pytest.mark.parametrize("folder", FOLDERS)
def test_systemd_accepts(tmp_path: Path, folder: str) -> None:
    (tmp_path / folder).mkdir()
    addition = render_service("systemd", make_host(tmp_path / folder, {}), find=usual)
    verify_with_systemd(tmp_path, addition.content.decode())


@pytest.mark.parametrize("folder", FOLDERS)
def test_launchd_plist(tmp_path: Path, folder: str) -> None:
    root = tmp_path / folder
    root.mkdir()
    addition = render_service("launchd", make_host(root, {}), find=usual)
    assert addition.path == "deploy/com.bot.plist"
    assert parse_plist(addition.content.decode()) == {
        "Label": "com.bot",
        "ProgramArguments": ["/usr/bin/node", str(root / "dist/index.js")],
        "WorkingDirectory": str(root),
        "EnvironmentVariables": {"PATH": "/usr/bin:/usr/local/bin:/bin"},
        "RunAtLoad": True,
        "KeepAlive": {"SuccessfulExit": False},
        "ThrottleInterval": 10,
        "StandardOutPath": str(root / "bot.log"),
        "StandardErrorPath": str(root / "bot.error.log"),
    }


def test_command_line_is_escaped() -> None:
    assert command_line(("/usr/bin/node", '/a b/50%/$x/q"/b\\')) == (
        '/usr/bin/node "/a b/50%%/$$x/q\\"/b\\\\"'
    )
    assert command_line(("/$odd/node", "x")) == "/usr/bin/env /$$odd/node x"


PACKAGES = {
    "start by node": ({"scripts": {"start": "node --enable-source-maps dist/index.js"}}, "node"),
    "main only": ({"main": "dist/index.js"}, "node"),
    "start by tsx": ({"scripts": {"start": "tsx src/index.ts"}}, "tsx"),
    "start by a shell line": ({"scripts": {"start": "A=1 node a.js && node b.js"}}, "npm start"),
}


@pytest.mark.parametrize(("package", "expected"), PACKAGES.values(), ids=PACKAGES.keys())
def test_how_a_node_host_is_started(tmp_path: Path, package: dict, expected: str) -> None:  # type: ignore[type-arg]
    host = make_host(tmp_path, {"package.json": json.dumps({"name": "bot", **package})})
    text = render_service("systemd", host, find=usual).content.decode()
    command = parse_unit(text)["Service"]["ExecStart"][0]
    assert expected in command
    assert command.startswith("/")


def test_interpreter_that_is_not_on_the_path(tmp_path: Path) -> None:
    text = render_service("systemd", make_host(tmp_path, {}), find=nowhere).content.decode()
    assert f"ExecStart=/usr/bin/env node {tmp_path}/dist/index.js" in text


PYTHON = {
    "a console script": (
        {"pyproject.toml": '[project]\nname = "kbot"\n[project.scripts]\nkbot = "kbot:main"\n'},
        "/.venv/bin/kbot",
    ),
    "a module": (
        {"pyproject.toml": '[project]\nname = "kbot"\n', "kbot/__main__.py": ""},
        "/usr/bin/python3 -m kbot",
    ),
    "a script": ({"pyproject.toml": '[project]\nname = "kbot"\n', "main.py": ""}, "/main.py"),
}


@pytest.mark.parametrize(("files", "expected"), PYTHON.values(), ids=PYTHON.keys())
def test_how_a_python_host_is_started(
    tmp_path: Path, files: dict[str, str | bytes], expected: str
) -> None:
    host = make_host(tmp_path, {"package.json": "{}", **files})
    text = render_service("systemd", host, find=usual).content.decode()
    assert parse_unit(text)["Service"]["ExecStart"][0].endswith(expected)


def test_nothing_to_start(tmp_path: Path) -> None:
    with pytest.raises(SkillgenError, match="cannot tell how the bot is started"):
        render_service("systemd", make_host(tmp_path, {"package.json": "{}"}), find=usual)


def test_names_are_valid(tmp_path: Path) -> None:
    host = make_host(
        tmp_path, {"package.json": HOST["package.json"].replace('"bot"', '"@a/Bö t/x!"')}
    )
    assert render_service("systemd", host, find=usual).path == "deploy/x.service"


def test_name_may_stand_in_a_comment(tmp_path: Path) -> None:
    host = make_host(tmp_path, {"package.json": HOST["package.json"].replace('"bot"', '"a--b"')})
    addition = render_service("launchd", host, find=usual)
    assert parse_plist(addition.content.decode())["Label"] == "com.a-b"


@pytest.mark.parametrize("kind", ["systemd", "launchd", "pm2", "supervisord"])
def test_added_once_and_right(tmp_path: Path, kind: str) -> None:
    host = make_host(tmp_path, {})
    options = Options(add_service=kind)  # type: ignore[arg-type]
    patch = examine(host, options)
    (addition,) = patch.additions.values()
    target = tmp_path / addition.path
    target.parent.mkdir(exist_ok=True)
    target.write_bytes(addition.content)
    again = examine(Host(tmp_path), options)
    assert not again.additions
    assert not again.findings
    assert {note.path for note in again.notes} == {addition.path}


def test_host_with_a_unit_is_refused(tmp_path: Path) -> None:
    host = make_host(tmp_path, {UNIT.replace("bot", "other"): unit()})
    with pytest.raises(
        SkillgenError, match=r"deploy/other\.service:1: the host has a systemd unit"
    ):
        examine(host, Options(add_service="systemd"))
    assert examine(host, Options(add_service="launchd")).additions
