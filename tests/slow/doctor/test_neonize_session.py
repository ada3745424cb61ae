"""The same way on a Python bot: the real neonize, real systemd, a number that is logged out.

whatsmeow deletes the device of a session that is revoked, so that each start after the first asks
for a QR code, and the bot ends with 1 as nobody sees that. Dials are counted where they arrive.
"""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.slow.baileys.harness import wait
from tests.slow.doctor.session import Session, counted
from tests.slow.e2e_python.harness import Trial
from tests.slow.real.whatsapp import Proxy, WhatsApp, whatsapp
from tests.slow.supervisors.systemd import manager

pytestmark = pytest.mark.system

PATIENCE = 60.0
STORM = 7
UNIT = "wren.service"
# As it was installed months ago, but for a shorter pause, which no default limit ends.
INSTALLED = """\
[Unit]
Description=Wren, the shopping list of a household
After=network-online.target

[Service]
Type=simple
WorkingDirectory={bot}
ExecStart={bot}/.venv/bin/python -m wren
Restart=always
RestartSec=3

[Install]
WantedBy=default.target
"""
RESTART_SEC = 10
"""What skillgen makes of that pause."""
# Python imports it in each process.
COUNTS = """\
import os
if "BOT_STARTS" in os.environ:
    with open(os.environ["BOT_STARTS"], "a") as file:
        file.write("started\\n")
"""


@dataclass(frozen=True)
class NeonizeSession(Session):
    """revoked, linked: as WhatsApp treats the bot, one after the other."""

    whatsapp: WhatsApp
    revoked: Proxy
    linked: Proxy

    @property
    def dials(self) -> int:
        return len(self.revoked.dials) + len(self.linked.dials)

    def meet(self, proxy: Proxy) -> None:
        variables = self.whatsapp.environment(proxy.port)
        variables["BOT_STARTS"] = str(self.started)
        lines = [f'Environment="{name}={value}"' for name, value in variables.items()]
        self.set_in_test(UNIT, "\n".join(["[Service]", *lines, ""]))

    def link(self, registration: int) -> None:
        self.whatsapp.link(self.bot / "wren.db", registration)


@pytest.fixture
def session(node_tools: Path, tmp_path: Path) -> Iterator[NeonizeSession]:
    (tmp_path / "bot").mkdir()
    (tmp_path / "whatsapp").mkdir()
    bot = Trial("s3-unit", tmp_path / "bot").clone()
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", bot / ".venv"], check=True)
    with (
        whatsapp(node_tools, tmp_path / "whatsapp") as loopback,
        loopback.proxy("failure/401,qr") as revoked,
        loopback.proxy("open") as linked,
        manager(tmp_path / "home", journal=True) as systemd,
    ):
        (loopback.work / "site" / "sitecustomize.py").write_text(COUNTS)
        found = NeonizeSession(systemd, bot, loopback, revoked, linked)
        found.install(UNIT, INSTALLED.format(bot=bot))
        found.meet(revoked)
        found.link(7)
        yield found


def test_from_a_looping_neonize_bot_to_a_safe_one(session: NeonizeSession) -> None:
    bot, systemd = session.bot, session.systemd

    # 1. A storm: a dial at each start; seen, counted, and stopped by the command that is printed.
    systemd.systemctl("start", UNIT)
    assert wait(PATIENCE, lambda: session.dials >= STORM)
    before = session.dials
    seen = session.doctor()
    assert seen.wrong == {"attempts", "protection", "service"}, seen
    assert before <= counted(seen.texts["attempts"]) <= session.starts
    assert "neither patched nor guarded" in seen.texts["protection"]
    [stop] = seen.commands["attempts"]
    assert stop == f"systemctl --user stop {UNIT}"
    session.run(stop)
    stopped = session.dials
    assert stopped in (session.starts, session.starts - 1)

    # 2. No first aid for this one: said in one line, and nothing is written.
    code, out, err = session.skillgen("service", str(bot), "--apply", "--guard")
    assert (code, out, len(err.splitlines())) == (2, "", 1), out + err
    assert (
        f"through neonize, in Python, and the guard is for Node; instead: skillgen service {bot}"
        in err
    )

    # 3. Patched: there is nothing to build, but the unit is that of before.
    [look] = seen.commands["protection"]
    session.run(look.removesuffix(" --dry-run"))
    seen = session.doctor()
    assert seen.wrong == {"service"}, seen
    assert "the module is whole" in seen.texts["protection"]
    assert "not what the source says (deploy/wren.service)" in seen.texts["service"]
    [mend] = seen.commands["service"]
    assert mend == f"skillgen service {bot} --apply"
    session.run(mend)
    seen = session.doctor()
    assert not seen.wrong, seen

    # 4. Started with a link that WhatsApp has ended: one dial, and the bot stays down.
    session.link(8)
    session.revoked.script = "failure/401"
    begun = session.starts
    [start] = seen.commands["service"]
    session.run(start)
    assert wait(PATIENCE, lambda: session.starts > begun and systemd.state(UNIT) == "inactive")
    time.sleep(RESTART_SEC * 1.5)
    assert (session.starts, session.dials) == (begun + 1, stopped + 1)
    assert systemd.state(UNIT) == "inactive"
    seen = session.doctor()
    assert seen.wrong == {"memory"}, seen
    assert "wren.db holds no device: link the bot" in seen.texts["memory"]
    assert "link it before it starts" in seen.texts["service"]
    code, out, err = session.skillgen("check", str(bot), "--installed", "--quiet")
    assert (code, len(out.splitlines())) == (1, 1), out + err

    # 5. Linked anew: no reset is asked for, and the start is printed.
    session.link(9)
    session.meet(session.linked)
    seen = session.doctor()
    assert not seen.wrong and seen.states["memory"] == "ok", seen
    [start] = seen.commands["service"]
    session.run(start)
    assert wait(PATIENCE, lambda: session.doctor().is_green), session.doctor()
    seen = session.doctor()
    assert "the last attempt opened the link" in seen.texts["memory"]
    assert counted(seen.texts["attempts"]) in (session.starts, session.dials)
    assert (session.starts, session.dials) == (begun + 2, stopped + 2)
    assert session.skillgen("check", str(bot), "--installed", "--quiet")[:2] == (0, "")
