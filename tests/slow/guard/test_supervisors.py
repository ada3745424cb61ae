"""A guarded bot under a real pm2 and a real supervisord: its dials are paced, its own are not."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path

import pytest

from skill import cli
from skill.guard import files
from skill.guard.render import render_guard
from tests.slow.baileys.harness import Server, wait
from tests.slow.guard.rig import SHORT, Bot

PM2 = """\
module.exports = {
  apps: [
    { name: 'bot', script: 'esm.mjs', cwd: __dirname, env: { NODE_OPTIONS: '--trace-warnings' } },
  ],
};
"""
SUPERVISORD = "[program:bot]\ncommand=node esm.mjs\ndirectory={folder}\nautorestart=true\n"
DIALS = 5
STORM = 12
PATIENCE = 60.0


@pytest.fixture
def host(tree: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A bot in a folder of its own; the guard that it will be given has the short policy."""
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setattr(files, "render_guard", lambda: render_guard(policy=SHORT))
    root = tmp_path / "bot"
    root.mkdir()
    for name in ("esm.mjs", "odd.cjs"):
        (root / name).write_bytes((tree / name).read_bytes())
    (root / "node_modules").symlink_to(tree / "node_modules")
    (root / "package.json").write_text('{"name": "bot"}')
    (root / "ecosystem.config.cjs").write_text(PM2)
    (root / "bot.conf").write_text(SUPERVISORD.format(folder=root))
    return root


def made(host: Path, tree: Path, server: Server) -> Bot:
    return Bot(tree, server, ("failure/503",), [], host, name=uuid.uuid4().hex[:12])


def environment(bot: Bot, home: Path) -> dict[str, str]:
    return {
        "PATH": os.environ["PATH"],
        "HOME": str(home),
        "PM2_HOME": str(home),
        "PM2_DISABLE_VERSION_CHECK": "true",
        "WHATSAPP_URL": bot.server.url(bot.name, bot.script),
        "WHATSAPP_ROOT": bot.server.root,
    }


@contextmanager
def pm2(bot: Bot, home: Path, program: Path, file: str) -> Iterator[None]:
    """An ecosystem file under a daemon of its own, which ends with the block."""
    home.mkdir()
    done = subprocess.run(
        [program, "start", file],
        cwd=bot.folder,
        env=environment(bot, home),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=120,
    )
    daemon = int((home / "pm2.pid").read_text())
    try:
        assert done.returncode == 0, done.stdout + done.stderr
        yield
    finally:
        os.kill(daemon, signal.SIGTERM)
        assert wait(PATIENCE, lambda: not Path(f"/proc/{daemon}").exists())


@contextmanager
def supervisord(bot: Bot, home: Path, pattern: str) -> Iterator[None]:
    """The program files that a pattern names under a daemon in the foreground."""
    home.mkdir()
    settings = home / "supervisord.conf"
    daemon = f"[supervisord]\nnodaemon=true\nlogfile={home}/log\npidfile={home}/pid\n"
    settings.write_text(f"{daemon}childlogdir={home}\n[include]\nfiles={bot.folder}/{pattern}\n")
    process = subprocess.Popen(
        [Path(sys.executable).parent / "supervisord", "-n", "-c", settings],
        cwd=home,
        env=environment(bot, home),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        yield
    finally:
        process.terminate()
        process.wait(30)


def is_paced(bot: Bot, host: Path) -> None:
    assert wait(PATIENCE, lambda: len(bot.dials) >= DIALS), len(bot.dials)
    assert len(list((host / ".whatsapp-reconnect").glob("*-reconnect.json"))) == 1
    gaps = [later - earlier for earlier, later in pairwise(bot.dials)]
    steps = [SHORT.transient.first * 2**step for step in range(len(gaps))]
    # The server sees a dial a little after its attempt has begun.
    assert all(gap >= step * 0.8 for gap, step in zip(gaps, steps, strict=True)), gaps


def test_pm2(host: Path, tree: Path, server: Server, node_tools: Path, tmp_path: Path) -> None:
    program = node_tools / "node_modules" / ".bin" / "pm2"
    storming = made(host, tree, server)
    with pm2(storming, tmp_path / "plain", program, "ecosystem.config.cjs"):
        assert wait(PATIENCE, lambda: len(storming.dials) >= STORM)
    assert cli.run(["guard", str(host), "--unit", str(host / "ecosystem.config.cjs")]) == 0
    guarded = made(host, tree, server)
    with pm2(guarded, tmp_path / "guarded", program, "ecosystem.guard.config.cjs"):
        is_paced(guarded, host)


def test_supervisord(host: Path, tree: Path, server: Server, tmp_path: Path) -> None:
    storming = made(host, tree, server)
    with supervisord(storming, tmp_path / "plain", "*.conf"):
        assert wait(PATIENCE, lambda: len(storming.dials) >= STORM)
    assert cli.run(["guard", str(host), "--unit", str(host / "bot.conf")]) == 0
    guarded = made(host, tree, server)
    with supervisord(guarded, tmp_path / "guarded", "*.conf"):
        is_paced(guarded, host)
