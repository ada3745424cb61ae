"""What this bot relies on; the module that is imported here says why."""

from __future__ import annotations

import asyncio
import threading
import time
from typing import Any

import pytest

from add.channel.python.bridge import BridgeLink, link_of


@pytest.fixture
def naps(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The waits, none of which takes any time."""
    waits: list[float] = []

    async def sleep(seconds: float) -> None:
        waits.append(seconds)

    monkeypatch.setattr(asyncio, "sleep", sleep)
    monkeypatch.setattr(time, "sleep", waits.append)
    return waits


class Slotted:
    __slots__ = ()


def its_turn(gate: Any) -> Any:
    """Its turn, for a thread or for asyncio: as this bot has it."""
    sync = getattr(gate, "turn_sync", None)
    wait = getattr(gate, "turn", None)
    return sync() if sync else wait and asyncio.run(wait())


def test_bridge_waits_longer_each_time(naps: list[float]) -> None:
    link = BridgeLink()
    for step in (0, 5, 10, 20, 40, 60, 60):
        naps.clear()
        assert its_turn(link)
        link.opened()  # which a clean close follows at once
        assert step - 1 <= sum(naps) <= step * 1.2 + 1


def test_bridge_delay_is_for_loops_with_a_wait_of_their_own(
    naps: list[float],
) -> None:
    link = BridgeLink()
    assert link.delay() == 0  # the first attempt
    for step in (5, 10, 20, 40, 60, 60):
        assert its_turn(link)
        assert step <= link.delay() <= step * 1.2
        assert step - 1 <= link.delay()  # the same wait, asked again
    naps.clear()
    link.stop()
    link.start()
    assert its_turn(link)  # at once
    assert naps == []


def test_an_app_tells_both(
    naps: list[float],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # So that any open lasts, and the next wait is short again.
    monkeypatch.setitem(BridgeLink.closed.__globals__, "BRIDGE_RESET", 0.0)
    link = BridgeLink()
    told: list[object] = []
    for handler in (link.on_open(told.append), link.on_open()):
        naps.clear()
        assert its_turn(link)
        handler("app")
        assert sum(naps) <= 7
    assert told == ["app"]


def test_bridge_logout_is_final(naps: list[float]) -> None:
    link = BridgeLink()
    link.logout()
    assert link.terminal
    assert its_turn(link) == 0
    assert naps == []


def test_stop_ends_a_wait_and_start_tries_at_once() -> None:
    async def stopped() -> None:
        link = BridgeLink()
        assert await link.turn()
        waiting = asyncio.ensure_future(link.turn())
        await asyncio.sleep(0.01)
        assert await link.turn() == 0  # a second loop does not wait as well
        link.stop()
        assert await waiting == 0
        assert await link.turn() == 0
        link.start()
        assert await link.turn()

    asyncio.run(asyncio.wait_for(stopped(), timeout=4))


def test_a_flag_that_falls_ends_the_wait() -> None:
    async def fallen() -> None:
        link = BridgeLink()
        assert await link.turn()
        flag = threading.Event()
        waiting = link.turn(going=lambda: not flag.is_set())
        asyncio.get_running_loop().call_later(0.01, flag.set)
        assert await waiting == 0

    asyncio.run(asyncio.wait_for(fallen(), timeout=4))


def test_stop_ends_the_wait_of_a_thread() -> None:
    link = BridgeLink()
    stop = threading.Event()
    granted: list[int] = []
    assert link.turn_sync(stop)
    waiting = threading.Thread(
        target=lambda: granted.append(link.turn_sync(stop)),
        daemon=True,
    )
    waiting.start()
    stop.set()
    waiting.join(timeout=4)
    assert granted == [0]


def test_each_channel_has_one_link() -> None:
    for channel in (type("Channel", (), {})(), Slotted()):
        assert link_of(channel) is link_of(channel)
        assert link_of(channel) is not link_of(Slotted())
