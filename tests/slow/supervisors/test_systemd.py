"""Units as a host's own generator writes them, after and before the patch, run by systemd.

What they start is the real bot with the real Baileys. Only the pause between two starts is
shortened, by a drop-in: ``Restart=`` and the start limit are what the generator wrote.
"""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.slow.baileys.harness import PRELOAD, QUICK_DEADLINE, SHORT, Bot, Program, Server, wait
from tests.slow.supervisors.systemd import HERE, Manager, manager

pytestmark = pytest.mark.system

# 6.7.24 is the one that lets a process end with 0 when the upgrade was refused.
VERSION = "6.7.24"
PATIENCE = 30.0
BURST = 5
# Five pauses outlast systemd's default limit, five starts in 10 s: it hides what a unit says.
UNHURRIED = 2.6
QUICK = 0.3

INSTALLERS = {
    # Writes its unit, reloads, enables and starts it.
    "v1-class": "import { run } from './built/setup/service.js'; run();",
    # Prints its unit.
    "v2-factory": "import './built/setup/service.js';",
}
UNITS = {"v1-class": "heron.service", "v2-factory": "almanac.service"}


@pytest.fixture(scope="session", params=INSTALLERS)
def program(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, node_tools: Path
) -> Program:
    return Program(request.param, VERSION, tmp_path_factory.mktemp(request.param), node_tools)


@dataclass(frozen=True)
class Service:
    """A bot that systemd runs."""

    unit: str
    bot: Bot
    systemd: Manager
    pause: float

    @property
    def starts(self) -> int:
        counted = self.systemd.home / "starts"
        return len(counted.read_text().splitlines()) if counted.exists() else 0

    @property
    def state(self) -> str:
        return self.systemd.state(self.unit)

    def stays(self) -> tuple[str, int]:
        """State and starts, when another start would have come."""
        time.sleep(2 * self.pause)
        return self.state, self.starts


@contextmanager
def installed(
    program: Program,
    source: Path,
    work: Path,
    server: Server,
    script: Sequence[str],
    pause: float = QUICK,
    more: str = "",
) -> Iterator[Service]:
    """The program in a folder of its own, its unit written by its own installer and started."""
    folder = work / program.fixture
    shutil.copytree(source, folder, symlinks=True)
    shutil.rmtree(folder / "store", ignore_errors=True)
    bot = program.bot(folder, server, script)
    (folder / "logs").mkdir()
    generator = ("setup/service.ts", *(["src/logger.ts"] if program.fixture == "v1-class" else []))
    options = ("--format=esm", "--outbase=.", "--outdir=built", "--log-level=error")
    built = program.trial.node("esbuild", *generator, *options, cwd=folder)
    assert built.code == 0, str(built)
    unit = UNITS[program.fixture]
    with manager(work / "home") as systemd:
        settings = {
            **bot.environment,
            "NODE_OPTIONS": f"--import={PRELOAD}",
            "BOT_STARTS": str(systemd.home / "starts"),
        }
        lines = [f'Environment="{name}={value}"' for name, value in settings.items()]
        systemd.drop_in(unit, "\n".join(["[Service]", f"RestartSec={pause:.1f}", *lines, more, ""]))
        node = ("node", "--import", HERE / "as_user.mjs", "--input-type=module", "--eval")
        said = systemd.run(*node, INSTALLERS[program.fixture], cwd=folder)
        if program.fixture == "v2-factory":
            place = systemd.home / ".config" / "systemd" / "user" / unit
            place.write_text(said)
            systemd.systemctl("daemon-reload")
            systemd.systemctl("enable", "--now", unit)
        yield Service(unit, bot, systemd, pause)


@contextmanager
def both(
    program: Program,
    work: Path,
    server: Server,
    script: Sequence[str],
    pause: float = QUICK,
    more: str = "",
) -> Iterator[tuple[Service, Service]]:
    """The patched host and, beside it, the unpatched one."""
    # A short deadline is for what never answers: a slow refusal must not be cut off by it.
    policy = SHORT if script[0].startswith("failure") else QUICK_DEADLINE
    hard, soft = program.with_policy(policy), program.unpatched
    with (
        installed(program, hard, work / "patched", server, script, pause, more) as good,
        installed(program, soft, work / "unpatched", server, script, pause, more) as bad,
    ):
        yield good, bad


def test_a_revoked_bot_is_started_once(program: Program, server: Server, tmp_path: Path) -> None:
    with both(program, tmp_path, server, ["failure/401"]) as (good, bad):
        assert wait(PATIENCE, lambda: good.state in ("inactive", "failed"))
        assert good.stays() == ("inactive", 1)
        result = good.systemd.systemctl("show", "--property=Result", "--value", good.unit)
        assert result == "success"
        assert len(good.bot.attempts) == 1
        assert wait(PATIENCE, lambda: len(bad.bot.attempts) >= 3)
        assert bad.starts >= 3


def test_a_bot_that_crashes_stops_at_the_limit(
    program: Program, server: Server, tmp_path: Path
) -> None:
    pause = UNHURRIED if program.fixture == "v1-class" else QUICK
    with both(program, tmp_path, server, ["open"], pause, "Environment=BOT_CRASH=1") as (good, bad):
        assert wait(PATIENCE, lambda: good.state == "failed")
        assert good.stays() == ("failed", BURST)
        assert wait(PATIENCE, lambda: bad.starts > BURST)
        assert bad.state != "failed"


def test_a_bot_without_a_line_is_never_restarted(
    program: Program, server: Server, tmp_path: Path
) -> None:
    """It does not exit, and it is back when the line is."""
    with both(program, tmp_path, server, [*["http/503"] * 2, "open"]) as (good, bad):
        assert wait(PATIENCE, lambda: good.bot.online)
        assert good.stays() == ("active", 1)
        # Each of its starts was a process that ended, with 0, and said nothing.
        assert wait(PATIENCE, lambda: bad.starts >= 3)
