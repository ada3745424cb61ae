"""Programs of a real supervisord, before and after the patch, and the one that is added."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.slow.baileys.harness import wait
from tests.slow.supervisors.counting import Counting, counting, patch

FILE = "deploy/bot.conf"
FAULTY = "[program:bot]\ncommand=node dist/index.js\nautorestart=true\n"
PATIENCE = 30.0
# Behind the longest pause of supervisord's own: it backs off by one second a try, three times.
SETTLED = 2.0


@contextmanager
def supervised(bot: Counting, path: str) -> Iterator[Path]:
    """supervisord in the foreground with this program; yields its log."""
    work = bot.counted.parent
    log, settings = work / "supervisord.log", work / "supervisord.conf"
    daemon = f"[supervisord]\nnodaemon=true\nlogfile={log}\npidfile={work}/pid\n"
    daemon += f"childlogdir={work}\n"
    settings.write_text(f"{daemon}\n[include]\nfiles={bot.folder / path}\n")
    command = [Path(sys.executable).parent / "supervisord", "-n", "-c", settings]
    with (work / "output").open("w") as output:
        process = subprocess.Popen(
            command,
            cwd=bot.folder,
            env={"PATH": os.environ["PATH"], **bot.environment},
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    try:
        yield log
    finally:
        process.terminate()  # and its programs with it
        process.wait(30)


def exited(log: Path) -> bool:
    return log.exists() and ("exited: bot" in log.read_text())


@pytest.mark.parametrize("life_ms", [0, 1500], ids=["at once", "after a while"])
def test_a_revoked_bot_is_started_once(tmp_path: Path, life_ms: int) -> None:
    good, bad = (
        counting(tmp_path / name, {FILE: FAULTY}, status=0, life_ms=life_ms)
        for name in ("patched", "unpatched")
    )
    patch(good)
    with supervised(good, FILE) as log, supervised(bad, FILE):
        assert wait(PATIENCE, lambda: exited(log)), log.parent.joinpath("output").read_text()
        assert wait(PATIENCE, lambda: bad.starts >= 3)
        time.sleep(SETTLED)
        assert good.starts == 1
        assert "exited: bot (exit status 0; expected)" in log.read_text()


def test_a_clean_exit_that_was_not_expected(tmp_path: Path) -> None:
    faulty = FAULTY.replace("restart=true\n", "restart=unexpected\nexitcodes=2\nstartsecs=0\n")
    good, bad = (
        counting(tmp_path / name, {FILE: faulty}, status=0) for name in ("patched", "unpatched")
    )
    patch(good)
    with supervised(good, FILE) as log, supervised(bad, FILE):
        assert wait(PATIENCE, lambda: exited(log))
        assert wait(PATIENCE, lambda: bad.starts >= 6), "more than it tries by itself"
        assert good.starts == 1


def test_a_bot_that_crashes_is_started_again(tmp_path: Path) -> None:
    """For ever: what bounds the attempts of a crash loop is the channel's memory."""
    bot = counting(tmp_path, {FILE: FAULTY}, status=1)
    patch(bot)
    with supervised(bot, FILE):
        assert wait(PATIENCE, lambda: bot.starts >= 6), "more than it tries by itself"


@pytest.mark.parametrize(("status", "starts"), [(0, 1), (1, 3)], ids=["revoked", "crashes"])
def test_the_program_that_is_added(tmp_path: Path, status: int, starts: int) -> None:
    bot = counting(tmp_path, {}, status=status)
    patch(bot, add_service="supervisord")
    with supervised(bot, "deploy/bot.supervisor.conf") as log:
        assert wait(PATIENCE, lambda: exited(log) and bot.starts >= starts)
        time.sleep(SETTLED)
        assert (bot.starts == 1) == (status == 0)
