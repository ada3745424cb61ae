"""Random lives of Python bots, crashes and restarts included, against the policy's promises."""

from __future__ import annotations

import asyncio
import itertools
import os
import tempfile
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import Any
from unittest import mock

from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from skill.policy import BRIDGE, POLICY
from tests.quick.policy.virtual_python import Bot, Clock, module

LIVES = int(os.environ.get("SKILLGEN_RANDOM_PYTHON_LIVES", "80"))
CODES = [400, 401, 402, 403, 405, 408, 428, 429, 440, 500, 503, 515, "closed", "logout", "odd"]
WAITS = [0.0, 1.0, 5.0, 20.0, 70.0, 310.0, 4000.0]
LONGEST = max(POLICY.hold.cap, POLICY.down_delay, POLICY.budget_window) * (1 + POLICY.hold.jitter)
"""Seconds; the longest wait there is, but for a ban that names its end."""
SETTINGS = settings(
    max_examples=LIVES,
    stateful_step_count=40,
    deadline=None,
    phases=(Phase.explicit, Phase.generate),  # shrinking takes minutes
    derandomize="SKILLGEN_RANDOM_PYTHON_LIVES" not in os.environ,
    suppress_health_check=list(HealthCheck),
)


def sleeps(loop: asyncio.AbstractEventLoop) -> int:
    """How many waits are under way."""
    coroutines: list[Any] = [task.get_coro() for task in asyncio.all_tasks(loop)]
    return sum(coroutine.__name__ == "sleep" for coroutine in coroutines)


