"""A real pm2, whose apps are found by what they execute, started anew by a file of skillgen's."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.slow.baileys.harness import wait
from tests.slow.service.rig import FOREVER, Said

Skillgen = Callable[..., Said]
Starting = Callable[..., Path]
PATIENCE = 60.0
APPS = """\
module.exports = {
  apps: [
    // the owner's own
    { name: 'line', script: 'dist/index.js', restart_delay: 400, env: { OWN: '1' } },
    { name: 'line2', script: '/bin/sleep', args: '600', interpreter: 'none' },
  ],
};
"""
WRAPPER = "ecosystem.skillgen.config.cjs"


@pytest.fixture
def pm2(
    bot: Path, home: Path, tmp_path: Path, node_tools: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Starting]:
    """Starts the host's ecosystem file, or a script, with a bot that ends with a status."""
    tools = node_tools.resolve() / "node_modules" / ".bin"
    folder, counted = tmp_path / "pm2", tmp_path / "starts"
    monkeypatch.setenv("PATH", f"{tools}:{os.environ['PATH']}")
    monkeypatch.setenv("PM2_HOME", str(folder))
    monkeypatch.setenv("PM2_DISABLE_VERSION_CHECK", "true")
    monkeypatch.setenv("BOT_STARTS", str(counted))
    (bot / "ecosystem.config.js").write_text(APPS)

    def start(*words: str, status: int = 0, life_ms: int = 200) -> Path:
        monkeypatch.setenv("BOT_STATUS", str(status))
        monkeypatch.setenv("BOT_LIFE_MS", str(life_ms))
        done = subprocess.run(
            [tools / "pm2", "start", *(words or ("ecosystem.config.js",))],
            cwd=bot,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=120,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        assert wait(PATIENCE, counted.exists)
        return counted

    yield start
    pid = int((folder / "pm2.pid").read_text()) if (folder / "pm2.pid").exists() else 0
    if pid:
        os.kill(pid, signal.SIGTERM)
        assert wait(PATIENCE, lambda: not Path(f"/proc/{pid}").exists())


def starts(counted: Path) -> int:
    return len(counted.read_text().splitlines())


def test_a_storm_is_seen_and_ends(skillgen: Skillgen, pm2: Starting, bot: Path) -> None:
    counted = pm2()
    assert wait(PATIENCE, lambda: starts(counted) >= 3)
    said = skillgen("--format", "json")
    assert said.code == 1, said
    service = said.service
    assert (service["name"], service["manager"]) == ("line", "pm2")
    assert service["path"] == str(bot / "ecosystem.config.js")
    assert service["policy"]["restart"] == "always"
    assert 3 <= service["started"]["hour"] <= starts(counted)
    [found] = service["findings"]
    assert (found["rule"], found["line"]) == ("pm2-autorestart", 4)
    applied = skillgen("--apply", "--restart")
    assert applied.code == 0 and "restarted: line" in applied.out, applied
    assert wait(
        PATIENCE, lambda: skillgen("--format", "json").service["state"] != "active (online)"
    )
    now = starts(counted)
    time.sleep(3)
    assert starts(counted) == now
    assert skillgen().code == 0
    assert "nothing to do" in skillgen("--apply").out
    assert (bot / "ecosystem.config.js").read_text() == APPS
    assert skillgen("--revert").code == 0
    assert not (bot / WRAPPER).exists()


def test_a_healthy_bot_goes_on_and_is_guarded_when_it_is_started_anew(
    skillgen: Skillgen, pm2: Starting, bot: Path, home: Path
) -> None:
    counted = pm2(life_ms=FOREVER)
    assert skillgen("--apply").code == 0
    said = skillgen("--apply", "--guard")
    assert said.code == 0, said
    command = f"cd {bot} && pm2 delete line && pm2 start {WRAPPER} --only line && pm2 save"
    assert command in said.out
    assert starts(counted) == 1
    # While it runs with its old settings, the next command is printed again.
    assert command in skillgen("--apply").out
    assert skillgen("--apply", "--restart").code == 0
    assert wait(PATIENCE, lambda: starts(counted) == 2)
    guard = home / ".local/share/skillgen/guard.cjs"
    assert counted.read_text().splitlines()[1].split()[1:] == [str(guard)]
    service = skillgen("--format", "json").service
    assert service["guarded"] is True and service["findings"] == []


def test_an_app_of_no_file_is_told_how(
    skillgen: Skillgen, pm2: Starting, bot: Path, tmp_path: Path
) -> None:
    """And the command that is told does it."""
    counted = pm2(str(bot / "dist/index.js"), "--name", "anything", status=0, life_ms=FOREVER)
    said = skillgen("--apply")
    assert said.code == 1 and not (bot / WRAPPER).exists(), said
    command = said.out.partition("with its settings: ")[2].strip()
    assert command.startswith("pm2 restart anything --stop-exit-codes 0")
    subprocess.run(
        ["/bin/sh", "-c", command], cwd=bot, check=True, capture_output=True, timeout=120
    )
    assert wait(PATIENCE, lambda: starts(counted) == 2)
    assert skillgen().code == 0


def test_where_no_daemon_runs_none_is_started(
    skillgen: Skillgen, home: Path, bot: Path, tmp_path: Path, tools: Callable[[str, str], Path]
) -> None:
    calls = tools("pm2", "exit 0")
    (home / ".pm2").mkdir()
    app = {"name": "line", "pm_exec_path": str(bot / "dist/index.js"), "pm_cwd": str(bot)}
    (home / ".pm2" / "dump.pm2").write_text(json.dumps([{**app, "exec_interpreter": "node"}]))
    service = skillgen("--format", "json").service
    assert (service["name"], service["state"]) == ("line", "not running; in the saved list")
    assert not calls.exists()
