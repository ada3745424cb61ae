"""The doctor on this machine: real processes, units that are only files, and nothing to ask."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from skill import cli
from tests.quick.rules.service_cases.harness import KEEP_ALIVE_RIGHT, make_host, plist
from tests.slow.doctor.rig import Said

Skillgen = Callable[..., Said]
SOURCE = """\
[Unit]
StartLimitIntervalSec=300
StartLimitBurst=5

[Service]
ExecStart=/usr/bin/node {bot}/dist/index.js
WorkingDirectory={bot}
Restart=on-failure
RestartSec=10
"""
STAYS = "console.log('logging in...'); setTimeout(() => {}, 600_000);\n"


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A user with nothing installed, and no program to ask."""
    folder = tmp_path / "home"
    (folder / ".config" / "systemd" / "user").mkdir(parents=True)
    (tmp_path / "no-programs").mkdir()
    monkeypatch.setenv("HOME", str(folder))
    monkeypatch.setenv("PATH", str(tmp_path / "no-programs"))
    for name in ("XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_RUNTIME_DIR"):
        monkeypatch.delenv(name, raising=False)
    return folder


@pytest.fixture
def bot(tmp_path: Path) -> Path:
    folder = tmp_path / "a-bot"
    make_host(folder, {"dist/index.js": STAYS})
    return folder


@pytest.fixture
def skillgen(capfd: pytest.CaptureFixture[str], home: Path, bot: Path) -> Skillgen:
    def call(command: str, *words: str) -> Said:
        code = cli.run([command, str(bot), *words])
        out, err = capfd.readouterr()
        assert "Traceback" not in err and "defect" not in err, err
        return Said(code, out, err)

    return call


def install(home: Path, bot: Path, text: str) -> Path:
    path = home / ".config" / "systemd" / "user" / "some.service"
    path.write_text(text.format(bot=bot))
    return path


def ship(bot: Path, text: str = SOURCE) -> None:
    (bot / "deploy").mkdir()
    (bot / "deploy" / "bot.service").write_text(text.format(bot=bot))


@contextmanager
def running(folder: Path, bot: Path) -> Iterator[int]:
    folder.mkdir(exist_ok=True)
    node = next(
        path
        for path in ("/usr/bin/node", "/usr/local/bin/node", *os.environ.get("NODE", "").split())
        if os.path.exists(path)
    )
    with (folder / "bot.log").open("ab") as log:
        process = subprocess.Popen(
            [node, str(bot / "dist" / "index.js")], cwd=folder, stdout=log, stderr=log, env={}
        )
    try:
        yield process.pid
    finally:
        process.kill()
        process.wait()


@pytest.mark.parametrize("command", ["check", "status"])
def test_an_installed_unit_that_is_not_what_the_source_says_has_one_line(
    skillgen: Skillgen, home: Path, bot: Path, command: str
) -> None:
    ship(bot)
    unit = install(home, bot, SOURCE.replace("on-failure", "always"))
    said = skillgen(command)
    [line] = [each for each in said.err.splitlines() if "installed unit" in each]
    assert "is not what the source says (deploy/bot.service)" in line
    assert f"{unit}:8: Restart=always" in line and line.endswith(f"skillgen doctor {bot}")
    warnings = skillgen(command, "--format", "json").row["warnings"]
    assert [each in line for each in warnings] == [True]


def test_an_agent_of_launchd_is_looked_at_as_well(
    skillgen: Skillgen, home: Path, bot: Path
) -> None:
    program = str(bot / "dist" / "index.js")
    (bot / "deploy").mkdir()
    (bot / "deploy" / "com.bot.plist").write_text(plist(KEEP_ALIVE_RIGHT, program))
    agents = home / "Library" / "LaunchAgents"
    agents.mkdir(parents=True)
    wrong = plist("    <key>KeepAlive</key>\n    <true/>\n", program)
    (agents / "com.bot.plist").write_text(wrong)
    [line] = [each for each in skillgen("check").err.splitlines() if "installed unit" in each]
    assert "is not what the source says (deploy/com.bot.plist)" in line
    (agents / "com.bot.plist").write_text(plist(KEEP_ALIVE_RIGHT, program))
    assert "installed unit" not in skillgen("check").err


