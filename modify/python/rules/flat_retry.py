"""A closed connection that is dialled again at once, or after the same pause each time.

What it does
    In TypeScript and JavaScript: finds calls of the connect function in the close branch
    without a delay, with a constant one, or through a helper that is told ``1`` each time.
    In Python: finds a constant ``sleep`` or ``wait_for`` in the loop that dials a bridge
    (``websockets``, aiohttp's ``ws_connect``, websocket-client's ``create_connection`` or
    ``run_forever``, and its own ``run_forever(reconnect=5)``), and one right before a session's
    start function is called again; a loop around a neonize client's ``connect()``, and a handler
    of ``DisconnectedEv`` that connects again.

Why is this bad
    ``connect()`` resolves when the socket object exists, so a close comes back as an event
    within milliseconds and the loop runs free: 12,000 attempts an hour measured on
    NanoClaw v1, 680 with a helper that always starts at 5 s. Numbers are banned for less.
    A Python program with a flat 5 s dials a dead bridge 713 times an hour (nanobot-ai
    0.2.2). What dials beside whatsmeow, which dials a lost connection by itself, makes two
    clients of one session, and these throw each other out.

What is done
    ``reconnect.dial(…)`` takes the place of the old loop: 5 s, 10 s, 20 s … 5 minutes, and
    back to the start only after five minutes of an open connection. In Python
    ``link.turn()`` waits instead (5 s … 60 s: the bridge keeps the limits for WhatsApp); a
    wait that an event can end stays, and is told ``link.delay()``. ``reconnect=`` gives way to
    the loop around it. A line of the log that named the old wait names the real one, or none. A
    neonize session that makes a new client each time gets the whole policy:
    ``session.turn()`` before the client is made, and its handlers tell what they hear. A loop
    around ``connect()`` asks ``next_turn()`` each time round, its own pause stays; in a handler
    the line that connects goes.

When it hands off
    When the close branch does not lead back to the connect function in a way that can be
    followed; then the gate alone holds the bound. A pause that already grows, and that nothing
    sets back early, is left. In Python also when ``run_forever(reconnect=…)`` would tell the
    host other things than a loop does: with an ``on_reconnect``, a dispatcher, or an
    ``on_close`` that does more than to log. And where a dial comes back without a loop: a
    ``connect()`` that calls itself, ``call_later``, a ``threading.Timer``, an ``on_close``, a
    decorator such as tenacity's.
"""

from __future__ import annotations

from collections.abc import Iterator

from modify.bridge.link import LinkLoop
from modify.bridge.websocket_app import redials_itself
from modify.neonize.client import redials
from modify.neonize.dial import Dialling, is_paced
from modify.neonize.session import Session
from modify.python.rules import Seen

FIX = "the wait grows: 5 s, 10 s, 20 s …"


def find(link: LinkLoop) -> Iterator[Seen]:
    for wait in link.flat_waits:
        number = link.source.text(wait.number)
        yield Seen(wait.call, f"the bridge is dialled again after a flat {number} s")
    if link.app is not None and redials_itself(link.app):
        yield Seen(
            link.app.run, "run_forever(reconnect=…) dials again by itself, after a flat time"
        )


def find_session(session: Session) -> Iterator[Seen]:
    for restart in session.restarts:
        source, wait = restart.source, restart.wait
        if wait is None:
            yield Seen(restart.call, "the session is started again at once", source)
        elif wait.flat:
            said = f"the session is started again after a flat {source.text(wait.number)} s"
            yield Seen(wait.call, said, source)


def find_dialling(dialling: Dialling) -> Iterator[Seen]:
    source = dialling.source
    for loop in dialling.loops:
        if is_paced(loop):
            continue
        pauses = dialling.pauses(loop)
        for wait in pauses:
            if wait.flat:
                said = f"the client is connected again after a flat {source.text(wait.number)} s"
                yield Seen(wait.call, said)
        if not pauses:
            yield Seen(loop, "the client is connected again at once")
    for item in dialling.client.handlers("DisconnectedEv"):
        again = redials(item.handler) if item.handler is not None else ""
        if again:
            said = f"dials beside whatsmeow, which dials again by itself: {again}()"
            yield Seen(item.statement, said, item.home)
