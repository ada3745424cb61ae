"""``skillgen service`` beside a real manager of a system."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.slow.baileys.harness import wait
from tests.slow.service.rig import Rig, make_bot
from tests.slow.supervisors.systemd import manager

pytestmark = pytest.mark.system

UNIT = (
    "[Unit]\nStartLimitIntervalSec=0\n[Service]\nExecStart=/usr/bin/env node {bot}/dist/index.js\n"
)
UNIT += "Restart=always\nRestartSec=300ms\n"
PATIENCE = 30.0
PLACE = "/etc/systemd/system"
DROP_IN = f"{PLACE}/wa.service.d/50-skillgen-restart.conf"


@dataclass(frozen=True)
class System(Rig):
    """units: as they are seen from outside of the manager's namespace."""

    @property
    def units(self) -> Path:
        return Path(f"/proc/{self.systemd.pid}/root{PLACE}")

    def listed(self) -> list[str]:
        return sorted(self.systemd.run("find", PLACE, "-type", "f").split())


@pytest.fixture
def rig(tmp_path: Path) -> Iterator[System]:
    bot = make_bot(tmp_path / "bot")
    with manager(tmp_path / "home", scope="system") as systemd:
        yield System(systemd, bot)


def test_a_unit_of_the_system_is_made_safe_and_given_back(rig: System) -> None:
    rig.unit("wa.service", UNIT, status=0)
    rig.systemd.systemctl("start", "wa.service")
    assert wait(PATIENCE, lambda: len(rig.counted) >= 3)
    before = rig.listed()
    said = rig.look()
    assert said.code == 1 and said.service["manager"] == "systemd"
    guard = rig.systemd.home / "guard.cjs"
    applied = rig.skillgen("--apply", "--guard", "--guard-file", guard)
    assert applied.code == 0, applied
    assert rig.listed() == sorted([*before, DROP_IN])
    assert wait(PATIENCE, lambda: rig.systemd.state("wa.service") == "inactive")
    # The output says that it is down, and guarded from its next start on.
    starts = len(rig.counted)
    assert rig.skillgen("--apply", "--restart").code == 0
    assert wait(PATIENCE, lambda: len(rig.counted) > starts)
    assert rig.counted[-1].split()[1:] == [str(guard)]
    time.sleep(2)
    assert len(rig.counted) == starts + 1
    assert rig.skillgen("--revert").code == 0
    assert rig.listed() == before


def test_a_generated_unit_is_named_with_its_source(rig: System) -> None:
    generator = "/run/systemd/system-generators/bots"
    unit = UNIT.format(bot=rig.bot).replace("[Unit]", "[Unit]\nSourcePath=/etc/bots.conf")
    script = f"#!/bin/sh\ncat > $1/wa.service <<'END'\n{unit}END\n"
    target = Path(f"/proc/{rig.systemd.pid}/root{generator}")
    target.write_text(script)
    target.chmod(0o755)
    rig.systemd.systemctl("daemon-reload")
    service = rig.look().service
    assert service["name"] == "wa.service"
    assert service["obstacles"] == ["is generated from /etc/bots.conf: change that"]
    said = rig.skillgen("--apply")
    assert said.code == 1 and "generated from /etc/bots.conf" in said.out
    assert rig.listed() == []


def test_where_nothing_can_be_written_the_commands_are_given(rig: System) -> None:
    """And they do it once it can."""
    rig.unit("wa.service", UNIT)
    before = rig.listed()
    rig.systemd.run("mount", "-o", "remount,ro", PLACE)
    said = rig.skillgen("--apply")
    assert said.code == 2, said
    assert f"{PLACE}: this user has no right to write there; nothing was written" in said.err
    rig.systemd.run("mount", "-o", "remount,rw", PLACE)
    assert rig.listed() == before
    script = said.out.partition("\n")[2].replace("sudo ", "")
    rig.systemd.run("sh", "-ec", script)
    assert rig.listed() == sorted([*before, DROP_IN])
    assert rig.look().code == 0
