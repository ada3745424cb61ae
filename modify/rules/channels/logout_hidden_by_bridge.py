"""The bridge keeps a logout to itself, so the Python program goes on as if the line had dropped.

What it finds
    Finds a Python program that hears "disconnected" from its Node bridge and has no word for
    a logout, and one that starts its bridge process again after every exit.

Why it is bad
    A revoked session cannot come back by itself. hermes-agent starts its bridge again after
    every exit, a logout included; each start connects with dead credentials, which
    blocks re-linking itself for hours (NanoClaw issue 2579).

What is done
    Where the bridge's source is in the tree, both halves change together: the bridge says
    ``logged_out``, or exits with a status of its own, and Python takes it as final
    (``link.logout()``; the host's own "fatal, not retryable").

When it is handed off
    When the bridge is elsewhere, or its form is not known: Python is prepared, and the
    hand-off names what the bridge has to send. And a loop of the host that starts the bridge
    again after the same pause, whatever it exited with: which status means a logout is the
    host's to say.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from modify.rules import Rule, Sight
from modify.rules.frames import whole

if TYPE_CHECKING:
    from modify.bridge.bridge_process import ChildBridge
    from modify.bridge.link import LinkLoop
    from modify.bridge.process_loop import Supervisor

rule = Rule(
    __name__,
    fix="the bridge reports a logout as such, and it is final",
    examples=(
        whole(
            "bridge-link",
            """\
while self.running:
    try:
        async with websockets.connect("ws://bridge") as ws:
            async for message in ws:
                self.on_status(message)
    except Exception:
        await asyncio.sleep(5)
…
self.running = False
…
def on_status(self, status):
    if status == "connected":
        self.up = True
    elif status == "disconnected":
        self.up = False
""",
            """\
while self.running and await link.turn():
    try:
        async with websockets.connect("ws://bridge") as ws:
            link.opened()
            async for message in ws:
                self.on_status(message)
                if link.terminal:
                    break
    except Exception:
        link.closed()
…
self.running = False
link_of(self).stop()
…
def on_status(self, status):
    if status == "connected":
        self.up = True
    elif status == "disconnected":
        self.up = False
    elif status == "logged_out":
        self.up = False
        link_of(self).logout()
""",
        ),
    ),
)


@rule.detects("bridge-link")
def in_loop(link: LinkLoop) -> Iterator[Sight]:
    # Lazy: imports libcst, which a TypeScript host never needs.
    from modify.bridge.bridge_status import hears_logout, status_branch

    branch = status_branch(link)
    if branch is not None and not hears_logout(link):
        message = "a logout looks like any other loss of the connection"
        yield rule.at(link.source, branch.branch, message)


@rule.detects("process-loop")
def around_bridge(supervisor: Supervisor) -> Iterator[Sight]:
    if supervisor.flat and not supervisor.knows_exit:
        message = "the bridge is started again after each exit, a logout included"
        yield rule.at(supervisor.source, supervisor.loop, message)


@rule.detects("bridge-process")
def of_process(child: ChildBridge) -> Iterator[Sight]:
    message = "every exit of the bridge is tried again, a logout included"
    yield rule.at(child.source, child.retry, message)
