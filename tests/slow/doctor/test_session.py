"""From a looping bot to a safe one, by what the doctor prints: real Baileys, real systemd, a 401.

The host is patched and built while the unit that was installed months ago goes on, as a person does
it. Dials are counted by the server that they reach, starts by the bot's own process.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from skill import __version__
from tests.slow.baileys.harness import HERE as BAILEYS
from tests.slow.baileys.harness import PRELOAD, Program, Server, serving, wait
from tests.slow.doctor.session import Session, counted
from tests.slow.supervisors.systemd import manager

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


@dataclass(frozen=True)
class BaileysSession(Session):
    server: Server

    @property
    def dials(self) -> int:
        return sum(len(self.server.of(name, "attempt")) for name in ("heron", "linked"))

    def environment(self, name: str, step: str) -> None:
        url = self.server.url(name, (step,))
        root, starts = self.server.root, self.started
        self.set_in_test(UNIT, IN_TEST.format(preload=PRELOAD, url=url, root=root, starts=starts))


def link(bot: Path, session: BaileysSession) -> None:
    session.systemd.run("node", BAILEYS / "credentials.mjs", cwd=bot)


@pytest.fixture
def program(node_tools: Path, tmp_path: Path) -> Program:
    return Program("v1-class", "7.0.0-rc14", tmp_path / "work", node_tools)


@pytest.fixture
def session(program: Program, node_tools: Path, tmp_path: Path) -> Iterator[BaileysSession]:
    (tmp_path / "work").mkdir()
    (tmp_path / "server").mkdir()
    bot = program.unpatched
    (bot / "logs").mkdir()
    with (
        serving(node_tools, tmp_path / "server") as server,
        manager(tmp_path / "home", journal=True) as systemd,
    ):
        found = BaileysSession(systemd, bot, server)
        link(bot, found)
        node = shutil.which("node")
        found.install(UNIT, INSTALLED.format(node=node, bot=bot))
        found.environment("heron", "failure/401")
        yield found


def test_from_a_looping_bot_to_a_safe_one(session: BaileysSession, program: Program) -> None:
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

    # 2. Patched: what is built and what is installed are still those of before, and doctor says so.
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
    assert wait(PATIENCE, lambda: session.doctor().is_green), session.doctor()
    seen = session.doctor()
    assert "the last attempt opened the link" in seen.texts["memory"]
    assert counted(seen.texts["attempts"]) == stopped + 2 == session.dials
    assert session.starts == begun + 1
    assert session.skillgen("check", str(bot), "--installed", "--quiet")[:2] == (0, "")


def test_first_aid_and_then_the_patch(session: BaileysSession, program: Program) -> None:
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
