"""The gate of a bot that connects to WhatsApp itself; one for each account::

    reconnect = Reconnect("store/auth")
    attempt = await reconnect.turn()  # first of all; 0: no further attempt
    reconnect.opened(attempt)
    reconnect.qr(attempt)  # False: do not show it, end the client
    reconnect.closed(408, attempt)  # False: an old attempt, do nothing

What other processes do with the same credentials counts, too.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

from add.channel.python.account import Account, later
from add.channel.python.policy import DEADLINES, UNLINKED


class Reconnect(Account):
    """When a bot that connects to WhatsApp itself may do so.

    identity names the linked device, "" if there is none; the default reads
    creds.json. hung is called when an attempt brings nothing in time: it ends
    the client and, where no loop does, connects again. pairing is False where
    this process cannot pair.
    """

    def __init__(
        self,
        credentials: str | os.PathLike[str],
        *,
        identity: Callable[[], str] | None = None,
        hung: Callable[[], object] | None = None,
        pairing: bool = True,
        logger: Any = None,
    ) -> None:
        super().__init__(credentials, logger)
        self._identity = identity or self._creds
        self._hung = hung
        self._pairing = pairing
        self._asked = False

    def qr(self, attempt: int | None = None) -> bool:
        """A code to pair with is asked for. False: it must not be shown."""
        with self._lock:
            if not self._live(attempt):
                return False
            self._asked = True
            self._cancel()
            is_linked = self._memory.identity != UNLINKED
            if self._pairing and not is_linked:
                return True
            self._drop()
            self._stop_for("qr" if is_linked else UNLINKED)
            return False

    def _grant(self) -> int:
        with self._lock:
            self._asked = False
            number = super()._grant()
            if self._hung is not None:
                # A refusal at the HTTP upgrade is no event: OpenWA 1579.
                hits = min(self._memory.hits, len(DEADLINES) - 1)
                limit = DEADLINES[hits]
                self._timer = later(limit, lambda: self._expired(number))
            return number

    def _expired(self, attempt: int) -> None:
        if self.closed("deadline", attempt) and self._hung is not None:
            self._hung()

    def _verdict_on(self, code: str) -> str:
        is_new = self._memory.identity == UNLINKED
        if code == "408" and self._asked and is_new:
            return "unpaired"
        return super()._verdict_on(code)

    def _device(self) -> str:
        return self._identity()

    def _creds(self) -> str:
        file = Path(self._credentials) / "creds.json"
        creds = json.loads(file.read_text(encoding="utf-8"))
        me = (creds.get("me") or {}).get("id")
        # Without an account, pairing has not come to its end.
        if not me or creds.get("account") is None:
            return ""
        key = (creds.get("noiseKey") or {}).get("public")
        device = [key, creds.get("registrationId"), me]
        return json.dumps(device, separators=(",", ":"), ensure_ascii=False)
