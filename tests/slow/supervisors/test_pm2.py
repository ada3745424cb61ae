"""Apps of a real pm2, before and after the patch, and the one that is added."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from modify.rules.units.pm2_autorestart import PAUSE
from tests.slow.baileys.harness import wait
from tests.slow.supervisors.counting import Counting, counting, patch

FILE = "ecosystem.config.cjs"
FAULTY = "module.exports = {\n  apps: [{ name: 'bot', script: 'dist/index.js' }],\n};\n"
PATIENCE = 30.0
SETTLED = 2.0


@dataclass(frozen=True)
class Pm2:
    """pm2's command line with a home, and so a daemon, of its own."""

    program: Path
    bot: Counting

    @property
    def home(self) -> Path:
        return self.bot.counted.parent / "pm2"

    def run(self, *words: str) -> None:
        environment = {
            "PATH": os.environ["PATH"],
            "HOME": str(self.home),
            "PM2_HOME": str(self.home),
            "PM2_DISABLE_VERSION_CHECK": "true",
            **self.bot.environment,
        }
        done = subprocess.run(
            [self.program, *words],
            cwd=self.bot.folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=120,
        )
        assert done.returncode == 0, done.stdout + done.stderr

    @property
    def log(self) -> str:
        return (self.home / "pm2.log").read_text()


@contextmanager
def supervised(node_tools: Path, bot: Counting) -> Iterator[Pm2]:
    """pm2 with the host's ecosystem file; its daemon ends with the block."""
    pm2 = Pm2(node_tools / "node_modules" / ".bin" / "pm2", bot)
    pm2.home.mkdir()
    try:
        pm2.run("start", FILE)
        yield pm2
    finally:
        daemon = int((pm2.home / "pm2.pid").read_text())
        os.kill(daemon, signal.SIGTERM)  # and its apps with it
        assert wait(PATIENCE, lambda: not Path(f"/proc/{daemon}").exists())


def test_a_revoked_bot_is_started_once(tmp_path: Path, node_tools: Path) -> None:
    good, bad = (
        counting(tmp_path / name, {FILE: FAULTY}, status=0) for name in ("patched", "unpatched")
    )
    patch(good)
    with supervised(node_tools, good) as pm2, supervised(node_tools, bad):
        assert wait(PATIENCE, lambda: bad.starts >= 3)
        stays_down(pm2)


def stays_down(pm2: Pm2) -> None:
    """pm2 7.0.4 announces a restart, and lists the app as waiting for it; none comes."""
    assert wait(PATIENCE, lambda: "exited with code [0]" in pm2.log), pm2.log
    time.sleep(PAUSE / 1000 + SETTLED)
    assert pm2.bot.starts == 1


def test_a_bot_that_crashes_is_started_again_after_a_growing_pause(
    tmp_path: Path, node_tools: Path
) -> None:
    bot = counting(tmp_path, {FILE: FAULTY}, status=1)
    patch(bot)
    with supervised(node_tools, bot) as pm2:
        goes_on(pm2)


def goes_on(pm2: Pm2) -> None:
    pauses = [PAUSE, PAUSE * 3 // 2]
    lines = [f"will restart in {pause}ms" for pause in pauses]
    assert wait(PATIENCE, lambda: all(line in pm2.log for line in lines)), pm2.log
    assert pm2.bot.starts >= len(pauses)


def test_the_app_that_is_added(tmp_path: Path, node_tools: Path) -> None:
    revoked, broken = (
        counting(tmp_path / name, {}, status=status)
        for name, status in (("revoked", 0), ("broken", 1))
    )
    for bot in (revoked, broken):
        patch(bot, add_service="pm2")
    with supervised(node_tools, revoked) as first, supervised(node_tools, broken) as second:
        stays_down(first)
        goes_on(second)
