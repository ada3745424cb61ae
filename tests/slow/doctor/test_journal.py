"""Attempts by a real journal, read in another time zone than it was written in."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import pytest

from tests.conftest import CHECKOUT
from tests.quick.rules.service_cases.harness import make_host
from tests.slow.baileys.harness import wait
from tests.slow.doctor.rig import Said
from tests.slow.service.rig import Rig
from tests.slow.supervisors.systemd import manager

pytestmark = pytest.mark.system

TWICE = "for (let n = 0; n < 2; n += 1) console.log('logging in...');\nprocess.exit(1);\n"
STORM = "[Unit]\nStartLimitIntervalSec=0\n\n[Service]\nExecStart=/usr/bin/env node "
STORM += "{bot}/dist/index.js\nRestart=always\nRestartSec=300ms\n"


@pytest.mark.parametrize("zone", ["UTC", "Pacific/Kiritimati", "America/St_Johns"])
def test_each_line_of_the_last_hour_counts_once(tmp_path: Path, zone: str) -> None:
    bot = tmp_path / "bot"
    make_host(bot, {"dist/index.js": TWICE})
    with manager(tmp_path / "home", journal=True) as systemd:
        rig = Rig(systemd, bot)
        unit = rig.unit("storm.service", STORM)
        systemd.systemctl("start", unit)

        def lines() -> int:
            said = systemd.run(
                "journalctl", "--no-pager", "-o", "cat", f"_SYSTEMD_USER_UNIT={unit}"
            )
            return said.count("logging in...")

        assert wait(60, lambda: lines() >= 20)
        systemd.systemctl("stop", unit)
        assert wait(10, lambda: lines() % 2 == 0)
        program = CHECKOUT / "skill" / "__main__.py"
        command = ("env", f"TZ={zone}", sys.executable, "-I", program, "doctor", bot)
        done = systemd.started(*command, "--format", "json")
        said = Said(done.returncode, done.stdout, done.stderr)
        text = said.one("attempts")["text"]
        found = re.match(r"about (\d+) attempts in the last hour, (\d+) in the last day", text)
        assert found and (int(found[1]), int(found[2])) == (lines(), lines()), text
        assert f"in the journal of {unit}" in text
