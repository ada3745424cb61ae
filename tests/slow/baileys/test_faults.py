"""Each fault, by the real Baileys: patched hosts keep to the policy and come back, others don't."""

from __future__ import annotations

import dataclasses
import itertools
import subprocess
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import pytest

from skill.policy import Kind, Policy
from tests.slow.baileys.harness import (
    BAILEYS,
    QUICK_DEADLINE,
    SHORT,
    Bot,
    Program,
    Server,
    serving,
    wait,
)

HOSTS = ("v1-class", "v2-factory")
Recorder = Callable[[str, object], None]
PATIENCE = 60.0
"""Seconds that a patched bot may take: many times what it needs."""
STARTS = 3
"""So often a supervisor starts a bot again."""
GIVEN_UP = 4.0
"""Seconds without a second attempt after which an unpatched bot counts as dead."""
ENDLESS = 40
"""More attempts than an unpatched bot is given the time for."""
STORM = 6
"""So many attempts of a bot whose session is over are enough to see."""


@dataclass(frozen=True)
class Fault:
    """A step of server.mjs, what Baileys makes of it, and how often it meets a patched bot."""

    step: str
    code: str
    times: int = 4
    policy: Policy = SHORT
    timeout_ms: int | None = None

    @property
    def kind(self) -> Kind:
        return self.policy.kind(self.code)

    def __str__(self) -> str:
        return self.step.replace("/", "-")


RETRIED = (
    Fault("failure/405", "405", 3),
    Fault("failure/500", "500"),
    Fault("failure/503", "503"),
    Fault("stream/515", "515", 6),
    Fault("conflict/replaced", "440", 3),
    Fault("open-then/conflict/replaced", "440", 3),
    Fault("open-then/drop", "428"),
    Fault("drop", "428"),
    Fault("reset", "408"),
    Fault("garbage", "closed"),
    Fault("silent", "408", timeout_ms=500),
    *(Fault(f"http/{code}", "deadline", 2, QUICK_DEADLINE) for code in (401, 403, 429, 503)),
    Fault("http/503/held", "deadline", 2, QUICK_DEADLINE),
)
FINAL = (
    Fault("failure/401", "401"),
    Fault("failure/403", "403"),
    Fault("open-then/conflict/device_removed", "401"),
)


