"""The first aid on a bot in a storm: the real Baileys, a session that is over (401), real systemd.

Dials are counted by the server that they reach.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.slow.baileys.harness import Server, serving, wait
from tests.slow.guard.rig import Bot, make_tree
from tests.slow.service.rig import Rig
from tests.slow.supervisors.systemd import manager

pytestmark = pytest.mark.system

PATIENCE = 60.0
STORM = 5
ENDS = "String(code) === BOT_END"
# What the bot's process ends with is its own affair: 0 as most do at 401, or 1 as some.
COMMANDS = {
    "ends with 0": "/usr/bin/env node {bot}/esm.mjs",
    "ends with 1": "/bin/sh -c 'node {bot}/esm.mjs; exit 1'",
}
UNIT = """\
[Unit]
StartLimitIntervalSec=0

[Service]
WorkingDirectory={bot}
ExecStart={command}
ExecStartPre=/bin/sh -c 'echo start >> {bot}/../starts'
Restart=always
RestartSec=300ms
Environment=WHATSAPP_URL={url}
Environment=WHATSAPP_ROOT={root}
"""


@pytest.fixture(scope="module")
def server(node_tools: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with serving(node_tools, tmp_path_factory.mktemp("server")) as running:
        yield running


@pytest.fixture(scope="module")
def tree(node_tools: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_tree(tmp_path_factory.mktemp("tree"), node_tools)


def host(tree: Path, folder: Path) -> Path:
    folder.mkdir()
    (folder / "esm.mjs").write_bytes((tree / "esm.mjs").read_bytes())
    # An end that is plainly for a session that is over, and not a restart of the bot's own.
    text = (tree / "odd.cjs").read_text()
    assert ENDS in text
    (folder / "odd.cjs").write_text(text.replace(ENDS, "code === 401"))
    (folder / "node_modules").symlink_to(tree / "node_modules")
    (folder / "package.json").write_text('{"name": "bot", "main": "esm.mjs"}')
    return folder


@pytest.mark.parametrize("way", COMMANDS)
def test_stop_apply_with_the_guard_start(
    tree: Path, server: Server, tmp_path: Path, way: str
) -> None:
    folder = host(tree, tmp_path / "bot")
    bot = Bot(tree, server, ("failure/401",), [], folder, name=tmp_path.name)
    counted = tmp_path / "starts"

    def starts() -> int:
        return len(counted.read_text().splitlines()) if counted.exists() else 0

    with manager(tmp_path / "home", journal=True) as systemd:
        rig = Rig(systemd, folder)
        command = COMMANDS[way].format(bot=folder)
        url = server.url(bot.name, bot.script)
        text = UNIT.format(bot=folder, command=command, url=url, root=server.root)
        (rig.units / "bot.service").write_text(text)
        systemd.systemctl("daemon-reload")
        systemd.systemctl("start", "bot.service")
        assert wait(PATIENCE, lambda: len(bot.dials) >= STORM), (len(bot.dials), starts())
        seen = rig.look()
        assert seen.code == 1 and seen.service["started"]["hour"] >= STORM - 1, seen
        systemd.systemctl("stop", "bot.service")
        said = rig.skillgen("--apply", "--guard")
        assert said.code == 0 and "systemctl --user start bot.service" in said.out, said
        dials, begun = len(bot.dials), starts()
        systemd.systemctl("start", "bot.service")
        # One dial, for nothing is known yet, and none after it, whatever starts the bot again.
        assert wait(PATIENCE, lambda: len(bot.dials) > dials)
        if way == "ends with 0":
            assert wait(PATIENCE, lambda: systemd.state("bot.service") == "inactive")
            time.sleep(2)
            assert starts() == begun + 1
        else:
            assert wait(PATIENCE, lambda: starts() >= begun + 3)
        assert len(bot.dials) == dials + 1
