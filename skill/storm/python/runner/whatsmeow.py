"""whatsmeow inside neonize's Go half, as far as it dials WhatsApp.

Read in ``client.go`` and ``connectionevents.go`` of go.mau.fi/whatsmeow (August 2026) and in
neonize's ``goneonize/main.go``; neonize 0.5.2 is built with whatsmeow of September 2026:

- a first connection that cannot be made ends ``Neonize()`` with an error;
- a connection that drops dispatches Disconnected and is made again by ``autoReconnect``: after
  2 s x errors, where errors counts up with each try and is 0 again after a login. So the first
  wait is 0, and a link that opens and drops is dialled again at once, forever;
- 401, 403 and 406 dispatch LoggedOut and delete the device; a conflict dispatches
  StreamReplaced, 402 TemporaryBan, 405 ClientOutdated, other refusals ConnectFailure: none of
  these is followed by another attempt. 500 and 503 are dropped connections;
- 515 connects again at once, once;
- ``Neonize()`` goes on after all of these, until ``Stop()``, which knows clients by their name:
  of two with the same it stops the later one;
- only events that something was registered for before ``connect()`` reach Python, one after
  the other, on the thread that called ``Neonize()``;
- without a device a QR code is asked for: codes for 160 s, then the connection is closed.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Any

from .scheduler import Parking
from .world import Process, World

HANDSHAKE_TIMEOUT_S = 20.0
QR_LASTS_S = 160.0
LOGGED_OUT = (401, 403, 406)
# Connection attempts at 2 s x errors; see the module's docstring.
STEP_S = 2.0


class Client:
    """One whatsmeow client. deliver: called with an event's name on the Neonize() thread."""

    def __init__(self, world: World, name: str, deliver: Callable[[str], object]) -> None:
        self.world, self.name, self.deliver = world, name, deliver
        self.subscribed: frozenset[str] = frozenset()
        self.events: deque[str] = deque()
        self.errors = 0
        self.expected = False
        self.number = 0  # of the current socket; 0: none
        self.sockets = 0
        self.logged_in = False
        self.stopped = False
        self.process: Process | None = None
        self.waiting: Parking | None = None
        self.reconnecting: Parking | None = None

    # --- neonize's exported functions ---

    def neonize(self, subscribed: frozenset[str], on_qr: Callable[[bytes], object]) -> str:
        """Blocks until stop(): the error's text, or nothing."""
        self.subscribed, self.process = subscribed, self.world.living()
        self.stopped = False
        self.process.clients[self.name] = self
        unlinked = not self.world.linked
        error = self.connect()
        if error:
            self.world.session_over()
            return error
        if unlinked:
            on_qr(b"2@virtual")
        while not self.stopped:
            if self.events:
                self.deliver(self.events.popleft())
                continue
            self.waiting = self.world.scheduler.park()
            self.world.scheduler.wait(self.waiting, None)
        self.world.session_over()
        return ""

    def stop(self) -> None:
        client = self.world.living().clients.pop(self.name, None)
        if client is not None:
            client.disconnect()
            client.stopped = True
            client.rouse()

    def disconnect(self) -> None:
        self.expected = True
        self.drop()
        if self.reconnecting is not None:
            self.world.scheduler.wake(self.reconnecting)

    # --- the connection ---

    def dispatch(self, event: str) -> None:
        if event in self.subscribed:
            self.events.append(event)
            self.rouse()

    def rouse(self) -> None:
        if self.waiting is not None:
            self.world.scheduler.wake(self.waiting)

    def drop(self) -> None:
        if self.number and self.logged_in and self.process is not None:
            self.world.closed(self.process)
        self.number, self.logged_in = 0, False

    def connect(self) -> str:
        self.expected = False
        self.sockets += 1
        number = self.number = self.sockets
        scheduler, does = self.world.scheduler, self.world.dial()
        if does["kind"] == "throw":
            scheduler.sleep(does["after_s"])
            self.number = 0
            return "failed to dial whatsapp web websocket: connection refused"
        if does["kind"] == "silent":
            scheduler.sleep(HANDSHAKE_TIMEOUT_S)
            self.number = 0
            return "noise handshake failed: timed out waiting for handshake response"
        self.go(lambda: self.session(number, does))
        return ""

    def go(self, run: Callable[[], object]) -> None:
        scheduler = self.world.scheduler
        scheduler.spawn(self.world.living(), run, "goroutine", True)

    def session(self, number: int, does: dict[str, Any]) -> None:
        """What the server does with one socket."""
        sleep = self.world.scheduler.sleep
        if not self.world.linked:
            sleep(QR_LASTS_S)
            if self.number == number:
                self.disconnect()
            return
        sleep(does["after_s"])
        if self.number != number:
            return
        if does["kind"] == "open":
            self.errors = 0
            self.logged_in = True
            self.world.opened()
            self.dispatch("ConnectedEv")
            if does["close_after_s"] is None:
                return
            sleep(does["close_after_s"])
            if self.number != number:
                return
        self.close(does["code"], on_connect=does["kind"] != "open")

    def close(self, code: int | None, on_connect: bool) -> None:
        terminal = ""
        if code in LOGGED_OUT:
            terminal = "LoggedOutEv"
            self.world.linked = False
        elif code == 440:
            terminal = "StreamReplacedEv"
        elif code == 515:
            self.disconnect()
            self.connect()
            return
        elif on_connect and code == 402:
            terminal = "TemporaryBanEv"
        elif on_connect and code == 405:
            terminal = "ClientOutdatedEv"
        elif on_connect and code is not None and code not in (408, 428, 500, 503):
            terminal = "ConnectFailureEv"
        if terminal:
            self.expected = True
            self.dispatch(terminal)
            self.drop()
            return
        self.drop()
        self.dispatch("DisconnectedEv")
        self.reconnect()

    def reconnect(self) -> None:
        """autoReconnect(): this thread goes on until a dial succeeds, or an end is expected."""
        scheduler = self.world.scheduler
        while self.world.linked:
            delay = self.errors * STEP_S
            self.errors += 1
            self.reconnecting = scheduler.park()
            scheduler.wait(self.reconnecting, delay)
            self.reconnecting = None
            if self.expected:
                return
            if not self.connect() or self.expected:
                return
