"""Bots that no manager keeps: a loop of a shell, a process that somebody has started."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from skill.service.wrapper import processes
from tests.slow.baileys.harness import wait
from tests.slow.service.rig import FOREVER, Said

Skillgen = Callable[..., Said]
PATIENCE = 30.0
LOOP = "#!/bin/bash\ncd {bot}\nwhile true; do\n  node dist/index.js\n  sleep {pause}\ndone\n"
Starting = Callable[..., subprocess.Popen[bytes]]


@pytest.fixture
def start(bot: Path, home: Path, tmp_path: Path) -> Iterator[Starting]:
    """Starts a program in the bot's folder; all that it starts ends with the test."""
    running: list[subprocess.Popen[bytes]] = []
    counted = tmp_path / "starts"

    def program(*words: str | Path, life_ms: int = FOREVER) -> subprocess.Popen[bytes]:
        environment = {
            "PATH": os.environ["PATH"],
            "BOT_STARTS": str(counted),
            "BOT_STATUS": "0",
            "BOT_LIFE_MS": str(life_ms),
        }
        process = subprocess.Popen(
            [str(word) for word in words], cwd=bot, env=environment, start_new_session=True
        )
        running.append(process)
        assert wait(PATIENCE, counted.exists)
        return process

    yield program
    for process in running:
        os.killpg(process.pid, 9)
        process.wait(30)


@pytest.mark.parametrize("place", ["here", "elsewhere"])
@pytest.mark.parametrize("life_ms", [FOREVER, 0], ids=["while it runs", "while it waits"])
def test_a_loop_around_the_bot(
    skillgen: Skillgen, start: Starting, bot: Path, tmp_path: Path, place: str, life_ms: int
) -> None:
    script = (bot if place == "here" else tmp_path) / "start.sh"
    script.write_text(LOOP.format(bot=bot, pause=600))
    start("/bin/bash", script, life_ms=life_ms)
    if not life_ms:
        assert wait(PATIENCE, lambda: not runs(bot))
    said = skillgen("--format", "json")
    assert said.code == 1, said
    service = said.service
    assert (service["name"], service["path"]) == ("start.sh", str(script))
    [found] = service["findings"]
    assert (found["rule"], found["path"], found["line"]) == (
        "wrapper-restart-always",
        str(script),
        3,
    )
    before = script.read_bytes()
    applied = skillgen("--apply")
    assert applied.code == 1 and script.read_bytes() == before
    hint = "skillgen apply mends it" if place == "here" else "mend it by hand"
    assert hint in applied.out


def runs(bot: Path) -> bool:
    """Whether Node runs there."""
    return any(each.folder == str(bot) and "node" in each.words[0] for each in processes().values())


def test_a_process_that_somebody_has_started(
    skillgen: Skillgen, start: Starting, bot: Path
) -> None:
    process = start("node", "dist/index.js")
    (bot / "bot.pid").write_text(f"{process.pid}\n")
    service = skillgen("--format", "json").service
    assert service["name"] == f"process {process.pid}"
    assert "its process id is kept in bot.pid" in service["notes"]
    assert "--add-service" in service["obstacles"][0]


def test_a_process_of_another_bot_is_no_matter(
    skillgen: Skillgen, start: Starting, bot: Path, tmp_path: Path
) -> None:
    other = tmp_path / "other" / "dist" / "index.js"
    other.parent.mkdir(parents=True)
    other.write_bytes((bot / "dist/index.js").read_bytes())
    start("/bin/sh", "-c", f"cd {other.parent.parent} && exec node dist/index.js")
    assert skillgen("--format", "json").code in (0, 2)


def test_processes_whose_words_are_no_paths_are_no_matter(
    skillgen: Skillgen, start: Starting, bot: Path, tmp_path: Path
) -> None:
    """A shell's whole script as one word, longer than any path; a link that leads to itself."""
    loop = tmp_path / "loop"
    loop.symlink_to(loop)
    script = "; node dist/index.js; exit # " + 100_000 * "a"
    for words in ((f"true{script}",), (f"/{script}",), ("node dist/index.js; exit", loop)):
        start("/bin/bash", "-c", *words)
    services = skillgen("--format", "json").row["services"]
    assert [each["kind"] for each in services] == 3 * ["process"]
