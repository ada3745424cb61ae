"""The table of ``skill/storm/supervisor.py`` beside the real ones: the same bot, as often started.

The settings are read from the unit as ``skillgen simulate`` reads them. launchd needs macOS and
Compose a Docker daemon; ``tests/slow/storm/test_supervisor.py`` holds their rows to the manuals.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import pairwise, product
from pathlib import Path

import pytest

from skill.storm.supervisor import MANAGERS
from tests.slow.baileys.harness import wait
from tests.slow.supervisors import test_pm2, test_supervisord
from tests.slow.supervisors.played import End, Ending, ending, require_as_played
from tests.slow.supervisors.systemd import manager

PATIENCE = 60.0
CRASH: End = (0, 1)

PM2 = "module.exports = {{\n  apps: [{{ name: 'bot', script: 'dist/index.js', {} }}],\n}};\n"


@pytest.mark.parametrize(
    ("settings", "ends", "starts"),
    [
        ("min_uptime: 20000, max_restarts: 4", [CRASH] * 6, 4),
        ("restart_delay: 700", [(0, 0), (0, 75), (0, "SIGTERM")], 4),
        ("autorestart: false", [CRASH], 1),
        (
            "exp_backoff_restart_delay: 400, stop_exit_codes: [0]",
            [CRASH, CRASH, CRASH, (0, "SIGKILL")],
            4,
        ),
    ],
    ids=["unstable", "delay", "off", "backoff"],
)
def test_pm2_row(
    tmp_path: Path, node_tools: Path, settings: str, ends: list[End], starts: int
) -> None:
    bot = ending(tmp_path, {test_pm2.FILE: PM2.format(settings)}, ends)
    assert len(bot.expected) == starts
    with test_pm2.supervised(node_tools, bot) as pm2:  # type: ignore[arg-type]
        require_as_played(bot, kind="pm2", patience=PATIENCE, settled=3.0)
        if "backoff" in settings:
            said = [int(pause) for pause in re.findall(r"will restart in (\d+)ms", pm2.log)]
            gaps = [later - sooner for sooner, later in pairwise(bot.expected)]
            assert [round(gap * 1000) for gap in gaps] == said[: len(gaps)] == [400, 600, 900]


PROGRAM = "[program:bot]\ncommand=node dist/index.js\n"


@pytest.mark.parametrize(
    ("settings", "ends", "starts"),
    [
        ("autorestart=true\nstartsecs=30\nstartretries=2\n", [CRASH] * 5, 3),
        (
            "autorestart=unexpected\nexitcodes=0,2\nstartsecs=0\n",
            [CRASH, (0, "SIGKILL"), (0, 2)],
            3,
        ),
        ("autorestart=false\nstartsecs=2\n", [CRASH, (4, 1)], 2),
    ],
    ids=["fatal", "unexpected", "off"],
)
def test_supervisord_row(tmp_path: Path, settings: str, ends: list[End], starts: int) -> None:
    bot = ending(tmp_path, {test_supervisord.FILE: PROGRAM + settings}, ends)
    assert len(bot.expected) == starts
    with test_supervisord.supervised(bot, test_supervisord.FILE):  # type: ignore[arg-type]
        require_as_played(bot, kind="supervisord", patience=PATIENCE, settled=5.0)


@contextmanager
def looping(bot: Ending) -> Iterator[None]:
    process = subprocess.Popen(
        ["/bin/sh", "run.sh"],
        cwd=bot.folder,
        env={"PATH": os.environ["PATH"], **bot.environment},
        start_new_session=True,
    )
    try:
        yield
    finally:
        os.killpg(process.pid, 9)
        process.wait()


@pytest.mark.parametrize(
    ("loop", "starts"),
    [
        ("while true; do\n  node dist/index.js\n  sleep 1\ndone\n", 4),
        ("until node dist/index.js; do\n  sleep 1\ndone\n", 3),
    ],
    ids=["always", "until it succeeds"],
)
def test_shell_row(tmp_path: Path, loop: str, starts: int) -> None:
    bot = ending(tmp_path, {"run.sh": f"#!/bin/sh\n{loop}"}, [CRASH, (0, "SIGKILL"), (0, 0)])
    assert len(bot.expected) == starts
    with looping(bot):
        require_as_played(bot, kind="shell", patience=PATIENCE, settled=3.0)


UNIT = """[Unit]
Description=Bot
{limit}

[Service]
ExecStart={node} {folder}/dist/index.js
RestartSec=200ms
{service}
"""
LIMIT = "StartLimitIntervalSec=60\nStartLimitBurst=3"


def units() -> Iterator[tuple[str, str, list[End]]]:
    """Limit, settings and ends of each unit: every word with every end, then codes and a limit."""
    for word, end in product(MANAGERS["systemd"].restarts, (0, 3, "SIGTERM", "SIGKILL")):
        yield "", f"Restart={word}", [(0, end)]
    both = "RestartPreventExitStatus=3\nRestartForceExitStatus=3 75"
    for word, code in product(("no", "always"), (3, 75)):
        yield "", f"Restart={word}\n{both}", [(0, code)]
    yield LIMIT, "Restart=on-failure", [CRASH] * 6


@pytest.mark.system
def test_systemd_row(tmp_path: Path) -> None:
    node = shutil.which("node")
    bots: dict[str, Ending] = {}
    with manager(tmp_path / "home") as systemd:
        for number, (limit, service, ends) in enumerate(units()):
            name = f"bot-{number}.service"
            folder = tmp_path / str(number)
            text = UNIT.format(limit=limit, service=service, node=node, folder=folder / "bot")
            bots[name] = bot = ending(folder, {"bot.service": text}, ends)
            lines = [f"Environment='{key}={value}'" for key, value in bot.environment.items()]
            place = systemd.home / ".config" / "systemd" / "user"
            (place / name).write_text(text)
            systemd.drop_in(name, "\n".join(["[Service]", *lines, ""]))
        systemd.systemctl("daemon-reload")
        systemd.systemctl("start", "--no-block", *bots)
        wait(PATIENCE, lambda: all(len(bot.starts) >= len(bot.expected) for bot in bots.values()))
        for number, bot in enumerate(bots.values()):
            settled = 2.0 if number == 0 else 0.0  # they have all had the same time
            require_as_played(bot, kind="systemd", patience=1.0, settled=settled)
        assert {len(bot.expected) for bot in bots.values()} == {1, 2, 3}
