"""What a guarded bot lives through: a revoked session, refusals of all kinds, their end."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.slow.baileys.harness import Server, wait
from tests.slow.guard.rig import Bot, bot

PATIENCE = 40.0
REACHED = ("es-module", "common-js-of-another-name")
"""Ways in which the guard reaches the exports of Baileys."""
RECOVERIES: dict[str, Sequence[str]] = {
    "refused": ("failure/503", "failure/503", "failure/503", "open"),
    "dropped": ("open-then/drop", "open-then/drop", "open"),
    "reset": ("reset", "reset", "open"),
    "restart": ("stream/515", "open"),
    "http": ("http/503", "open"),
}
STARTS = 3
STORM = 6


def until_online(bot: Bot) -> bool:
    with bot.running() as process:
        through = lambda: len(bot.dials) >= len(bot.script) and bot.seen[-1:] == ["open"]  # noqa: E731
        return wait(PATIENCE, through, lambda: process.poll() is not None) and through()


def three_starts(bot: Bot) -> list[int]:
    """How often it dialled in each of them; each lasts until it has heard of the end thrice."""
    dials = []
    for start in range(STARTS):
        heard, dialled = len(bot.seen), len(bot.dials)
        with bot.running() as process:
            ended = lambda: process.poll() is not None  # noqa: E731
            if "BOT_END" in bot.environment:
                wait(PATIENCE, ended)
            else:
                enough = STORM if bot.guard is None else 3
                wait(PATIENCE, ended, lambda: len(bot.seen) >= heard + enough)  # noqa: B023
        dials.append(len(bot.dials) - dialled)
        assert start < STARTS
    return dials


@pytest.fixture(scope="module")
def outcomes(tree: Path, server: Server) -> Iterator[dict[tuple[str, ...], tuple[Bot, object]]]:
    """Every run of this file, side by side."""
    runs: dict[tuple[str, ...], tuple[Bot, Future[object]]] = {}
    with ThreadPoolExecutor(10) as pool:

        def add(name: tuple[str, ...], made: Bot, run: object) -> None:
            runs[name] = (made, pool.submit(run, made))  # type: ignore[arg-type]

        for fault, script in RECOVERIES.items():
            for way in (*REACHED, "bundle-in-common-js"):
                add(("online", fault, way), bot(tree, server, way, script, True), until_online)
        for way in (*REACHED, "bundle-in-common-js"):
            made = bot(tree, server, way, ("open",), True)
            made.guard = tree / "real.cjs"
            add(("healthy", way), made, until_online)
        add(
            ("online", "http", "unguarded"),
            bot(tree, server, "es-module", ("http/503", "open")),
            lambda made: hangs(made),
        )
        for way in REACHED:
            for guard in (True, False):
                name = "guarded" if guard else "unguarded"
                made = bot(tree, server, way, ("failure/401",), guard)
                add(("revoked", way, name), made, three_starts)
            made = bot(tree, server, way, ("failure/401",), True, BOT_END="401")
            add(("ends", way), made, three_starts)
    yield {name: (made, future.result()) for name, (made, future) in runs.items()}


def hangs(bot: Bot) -> bool:
    """Whether the bot does not dial a second time."""
    with bot.running():
        wait(PATIENCE, lambda: len(bot.dials) > 0)
        return not wait(5, lambda: len(bot.dials) > 1)


Outcomes = dict[tuple[str, ...], tuple[Bot, object]]


@pytest.mark.parametrize("way", [*REACHED, "bundle-in-common-js"])
@pytest.mark.parametrize("fault", RECOVERIES)
def test_a_guarded_bot_comes_back(outcomes: Outcomes, fault: str, way: str) -> None:
    bot, is_online = outcomes["online", fault, way]
    assert is_online, (bot.seen, bot.log.read_text())
    assert len(bot.dials) == len(bot.script), "no attempt more than it takes"


@pytest.mark.parametrize("way", [*REACHED, "bundle-in-common-js"])
def test_a_healthy_bot_sees_nothing_of_the_guard(outcomes: Outcomes, way: str) -> None:
    bot, _ = outcomes["healthy", way]
    lines = bot.log.read_text().splitlines()
    said = [line for line in lines if "part of a bundle" not in line]
    assert said == ["open"], "it did not wait, so there is nothing to say"


def test_an_unguarded_bot_hangs_after_an_http_refusal(outcomes: Outcomes) -> None:
    _, is_dead = outcomes["online", "http", "unguarded"]
    assert is_dead


@pytest.mark.parametrize("way", REACHED)
def test_a_revoked_session_is_dialled_once_in_three_starts(outcomes: Outcomes, way: str) -> None:
    bot, dials = outcomes["revoked", way, "guarded"]
    assert dials == [1, 0, 0], bot.log.read_text()
    # The bot's own code sees the end each time.
    assert set(bot.seen) == {"401"} and len(bot.seen) >= 3 * STARTS
    storming, counts = outcomes["revoked", way, "unguarded"]
    assert isinstance(counts, list)
    assert min(counts) >= STORM, storming.log.read_text()


@pytest.mark.parametrize("way", REACHED)
def test_a_bot_that_ends_at_401_ends_at_each_start(outcomes: Outcomes, way: str) -> None:
    bot, dials = outcomes["ends", way]
    assert (dials, bot.seen) == ([1, 0, 0], ["401"] * STARTS)