@pytest.mark.parametrize("command", ["check", "status"])
@pytest.mark.parametrize("case", ["same", "drop-in", "source is no better", "another bot", "none"])
def test_no_line_where_nothing_differs(
    skillgen: Skillgen, home: Path, bot: Path, command: str, case: str
) -> None:
    wrong = SOURCE.replace("on-failure", "always")
    ship(bot, wrong if case == "source is no better" else SOURCE)
    if case == "another bot":
        # The same name and the end of a path are not enough.
        make_host(home / bot.name, {"dist/index.js": STAYS})
        install(home, home / bot.name, wrong)
    elif case != "none":
        unit = install(home, bot, SOURCE if case == "same" else wrong)
        if case == "drop-in":
            (unit.parent / f"{unit.name}.d").mkdir()
            (unit.parent / f"{unit.name}.d" / "x.conf").write_text("[Service]\nRestart=no\n")
    assert "installed unit" not in skillgen(command).err


def test_what_cannot_be_looked_at_is_named_and_the_rest_answered(
    skillgen: Skillgen, home: Path, bot: Path
) -> None:
    install(home, bot, SOURCE.replace("on-failure", "always"))
    said = skillgen("doctor", "--format", "json")
    # No systemctl: it is by its file that the unit is known.
    assert said.code == 1
    assert said.one("service")["state"] == "wrong"
    assert {"protection", "build", "memory"} <= {each["question"] for each in said.row["answers"]}
    assert "attempts" in {each["what"] for each in said.row["unseen"]}


def test_check_installed_is_one_line_for_cron(skillgen: Skillgen, home: Path, bot: Path) -> None:
    install(home, bot, SOURCE.replace("on-failure", "always"))
    # Nor are the project's own options named, which a job would send by mail each time.
    (bot / ".skillgen.toml").write_text("start-limit = 10\n")
    said = skillgen("check", "--installed", "--quiet")
    assert (said.code, said.err, len(said.out.splitlines())) == (1, "", 1)
    assert said.out.endswith(f"see: skillgen doctor {bot}\n")
    data = skillgen("check", "--installed", "--format", "json")
    assert data.code == 1 and data.row["answers"] and "findings" in data.row


def test_check_installed_in_a_folder_with_no_bot(
    skillgen: Skillgen, home: Path, bot: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "empty").mkdir()
    assert cli.run(["check", str(tmp_path / "empty"), "--installed", "-q"]) == 2
    assert len(capfd.readouterr().err.splitlines()) == 1
    assert cli.run(["doctor", str(tmp_path / "empty")]) == 2
    assert cli.run(["doctor", str(tmp_path / "nowhere")]) == 2


def test_two_real_processes_on_one_session_and_what_they_write(
    skillgen: Skillgen, home: Path, bot: Path, tmp_path: Path
) -> None:
    """They work in a folder of their own: log and memory lie there, not in the bot's."""
    work = tmp_path / "work"
    memory = {"version": 1, "attempts": {}, "notBefore": 0, "code": "401", "identity": ""}
    memory["verdict"] = {"code": "401", "at": 1}
    with ExitStack() as stack:
        pids = [stack.enter_context(running(work, bot)) for _ in range(2)]
        (work / "auth-reconnect.json").write_text(json.dumps(memory))
        said = skillgen("doctor", "--format", "json")
        answer = said.one("processes")
        assert answer["state"] == "wrong" and str(work) in answer["text"]
        assert answer["next"] == [f"kill {max(pids)}"]
        assert said.one("memory")["text"].startswith(f"{work}/auth-reconnect.json: stopped by 401")
    assert skillgen("doctor", "--format", "json").one("processes")["state"] == "ok"


def test_nothing_that_the_host_brings_is_believed_or_run(
    skillgen: Skillgen, home: Path, bot: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Programs on PATH that lie in it, logs that are links and pipes, names with line breaks."""
    ran = tmp_path / "ran"
    bin_ = bot / "node_modules" / ".bin"
    bin_.mkdir(parents=True)
    for name in ("systemctl", "journalctl", "loginctl", "docker", "pm2", "launchctl"):
        (bin_ / name).write_text(f"#!/bin/sh\ntouch {ran}\n")
        (bin_ / name).chmod(0o755)
    monkeypatch.setenv("PATH", str(bin_))
    (bot / "x.log").symlink_to("/etc/passwd")
    os.mkfifo(bot / "y.log")
    (bot / "logs").symlink_to("/var/log")
    (bot / "a\nok  all well\x1b[2J.log").write_text("logging in...\n")
    verdict = {"code": "\n\x1b[2Jok  all well", "at": 1}
    hostile = {"version": 1, "attempts": {"a": 1}, "notBefore": 9e99, "verdict": verdict}
    (bot / "x\ny-reconnect.json").write_text(json.dumps(hostile))
    said = skillgen("doctor")
    assert not ran.exists()
    assert not any(line.startswith("ok  all well") for line in said.out.splitlines()), said.out
    assert "root:" not in said.out