@pytest.fixture(scope="session")
def server(node_tools: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with serving(node_tools, tmp_path_factory.mktemp("server")) as server:
        yield server


@pytest.fixture(scope="session", params=itertools.product(HOSTS, BAILEYS), ids="-".join)
def program(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, node_tools: Path
) -> Program:
    fixture, version = request.param
    return Program(fixture, version, tmp_path_factory.mktemp(fixture), node_tools, is_quick=True)


def waits(policy: Policy, kind: Kind) -> Iterator[float]:
    """The least seconds from one attempt to the next while they all end in this kind."""
    restarts = policy.restarts if kind == "restart" else 0
    yield from [0.0] * restarts
    backoff = policy.hold if kind in ("blocked", "replaced") else policy.transient
    yield from map(backoff.step, itertools.count(1))


def allowed(policy: Policy, kind: Kind, seconds: float) -> int:
    """How many attempts may have been made after so many seconds."""
    times = itertools.accumulate(waits(policy, kind), initial=0.0)
    return sum(1 for _ in itertools.takewhile(lambda at: at <= seconds, times))


@dataclass(frozen=True)
class Life:
    """What became of a bot; span: seconds from its beginning to its last attempt, at least."""

    attempts: int
    span: float
    online: bool
    exits: tuple[int | None, ...]

    def storms(self, fault: Fault) -> bool:
        return self.attempts > allowed(fault.policy, fault.kind, self.span)

    @property
    def is_dead(self) -> bool:
        """It dialled, and then never again."""
        return self.attempts == 1 and not self.online


def survive(bot: Bot, program: Path, fault: Fault, patience: float) -> Life:
    """A bot meets a fault until it is back, gone, has broken the policy, or does not stir."""

    def life() -> Life:
        attempts = bot.attempts
        # By the server's clock. The margin: timers of Node may be some ms early.
        span = attempts[-1] - bot.began + 0.02 if attempts else 0.0
        return Life(len(attempts), round(span, 3), bot.online, (process.poll(),))

    def settled() -> bool:
        seen = life()
        still = bool(seen.attempts) and time.time() - bot.attempts[-1] > patience
        return seen.online or seen.exits != (None,) or seen.storms(fault) or still

    with bot.running(program) as process:
        wait(PATIENCE, settled)
        if process.poll() is not None:
            wait(2, lambda: bool(bot.attempts))  # the server's word of it may be on its way
        return life()


def resign(bot: Bot, program: Path, patience: float) -> Life:
    """A bot whose session is over is started again and again, as a supervisor would."""
    exits: list[int | None] = []
    for _start in range(STARTS):
        with bot.running(program) as process:
            wait(patience, partial(over, bot, process))
            exits.append(process.poll())
    return Life(len(bot.attempts), 0.0, False, tuple(exits))


def over(bot: Bot, process: subprocess.Popen[bytes]) -> bool:
    return process.poll() is not None or len(bot.attempts) > STORM


@pytest.mark.parametrize("fault", RETRIED, ids=str)
def test_a_fault_that_passes(
    program: Program, fault: Fault, server: Server, tmp_path: Path, record_property: Recorder
) -> None:
    def bot(name: str, *script: str) -> Bot:
        return program.bot(tmp_path / name, server, script, timeout_ms=fault.timeout_ms)

    patched = bot("patched", *[fault.step] * fault.times, "open")
    unpatched = bot("unpatched", *[fault.step] * ENDLESS, "open")
    hard = program.with_policy(fault.policy)
    with ThreadPoolExecutor() as pool:
        good = pool.submit(survive, patched, hard, fault, PATIENCE)
        bad = pool.submit(survive, unpatched, program.unpatched, fault, GIVEN_UP)
    record_property("patched", str(good.result()))
    record_property("unpatched", str(bad.result()))
    assert good.result().online, patched.said
    assert good.result().attempts > fault.times
    assert not good.result().storms(fault), patched.said
    assert bad.result().storms(fault) or bad.result().is_dead, unpatched.said
    assert not bad.result().online


@pytest.mark.parametrize("fault", FINAL, ids=str)
def test_a_session_that_is_over(
    program: Program, fault: Fault, server: Server, tmp_path: Path, record_property: Recorder
) -> None:
    patched = program.bot(tmp_path / "patched", server, [fault.step])
    unpatched = program.bot(tmp_path / "unpatched", server, [fault.step])
    hard = program.with_policy(fault.policy)
    with ThreadPoolExecutor() as pool:
        good = pool.submit(resign, patched, hard, PATIENCE)
        bad = pool.submit(resign, unpatched, program.unpatched, 2 * GIVEN_UP)
    record_property("patched", str(good.result()))
    record_property("unpatched", str(bad.result()))
    assert good.result() == Life(1, 0.0, False, (0,) * STARTS), patched.said
    assert bad.result().attempts > 1, unpatched.said


def crash(bot: Bot, program: Path) -> int:
    """Started again and again, killed while it dials or waits; the attempts it made."""
    spent = "budget; held"
    for _start in range(STARTS):
        with bot.running(program) as process:
            made, told = len(bot.attempts), bot.said.count(spent)
            dials = partial(grown, bot, made, told, spent)
            assert wait(PATIENCE, dials), bot.said
            assert process.poll() is None, bot.said
    return len(bot.attempts)


def grown(bot: Bot, made: int, told: int, line: str) -> bool:
    return len(bot.attempts) > made or bot.said.count(line) > told


def test_a_bug_that_kills_the_bot_again_and_again(
    program: Program, server: Server, tmp_path: Path, record_property: Recorder
) -> None:
    """The budget holds across processes that had no chance to say goodbye."""
    policy = dataclasses.replace(SHORT, budget=STARTS - 1)
    patched = program.bot(tmp_path / "patched", server, ["silent"])
    unpatched = program.bot(tmp_path / "unpatched", server, ["silent"])
    hard = program.with_policy(policy)
    with ThreadPoolExecutor() as pool:
        good = pool.submit(crash, patched, hard)
        bad = pool.submit(crash, unpatched, program.unpatched)
    record_property("patched", str(good.result()))
    record_property("unpatched", str(bad.result()))
    assert good.result() == policy.budget
    assert bad.result() == STARTS
