"""A bot that reconnects at once after a close, or after the same pause each time.

What it finds
    In TypeScript and JavaScript: finds calls of the connect function in the close branch
    without a delay, with a constant one, or through a helper that is given ``1`` each time.
    In Python: finds a constant ``sleep`` or ``wait_for`` in the loop that connects to a bridge
    (``websockets``, aiohttp's ``ws_connect``, websocket-client's ``create_connection`` or
    ``run_forever``, and its own ``run_forever(reconnect=5)``), and one right before a session's
    start function is called again; a loop around a neonize client's ``connect()``, and a handler
    of ``DisconnectedEv`` that connects again.

Why it is bad
    ``connect()`` resolves when the socket object exists, so a close comes back as an event
    within milliseconds and the loop runs free: 12,000 attempts an hour measured on
    NanoClaw v1, 680 with a helper that always starts at 5 s. Numbers are blocked for less.
    A Python program with a flat 5 s tries a dead bridge 713 times an hour (nanobot-ai
    0.2.2). whatsmeow reconnects by itself; code that connects beside it makes two clients of
    one session, and these throw each other out.

What is done
    ``reconnect.dial(…)`` takes the place of the old loop: 5 s, 10 s, 20 s … 5 minutes, and
    back to the start only after five minutes of an open connection. In Python
    ``link.turn()`` waits instead (5 s … 60 s: the bridge keeps the limits for WhatsApp); a
    wait that an event can end stays, and lasts ``link.delay()``. ``reconnect=`` gives way to
    the loop around it. A log line that named the old wait names the real one, or no wait. A
    neonize session that makes a new client each time gets the whole policy:
    ``session.turn()`` before the client is made, and its handlers report their events. A loop
    around ``connect()`` asks ``next_turn()`` each time round, its own pause stays; in a handler
    the line that connects goes.

When it is handed off
    When the close branch does not lead back to the connect function in a way that can be
    followed; then the gate alone holds the bound. A pause that already grows, and that nothing
    sets back early, is left. In Python also when ``run_forever(reconnect=…)`` gives the host
    other events than a loop would: with an ``on_reconnect``, a dispatcher, or an
    ``on_close`` that does more than log. And where the bot reconnects without a loop: a
    ``connect()`` that calls itself, ``call_later``, a ``threading.Timer``, an ``on_close``, a
    decorator such as tenacity's.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from modify.baileys.model.reconnect_loop import outermost
from modify.kit.typescript.source import arguments_of
from modify.rules import Example, Rule, Sight
from modify.rules.frames import FLAT_LINK, whole

if TYPE_CHECKING:
    from modify.baileys.model.channel import Channel
    from modify.bridge.link import LinkLoop
    from modify.neonize.dial import Dialling
    from modify.neonize.session import Session

rule = Rule(
    __name__,
    fix="waits 5 s, 10 s, 20 s … 5 min instead",
    examples=(
        Example(
            "baileys-channel",
            """\
if (update.connection === 'close') {
  setTimeout(connect, 5000);
}
""",
            """\
if (update.connection === 'close') {
  reconnect.dial(connect);
}
""",
        ),
        Example(
            "baileys-channel",
            """\
if (update.connection === 'close') retry(1);
…
function retry(attempt: number) {
  const wait = Math.min(5000 * 2 ** (attempt - 1), 300_000);
  setTimeout(() => {
    connect().catch(() => retry(attempt + 1));
  }, wait);
}
""",
            """\
if (update.connection === 'close') reconnect.dial(connect);
""",
        ),
        FLAT_LINK,
        whole(
            "neonize-dialling",
            """\
import time
…
while True:
    try:
        client.connect()
    except Exception:
        time.sleep(5)
""",
            """\
import time
…
from whatsapp_reconnect import hear, heard, next_turn_sync
…
while next_turn_sync(client):
    try:
        client.connect()
    except Exception:
        time.sleep(5)
""",
        ),
        Example(
            "neonize-session",
            """\
import asyncio

from neonize.client import NewClient
from neonize.events import *


