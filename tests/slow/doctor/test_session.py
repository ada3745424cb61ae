"""From a looping bot to a safe one, by what the doctor prints: real Baileys, real systemd, a 401.

The host is patched and built while the unit that was installed months ago goes on, as a person does
it. Dials are counted by the server that they reach, starts by the bot's own process.
"""

from __future__ import annotations

import json
import re
import shutil
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from skill import __version__
from tests.conftest import CHECKOUT
from tests.slow.baileys.harness import HERE as BAILEYS
from tests.slow.baileys.harness import PRELOAD, Program, Server, serving, wait
from tests.slow.supervisors.systemd import Manager, manager

pytestmark = pytest.mark.system

PATIENCE = 90.0
STORM = 7
UNIT = "heron.service"
# As the host's own set-up wrote it, but for a shorter pause, which no default limit ends.
INSTALLED = """\
[Unit]
Description=Heron household reminders
After=network.target

[Service]
Type=simple
ExecStart={node} {bot}/dist/index.js
WorkingDirectory={bot}
Restart=always
RestartSec=3
StandardOutput=append:{bot}/logs/heron.log
StandardError=append:{bot}/logs/heron.log

[Install]
WantedBy=default.target
"""
IN_TEST = """\
[Service]
Environment="NODE_OPTIONS=--import {preload}"
Environment="WHATSAPP_URL={url}"
Environment=WHATSAPP_ROOT={root}
Environment=BOT_STARTS={starts}
"""
# Nobody lingers in the test's own manager, and the machine may have no other.
OUT_OF_REACH = {"lingering"}


@dataclass(frozen=True)
class Seen:
    """What the doctor said. commands: by the question that each belongs to."""

    code: int
    states: dict[str, str]
    texts: dict[str, str]
    commands: dict[str, list[str]]

    @property
    def wrong(self) -> set[str]:
        return {question for question, state in self.states.items() if state == "wrong"}


@dataclass(frozen=True)
class Session:
    systemd: Manager
    server: Server
    bot: Path

    @property
    def dials(self) -> int:
        return sum(len(self.server.of(name, "attempt")) for name in ("heron", "linked"))

    @property
    def starts(self) -> int:
        file = self.systemd.home / "starts"
        return len(file.read_text().splitlines()) if file.exists() else 0

    def skillgen(self, *words: str) -> tuple[int, str, str]:
        program = CHECKOUT / "skill" / "__main__.py"
        done = self.systemd.started(sys.executable, "-I", program, *words)
        assert "Traceback" not in done.stderr and "defect" not in done.stderr, done.stderr
        return done.returncode, done.stdout, done.stderr

    def doctor(self) -> Seen:
        code, out, err = self.skillgen("doctor", str(self.bot), "--format", "json")
        assert code in (0, 1), err
        [row] = json.loads(out)["hosts"]
        states: dict[str, str] = {}
        texts: dict[str, str] = {}
        commands: dict[str, list[str]] = {}
        for answer in row["answers"]:
            name = answer["question"]
            assert name not in states, answer
            states[name], texts[name], commands[name] = (
                answer["state"],
                answer["text"],
                answer["next"],
            )
        assert (code == 1) == ("wrong" in states.values())
        return Seen(code, states, texts, commands)

    def run(self, command: str) -> None:
        """A command that the doctor has printed."""
        words = command.split()
        if words[0] == "skillgen":
            code, out, err = self.skillgen(*words[1:])
            assert code == 0, out + err
        else:
            self.systemd.run("/bin/sh", "-c", command)

    def environment(self, name: str, step: str) -> None:
        url = self.server.url(name, (step,))
        starts = self.systemd.home / "starts"
        text = IN_TEST.format(preload=PRELOAD, url=url, root=self.server.root, starts=starts)
        folder = self.systemd.home / ".config" / "systemd" / "user" / f"{UNIT}.d"
        folder.mkdir(exist_ok=True)
        # Read before what skillgen writes, as an owner's own is.
        (folder / "10-test.conf").write_text(text)
        self.systemd.systemctl("daemon-reload")


def link(bot: Path, session: Session) -> None:
    session.systemd.run("node", BAILEYS / "credentials.mjs", cwd=bot)


@pytest.fixture
def program(node_tools: Path, tmp_path: Path) -> Program:
    return Program("v1-class", "7.0.0-rc14", tmp_path / "work", node_tools)


@pytest.fixture
def session(program: Program, node_tools: Path, tmp_path: Path) -> Iterator[Session]:
    (tmp_path / "work").mkdir()
    (tmp_path / "server").mkdir()
    bot = program.unpatched
    (bot / "logs").mkdir()
    with (
        serving(node_tools, tmp_path / "server") as server,
        manager(tmp_path / "home", journal=True) as systemd,
    ):
        found = Session(systemd, server, bot)
        link(bot, found)
        node = shutil.which("node")
        text = INSTALLED.format(node=node, bot=bot)
        (systemd.home / ".config" / "systemd" / "user" / UNIT).write_text(text)
        found.environment("heron", "failure/401")
        yield found


def counted(text: str) -> int:
    found = re.search(r"([\d,]+) attempts? in the last hour", text)
    assert found, text
    return int(found[1].replace(",", ""))