class Life(RuleBasedStateMachine):
    """A bot that dials WhatsApp itself."""

    @initialize(pairing=st.booleans(), linked=st.booleans(), folder=st.booleans())
    def begin(self, pairing: bool, linked: bool, folder: bool) -> None:
        self.root = Path(tempfile.mkdtemp(prefix="skillgen-life-"))
        # Without a folder there is no memory: then no restarts, whose count is not kept.
        self.lasting = folder
        self.bot = Bot(self.root / "host", {"pairing": pairing, "noFolder": not folder})
        if linked and folder:
            self.bot.link("one")
        self.patches = ExitStack()
        self.patches.enter_context(self.bot.world())
        # Looks at the memory file while waiting; many, and none of them matters here.
        self.patches.enter_context(mock.patch.object(module, "RECHECK", 4_000.0))
        self.looped = False
        self.blur = 0.01
        self.reasons = 0  # for an attempt at once
        # Numbers of attempts: when a verdict was reached, and when the bot was linked anew.
        self.verdict_at: int | None = None
        self.relinked_at: int | None = None
        self.bot.inside(self.bot.start)

    def teardown(self) -> None:
        if hasattr(self, "patches"):
            self.patches.close()
            self.bot.dispose()
            self.root.rmdir()

    def ended(self) -> None:
        """After anything that is no new start: a verdict stands."""
        if self.verdict_at is not None and self.relinked_at != self.verdict_at:
            assert len(self.bot.grants) == self.verdict_at, "an attempt after the verdict"
        self.verdict_at = len(self.bot.grants) if self.bot.reconnect.terminal else None

    @rule()
    def open(self) -> None:
        self.bot.inside(lambda: self.bot.reconnect.opened(self.bot.sock))
        self.ended()

    @rule(code=st.sampled_from(CODES))
    def close(self, code: Any) -> None:
        self.reasons += code == 515
        self.bot.inside(lambda: self.bot.close(code, expire=1000.0))
        self.ended()

    @rule(ends=st.lists(st.tuples(st.booleans(), st.sampled_from(CODES)), min_size=1, max_size=6))
    def closes(self, ends: list[tuple[bool, Any]]) -> None:
        """What happens most of the time: attempts that fail, one after another."""
        for opens, code in ends:
            before = len(self.bot.grants)
            if opens:
                self.open()
            self.close(code)
            self.bot.advance(8_000, partial(self.more_than, before))
            self.bot.flush()
            self.ended()
            self.promises()

    def more_than(self, made: int) -> bool:
        return len(self.bot.grants) > made

    @rule()
    def qr(self) -> None:
        def shown() -> None:
            self.bot.reconnect.qr(self.bot.sock)
            self.bot.down |= self.bot.reconnect.terminal

        self.bot.inside(shown)
        self.ended()

    @rule(times=st.integers(1, 4))
    def fail(self, times: int) -> None:
        self.bot.failing = times

    @rule()
    def hang(self) -> None:
        self.bot.hanging = 1

    @rule(seconds=st.sampled_from(WAITS))
    def wait(self, seconds: float) -> None:
        self.bot.advance(seconds)
        self.ended()

    @rule()
    def day(self) -> None:
        self.bot.advance(86_400)
        self.verdict_at = None  # a probe may be due

    @rule()
    def again(self) -> None:
        if not self.bot.reconnect.terminal:
            self.bot.inside(self.bot.again)
        self.ended()

    @rule()
    def stop(self) -> None:
        self.reasons += 1  # the next start tries at once
        self.bot.inside(self.bot.reconnect.stop)
        self.bot.down = True
        self.verdict_at = None

    @rule()
    def start(self) -> None:
        self.bot.inside(self.bot.start)
        self.verdict_at = None

    @rule(back=st.integers(1, 3), code=st.sampled_from([401, 408, "open"]))
    def late(self, back: int, code: Any) -> None:
        """An event of an old attempt, long after its end: it changes nothing."""
        old = self.bot.sock - back
        if old > 0 and self.bot.reconnect._attempt > old:
            terminal = self.bot.reconnect.terminal
            if code == "open":
                self.bot.inside(lambda: self.bot.reconnect.opened(old))
            else:
                self.bot.inside(lambda: self.bot.close(code, old))
            assert self.bot.reconnect.terminal == terminal, "a verdict from an old attempt"

    @precondition(lambda self: self.lasting)
    @rule()
    def restart(self) -> None:
        made = len(self.bot.grants)
        stands = self.relinked_at != made and self.verdict_stands()
        self.bot.boot()
        self.bot.inside(self.bot.start)
        if stands:
            self.bot.advance(8_000)
            assert len(self.bot.grants) == made, "an attempt against the memory"
        self.verdict_at = None

    def verdict_stands(self) -> bool:
        """The memory holds a verdict, and it is too early for a probe."""
        memory = self.bot.read() if self.bot.file.exists() else {"verdict": None}
        verdict = memory["verdict"]
        if verdict is None or memory["code"] == "515":
            return False
        age = self.bot.clock.wall - float(verdict["at"]) / 1000
        return age < POLICY.probe_after - self.blur

    @precondition(lambda self: self.lasting)
    @rule(name=st.sampled_from(["one", "two", "three"]))
    def link(self, name: str) -> None:
        self.reasons += 1
        self.bot.link(name)
        self.relinked_at = len(self.bot.grants)

    @precondition(lambda self: self.lasting and not self.looped)
    @rule(times=st.integers(5, 25))
    def relink_in_a_loop(self, times: int) -> None:
        """Nothing but the budget holds this back. Once in a life: it is slow."""
        self.looped = True
        for number in range(times):
            self.reasons += 1
            self.bot.link(f"loop {number}")
            self.relinked_at = len(self.bot.grants)
            self.restart()
        self.relinked_at = len(self.bot.grants)

    @precondition(lambda self: self.lasting)
    @rule()
    def unlink(self) -> None:
        self.reasons += 1
        self.bot.unlink()
        self.relinked_at = len(self.bot.grants)

    @rule(by=st.integers(-60, 60))
    def jump(self, by: int) -> None:
        self.bot.clock.wall += by
        self.blur += abs(by)

    @invariant()
    def promises(self) -> None:
        if not hasattr(self, "bot"):
            return
        bot, grants = self.bot, self.bot.grants
        budget, window = POLICY.budget, POLICY.budget_window
        pairs = zip(grants, grants[budget:], strict=False)
        assert all(late - early >= window - self.blur for early, late in pairs), "21 in an hour"
        first = POLICY.transient.first - self.blur
        hasty = sum(late - early < first for early, late in itertools.pairwise(grants))
        assert hasty <= self.reasons, "an attempt without a wait"
        if bot.reconnect._waiting.locked():
            until, _code = bot.reconnect._bound()
            assert until - bot.reconnect._now() <= LONGEST + self.blur, "a wait beyond any"
        assert all(count <= 1 for count in bot.outcomes.values()), "two outcomes"
        assert bot.loop is not None
        assert sleeps(bot.loop) <= 1, "two waits"
        reconnect = bot.reconnect
        idle = reconnect._state == "idle" and not reconnect._waiting.locked()
        assert bot.down or reconnect.terminal or not idle, "dead without a verdict"
        assert not list(self.root.rglob("*.tmp")), "a temporary file stayed"


