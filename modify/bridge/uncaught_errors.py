"""An ``except`` that lets a lost connection out of the loop, and so ends the link.

``websockets`` raises ConnectionClosed, websocket-client WebSocketException for a connection that
is lost: neither is an OSError, so ``except OSError`` sees a bridge that refuses, and not one that
goes down. Source: websockets 15, ``websockets/exceptions.py``; websocket-client 1.9.2,
``websocket/_exceptions.py``.

Reported, not fixed: to catch everything would also catch what a host raises in order to leave the
loop, and to name the library's own errors in it would fail where a host's tests put a stub with
nothing but ``connect`` in the library's place.
"""

from __future__ import annotations

import re

import libcst as cst

from modify.bridge.link import LinkLoop
from modify.kit.python.source import all_of

NETWORK = re.compile(r"\b(?:OSError|IOError|Connection\w*Error|TimeoutError|gaierror|error)\b")
ENOUGH = re.compile(
    r"\bException\b|\bBaseException\b|ConnectionClosed|WebSocket\w*(?:Exception|Error)|\bwebsockets?\."
)
RAISES = re.compile(r"(?:^|\.)(?:connect|create_connection)$")


def escape(link: LinkLoop) -> cst.ExceptHandler | None:
    """The handler that is meant for a lost connection, and does not catch one."""
    source = link.source
    if link.app is not None or not RAISES.search(source.module.code_for_node(link.dial.func)):
        return None
    tries = [
        found for found in all_of(link.loop, cst.Try) if source.is_within(link.dial, found.body)
    ]
    if link.holder is not link.function:
        tries = [*all_of(link.loop, cst.Try), *all_of(link.holder, cst.Try)]
    handlers = [handler for found in tries for handler in found.handlers]
    caught = [
        source.module.code_for_node(handler.type) if handler.type is not None else "Exception"
        for handler in handlers
    ]
    if any(ENOUGH.search(text) for text in caught):
        return None
    meant = (h for h, text in zip(handlers, caught, strict=True) if NETWORK.search(text))
    return next(meant, None)
