"""websocket-client: ``create_connection()``, and ``WebSocketApp`` with its ``run_forever()``.

As websocket-client 1.9.2 does it (``websocket/_app.py``): nothing is raised for a lost or refused
connection; ``on_error`` hears of it, then ``on_close``, and run_forever() comes back, True after
an error and False after a clean close. With ``reconnect=`` it sleeps that long and dials again,
until close() was called; on_close is called then only. A handshake that is never answered is
waited for without an end unless ``websocket.setdefaulttimeout()`` says otherwise.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from . import bridge

TIMEOUT: list[float | None] = [None]
CLOSE_FRAME = 1000


def set_default_timeout(seconds: float | None) -> None:
    TIMEOUT[0] = seconds


class WebSocketApp:
    def __init__(
        self,
        url: Any = "",
        header: Any = None,
        on_open: Callable[..., object] | None = None,
        on_reconnect: Callable[..., object] | None = None,
        on_message: Callable[..., object] | None = None,
        on_error: Callable[..., object] | None = None,
        on_close: Callable[..., object] | None = None,
        **_: Any,
    ) -> None:
        self.url, self.header = url, header
        self.on_open, self.on_reconnect = on_open, on_reconnect
        self.on_message, self.on_error, self.on_close = on_message, on_error, on_close
        self.sock: bridge.SyncLink | None = None
        self.keep_running = False

    def run_forever(self, *_: Any, reconnect: float | None = None, **__: Any) -> bool:
        if self.sock is not None:
            raise bridge.WebSocketException("socket is already opened")
        self.keep_running, errored, again = True, False, False
        while True:
            error = self.serve(again)
            errored = errored or (error is not None and not _is_frame(error))
            if error is not None and not reconnect:
                self.call(self.on_error, error)
            if not reconnect or not self.keep_running:
                break
            if error is not None and not again:
                self.call(self.on_error, error)
            bridge.WORLD.scheduler.sleep(reconnect)
            again = True
        self.keep_running = False
        self.call(self.on_close, CLOSE_FRAME if not errored else None, None)
        return errored

    def serve(self, again: bool) -> Exception | None:
        """One connection, from the dial to its end; what the library would call the error."""
        try:
            self.sock = bridge.dial_sync(self.url, open_timeout=TIMEOUT[0])
            opened = self.on_reconnect if again and self.on_reconnect else self.on_open
            self.call(opened)
            while self.keep_running:
                self.call(self.on_message, self.sock.recv())
        except Exception as error:
            return error if self.keep_running else None
        finally:
            if self.sock is not None:
                self.sock.close()
            self.sock = None
        return None

    def call(self, handler: Callable[..., object] | None, *arguments: Any) -> None:
        if handler is None:
            return
        try:
            handler(self, *arguments)
        except Exception as error:
            if self.on_error is not None and handler is not self.on_error:
                self.on_error(self, error)

    def send(self, *_: Any, **__: Any) -> None:
        if self.sock is None:
            raise bridge.ConnectionClosed()
        self.sock.send()

    send_text = send_bytes = send

    def close(self, **_: Any) -> None:
        self.keep_running = False
        if self.sock is not None:
            self.sock.close()


def _is_frame(error: Exception) -> bool:
    """A close that the peer announced is no error, whatever its code."""
    return isinstance(error, bridge.ConnectionClosedOK)


def websocket_client(module: Any) -> None:
    """The package ``websocket-client``, as it is imported."""
    TIMEOUT[0] = None
    module.WebSocketApp, module.setdefaulttimeout = WebSocketApp, set_default_timeout
    module.create_connection = bridge.dial_sync
    module.WebSocketException = bridge.WebSocketException
    module.WebSocketConnectionClosedException = bridge.ConnectionClosed
    module.WebSocketTimeoutException = TimeoutError
    module.WebSocket = bridge.SyncLink


MODULES = {"websocket": websocket_client}
