"""The link to the bot's own bridge process; one for each channel::

    link = link_of(self)
    link.start()  # where the channel is started: undoes a stop()
    while self._running and await link.turn():  # 0: no further attempt
        ...  # connect, then link.opened(), then serve until it closes
    link.stop()  # where the channel is stopped: ends the wait

turn() is the wait, after a clean close too; turn_sync() is that for threads.
A loop with a wait of its own asks for its length instead, ``link.delay()``,
after each attempt. Once the bridge reports a logout, link.logout(why) makes
link.terminal true: no turn is granted, and link.reason says why.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from add.channel.python.gate import Gate
from add.channel.python.policy import (
    BRIDGE_CAP,
    BRIDGE_DELAY,
    BRIDGE_JITTER,
    BRIDGE_RESET,
    grown,
    spread,
)

_Handler = Callable[..., object]


class BridgeLink(Gate):
    """The link to a bridge, which keeps the limits for WhatsApp itself."""

    def __init__(self, logger: Any = None) -> None:
        super().__init__(logger)
        self.reason = ""
        self._level = 0
        self._due = 0.0
        self._state = "promised"
        self._since = self._now()  # its start; of an open, since when

    @property
    def terminal(self) -> bool:
        """True once no further attempt will be made."""
        return bool(self.reason)

    def opened(self) -> None:
        """Connected. Only an open that lasts makes the next wait short."""
        if self._state in ("promised", "running"):
            self._state = "open"
            self._since = self._now()

    def on_open(self, then: _Handler | None = None) -> _Handler:
        """For a WebSocketApp: opened(), then the bot's own on_open."""

        def opened(*arguments: object) -> object:
            self.opened()
            return then(*arguments) if then else None

        return opened

    def closed(self) -> None:
        """Not connected, or no longer. turn() and delay() imply it."""
        if self._state == "idle":
            return
        now = self._now()
        begun = min(self._since, now)
        if self._state == "open":
            if now - begun >= BRIDGE_RESET:
                self._level = 0
            begun = now
        self._level += 1
        step = grown(BRIDGE_DELAY, BRIDGE_CAP, self._level)
        wait = spread(step, BRIDGE_JITTER)
        self._due = max(now + BRIDGE_DELAY, begun + wait)
        self._state = "idle"

    def delay(self) -> float:
        """Seconds to wait after an attempt; the next needs no turn()."""
        self.closed()
        self._promise()
        return max(0.0, self._due - self._now())

    def logout(self, reason: str = "") -> None:
        """The bridge says that the account is no longer linked."""
        if self.reason:
            return
        self.reason = reason or "logged out"
        line = f"WhatsApp bridge: {self.reason}. No further attempt."
        advice = "Link the bot again with its WhatsApp setup."
        self._say("error", f"{line} {advice}")
        self._awake()

    def start(self) -> None:
        if self._stopped:
            self.reason = ""
            self._promise()
        super().start()

    def stop(self) -> None:
        # Whoever restarts a bot by hand expects it to try at once.
        at_once = self._state == "open" or self._now() < self._due
        if self._state in ("running", "open"):
            self.closed()
        if at_once:
            self._due = 0.0
        super().stop()

    def _promise(self) -> None:
        """The host goes on by itself once the wait is over."""
        self._state = "promised"
        self._since = max(self._now(), self._due)

    def _left(self) -> float | None:
        if self._stopped or self.reason:
            return None
        left = max(0.0, self._due - self._now())
        if left and not self._announced:
            self._announced = "link"
            seconds = math.ceil(left)
            self._say("info", f"WhatsApp bridge: next attempt in {seconds} s")
        return left

    def _grant(self) -> int:
        self._attempt += 1
        self._state = "running"
        self._since = self._now()
        return self._attempt


_LINKS: dict[int, tuple[object, BridgeLink]] = {}


def link_of(channel: object, logger: Any = None) -> BridgeLink:
    """The link of a channel, made when first asked for.

    Tests build channels without ``__init__``: so it is not made there.
    """
    link = getattr(channel, "_bridge_link", None)
    if isinstance(link, BridgeLink):
        return link
    if id(channel) in _LINKS:
        return _LINKS[id(channel)][1]
    link = BridgeLink(logger)
    try:
        # Past the __setattr__ of frozen and checked classes.
        object.__setattr__(channel, "_bridge_link", link)
    except (AttributeError, TypeError):
        # __slots__: kept here, and the channel too, so that its id stays.
        _LINKS[id(channel)] = (channel, link)
    return link