async def start(path):
    client = NewClient(path)
    client.event(ConnectedEv)(on_open)
    client.event(DisconnectedEv)(on_close)
    client.connect()


def on_open(client, event):
    print('open')


def on_close(client, event):
    loop.call_soon_threadsafe(lambda: asyncio.create_task(again(client.name)))


async def again(path):
    await asyncio.sleep(5)
    await start(path)
""",
            """\
import asyncio

from neonize.client import NewClient
from neonize.events import *

from whatsapp_reconnect import hear, heard, session_of


async def start(path):
    # Each attempt counts, across restarts too: see whatsapp_reconnect
    session = session_of(path)
    if not await session.turn():
        return
    client = NewClient(path)
    hear(client)
    client.event(ConnectedEv)(on_open)
    client.event(DisconnectedEv)(on_close)
    client.connect()


def on_open(client, event):
    heard(client, event)
    print('open')


def on_close(client, event):
    if heard(client, event):
        loop.call_soon_threadsafe(lambda: asyncio.create_task(again(client.name)))


async def again(path):
    await asyncio.sleep(5)
    await start(path)
""",
            is_whole=True,
        ),
    ),
)

GROWS = "the wait grows: 5 s, 10 s, 20 s …"
CONSTANT = re.compile(r"[\d_.]+|[A-Z][A-Z0-9_]*|[\d_.]+\s*\*\s*\w+")


@rule.detects("baileys-channel")
def in_channel(channel: Channel) -> Iterator[Sight]:
    close = channel.close
    if close is None:
        return
    last = -1
    for call in channel.redials:
        redial = outermost(channel, call)
        start = redial.whole.range().start.index
        if not close.holds(call) or start <= last or channel.is_dialled(call):
            continue
        last = redial.whole.range().end.index
        helper = channel.helper_of(call)
        if helper is not None and not channel.is_deferred(call):
            given = arguments_of(call)
            if given and all(CONSTANT.fullmatch(each.text()) for each in given):
                told = f"{helper.name}() is told {given[0].text()} on every close"
                yield rule.at(channel.source, call, f"{told}: the delay never grows")
        elif not redial.timed:
            yield rule.at(channel.source, call, "a closed connection is reconnected at once")
        elif redial.delay is not None and CONSTANT.fullmatch(redial.delay):
            yield rule.at(
                channel.source,
                call,
                f"a closed connection is reconnected after a flat {redial.delay}",
            )


@rule.detects("bridge-link")
def in_loop(link: LinkLoop) -> Iterator[Sight]:
    for wait in link.flat_waits:
        message = f"the bridge is reconnected after a flat {link.source.text(wait.number)} s"
        yield rule.at(link.source, wait.call, message, GROWS)
    if link.app is not None and link.app.redials_itself:
        message = "run_forever(reconnect=…) reconnects by itself, after a flat time"
        yield rule.at(link.source, link.app.run, message, GROWS)


@rule.detects("neonize-session")
def of_session(session: Session) -> Iterator[Sight]:
    for restart in session.restarts:
        source, wait = restart.source, restart.wait
        if wait is None:
            message = "the session is started again at once"
            yield rule.at(source, restart.call, message, GROWS)
        elif wait.flat:
            message = f"the session is started again after a flat {source.text(wait.number)} s"
            yield rule.at(source, wait.call, message, GROWS)


@rule.detects("neonize-dialling")
def of_client(dialling: Dialling) -> Iterator[Sight]:
    source = dialling.source
    for loop in dialling.unpaced_loops:
        pauses = dialling.pauses(loop)
        for wait in pauses:
            if wait.flat:
                seconds = source.text(wait.number)
                message = f"the client is connected again after a flat {seconds} s"
                yield rule.at(source, wait.call, message, GROWS)
        if not pauses:
            yield rule.at(source, loop, "the client is connected again at once", GROWS)
    for item in dialling.client.handlers("DisconnectedEv"):
        if item.dials_again:
            message = f"connects beside whatsmeow, which reconnects by itself: {item.dials_again}()"
            yield rule.at(item.home or source, item.statement, message, GROWS)
