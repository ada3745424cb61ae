"""Here that is the link to the bot's own bridge process, which keeps the
limits for WhatsApp itself. A clean close waits like any other, and only an
open that lasts makes the next wait short.
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


class BridgeLink(Gate):
    """The gate of one bridge; the end of an attempt is seen by the next."""

    def __init__(self, logger: Any = None) -> None:
        super().__init__(logger)
        # True once no further attempt will be made.
        self.terminal = False
        self._level = 0  # ends in a row
        self._due = 0.0  # when the next attempt may start

    def opened(self) -> None:
        """Connected."""
        if self._state == "running":
            self._state = "open"
            self._since = self._now()

    def on_open(
        self,
        then: Callable[..., object] | None = None,
    ) -> Callable[..., object]:
        """For a WebSocketApp: opened(), then the bot's own on_open."""

        def opened(*arguments: object) -> object:
            self.opened()
            return then(*arguments) if then else None

        return opened

    def closed(self) -> None:
        """Not connected, or no longer."""
        if self._state == "idle":
            return
        now = self._now()
        if self._state == "open":
            if now - self._since >= BRIDGE_RESET:
                self._level = 0
            self._since = now
        self._state = "idle"
        self._level += 1
        step = grown(BRIDGE_DELAY, BRIDGE_CAP, self._level)
        wait = spread(step, BRIDGE_JITTER)
        self._due = max(now + BRIDGE_DELAY, self._since + wait)

    def delay(self) -> float:
        """Seconds until the next turn, for a loop with a wait of its own."""
        self.closed()
        return max(0.0, self._due - self._now())

    def logout(self) -> None:
        """The bridge says that the account is no longer linked."""
        if not self.terminal:
            self.terminal = True
            line = "WhatsApp bridge: logged out. No further attempt."
            advice = "Link the bot again with its WhatsApp setup."
            self._say("error", f"{line} {advice}")
            self._awake()

    def start(self) -> None:
        """After a stop(): attempts are allowed again."""
        if self._stopped:
            self._stopped = self.terminal = False

    def stop(self) -> None:
        """No attempt until start(); a wait ends now. From any thread."""
        # Whoever restarts a bot by hand expects it to try at once.
        at_once = self._state != "running"
        self.closed()
        if at_once:
            self._due = 0.0
        self._stopped = True
        self._awake()

    def _left(self) -> float | None:
        if self._stopped or self.terminal:
            return None
        left = max(0.0, self._due - self._now())
        if left and not self._announced:
            self._announced = "link"
            seconds = math.ceil(left)
            self._say("info", f"WhatsApp bridge: next attempt in {seconds} s")
        return left


_SLOTTED: dict[int, dict[str, Any]] = {}


def link_of(channel: object, logger: Any = None) -> BridgeLink:
    """The link of a channel, made when first asked for.

    Tests build channels without ``__init__``: so it is not made there.
    """
    # Past the __setattr__ of frozen and checked classes.
    kept = getattr(channel, "__dict__", None)
    if kept is None:
        # __slots__: kept here, and the channel too, so that its id stays.
        kept = _SLOTTED.setdefault(id(channel), {"channel": channel})
    link: BridgeLink = kept.setdefault("_bridge_link", BridgeLink(logger))
    return link