def test_from_a_looping_bot_to_a_safe_one(session: Session, program: Program) -> None:
    bot, systemd = session.bot, session.systemd

    # 1. A storm: seen, counted, and stopped by the command that is printed.
    systemd.systemctl("start", UNIT)
    assert wait(PATIENCE, lambda: session.dials >= STORM)
    before = session.dials
    seen = session.doctor()
    assert seen.wrong == {"attempts", "protection", "service"}, seen
    assert before <= counted(seen.texts["attempts"]) <= session.dials
    assert "neither patched nor guarded" in seen.texts["protection"]
    [stop] = seen.commands["attempts"]
    assert stop == f"systemctl --user stop {UNIT}"
    session.run(stop)
    stopped = session.dials
    seen = session.doctor()
    assert seen.wrong == {"protection", "service"} and seen.states["attempts"] == "warning", seen

    # 2. Patched: what is built and what is installed are still those of before, and it is said.
    code, out, err = session.skillgen("apply", str(bot))
    assert code == 0, out + err
    seen = session.doctor()
    assert seen.wrong == {"build", "service"}, seen
    assert "the module is whole" in seen.texts["protection"]
    assert seen.commands["build"] == [f"cd {bot} && npm run build"]
    for command in ("check", "status"):
        code, out, err = session.skillgen(command, str(bot))
        assert code == 0, out + err
        [line] = [each for each in err.splitlines() if "the installed unit" in each]
        assert "is not what the source says (setup/service.ts)" in line
        assert f"{UNIT}:9: Restart=always" in line

    # 3. Built, and started by the old unit: one dial, but the unit restarts forever.
    program.compile(bot)
    seen = session.doctor()
    assert seen.wrong == {"service"} and seen.states["build"] == "ok", seen
    begun = session.starts
    systemd.systemctl("start", UNIT)
    assert wait(PATIENCE, lambda: session.starts >= begun + 3)
    seen = session.doctor()
    assert seen.wrong == {"memory", "service"}, seen
    assert "stopped by 401" in seen.texts["memory"]
    assert "not what the source says (setup/service.ts)" in seen.texts["service"]
    assert session.dials == stopped + 1
    code, out, err = session.skillgen("check", str(bot), "--installed", "--quiet")
    assert (code, len(out.splitlines())) == (1, 1), out + err

    # 4. The installed unit made safe: the bot ends, and stays so.
    [mend] = seen.commands["service"]
    assert mend == f"skillgen service {bot} --apply"
    session.run(mend)
    assert wait(PATIENCE, lambda: systemd.state(UNIT) == "inactive")
    begun = session.starts
    seen = session.doctor()
    assert seen.wrong == {"memory"}, seen
    assert "link it before it starts" in seen.texts["service"]

    # 5. Linked anew: no reset is asked for, and the start is printed.
    link(bot, session)
    session.environment("linked", "open")
    seen = session.doctor()
    assert not seen.wrong and "that link is gone" in seen.texts["memory"], seen
    assert (session.starts, session.dials) == (begun, stopped + 1)
    [start] = seen.commands["service"]
    session.run(start)
    assert wait(PATIENCE, lambda: "Line is up" in (bot / "logs" / "heron.log").read_text())

    # 6. All green.
    def green() -> bool:
        now = session.doctor()
        return {
            name for name, state in now.states.items() if state != "ok"
        } <= OUT_OF_REACH and now.code == 0

    assert wait(PATIENCE, green), session.doctor()
    seen = session.doctor()
    assert "the last attempt opened the link" in seen.texts["memory"]
    assert counted(seen.texts["attempts"]) == stopped + 2 == session.dials
    assert session.starts == begun + 1
    assert session.skillgen("check", str(bot), "--installed", "--quiet")[:2] == (0, "")


def test_first_aid_and_then_the_patch(session: Session, program: Program) -> None:
    """Guarded at first, the guard's memory far from the bot's folder; the patch comes in peace."""
    bot, systemd = session.bot, session.systemd
    systemd.systemctl("start", UNIT)
    assert wait(PATIENCE, lambda: session.dials >= 2)
    systemd.systemctl("stop", UNIT)
    dials = session.dials
    session.run(f"skillgen service {bot} --apply --guard")
    session.run(f"systemctl --user start {UNIT}")
    assert wait(PATIENCE, lambda: session.dials > dials)
    assert wait(PATIENCE, lambda: systemd.state(UNIT) == "inactive")

    seen = session.doctor()
    assert seen.wrong == {"memory"}, seen
    assert seen.states["protection"] == "warning"
    assert seen.texts["protection"].startswith(f"guarded by skillgen {__version__}; the source is")
    assert seen.texts["memory"].startswith(f"{systemd.home}/.config/whatsapp-reconnect/")
    assert "stopped by 401" in seen.texts["memory"]
    assert counted(seen.texts["attempts"]) == dials + 1 == session.dials

    code, out, err = session.skillgen("apply", str(bot))
    assert code == 0, out + err
    program.compile(bot)
    said = session.skillgen("doctor", str(bot))[1]
    assert "the unit loads the guard as well" in said
    assert f"skillgen service {bot} --revert" in said

    link(bot, session)
    session.environment("linked", "open")
    session.run(f"systemctl --user start {UNIT}")
    assert wait(PATIENCE, lambda: "Line is up" in (bot / "logs" / "heron.log").read_text())
    session.run(f"skillgen service {bot} --revert")
    session.run(f"skillgen service {bot} --apply")
    session.run(f"systemctl --user restart {UNIT}")
    assert wait(PATIENCE, lambda: session.dials == dials + 3)
    # The guard's memory still says 401, and is no matter any more.
    assert wait(PATIENCE, lambda: session.doctor().code == 0), session.doctor()
    seen = session.doctor()
    assert seen.texts["memory"].startswith("store/auth-reconnect.json"), seen
    assert counted(seen.texts["attempts"]) == session.dials == dials + 3