class BridgeLife(RuleBasedStateMachine):
    """A channel's loop around its own bridge: no two dials without the wait between."""

    def __init__(self) -> None:
        super().__init__()
        self.bot = Bot(Path("/nonexistent"), {"noFolder": True})
        self.clock: Clock = self.bot.clock
        self.patches = self.bot.world()
        self.patches.__enter__()
        self.link = module.BridgeLink()
        self.dials: list[float] = []
        self.peer: asyncio.Future[None] | None = None
        self.by_hand = 0
        self.running = False
        self.resume()

    def teardown(self) -> None:
        self.patches.__exit__(None, None, None)
        self.bot.end()

    async def serve(self) -> None:
        while self.running and await self.link.turn():
            self.dials.append(self.clock.mono)
            self.peer = asyncio.get_running_loop().create_future()
            await self.peer

    @rule()
    def resume(self) -> None:
        self.running = True
        self.link.start()
        self.bot.inside(lambda: self.bot.spawn(self.serve()))

    @rule()
    def second_loop(self) -> None:
        if self.link._waiting.locked():
            self.bot.inside(lambda: self.bot.spawn(self.serve()))

    @rule()
    def open(self) -> None:
        self.bot.inside(self.link.opened)

    @rule()
    def close(self) -> None:
        if self.peer is not None and not self.peer.done():
            self.peer.set_result(None)
        self.bot.flush()

    @rule(seconds=st.sampled_from(WAITS))
    def wait(self, seconds: float) -> None:
        self.bot.advance(seconds)

    @rule()
    def stop(self) -> None:
        self.running = False
        self.by_hand = len(self.dials)
        self.bot.inside(self.link.stop)
        self.close()

    @rule()
    def cancel(self) -> None:
        assert self.bot.loop is not None
        for task in asyncio.all_tasks(self.bot.loop):
            task.cancel()
        self.bot.flush()
        self.running = False

    @invariant()
    def promises(self) -> None:
        assert self.bot.loop is not None
        assert sleeps(self.bot.loop) <= 1, "two waits"
        gaps = zip(self.dials, self.dials[1:], strict=False)
        first = BRIDGE.backoff.first - 0.001
        short = [late for early, late in gaps if late - early < first]
        assert len(short) <= self.by_hand, "dialled without a wait"
        tasks = [task for task in asyncio.all_tasks(self.bot.loop) if not task.done()]
        assert tasks or not self.running or self.link.terminal, "dead"


TestLife = Life.TestCase
TestLife.settings = SETTINGS
TestBridgeLife = BridgeLife.TestCase
TestBridgeLife.settings = SETTINGS


def test_the_limits_that_the_lives_rely_on() -> None:
    assert BRIDGE.backoff.first == module.BRIDGE_DELAY
    assert POLICY.budget == module.BUDGET
