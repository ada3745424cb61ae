"""no-connect-deadline: what it leaves alone, then what it sees."""

from __future__ import annotations

import pytest

from modify.rules.channels.no_connect_deadline import rule
from tests.quick.rules.typescript.cases import GATE, channel, check, clean

CLOSE = "    if (connection === 'close') connect();"
WHERE = "  sock.ev.on('connection.update', (update) => {"
NO_OP = [
    clean("it goes through a gate", CLOSE, patched=True),
]
UNPATCHED = channel(CLOSE)
EARLIER = UNPATCHED.replace(
    "async function connect(onOpen) {",
    f"{GATE}\nasync function connect(onOpen) {{\n  const attempt = await reconnect.turn();",
)
FINDINGS = [
    pytest.param(UNPATCHED, id="as hosts have it"),
    pytest.param(EARLIER, id="the eye of an earlier version was lost"),
]


@pytest.mark.parametrize("source", NO_OP)
def test_leaves_alone(source: str) -> None:
    check(rule, source)


@pytest.mark.parametrize("source", FINDINGS)
def test_sees(source: str) -> None:
    message = "no timeout: an attempt that gets no event hangs forever"
    check(rule, source.replace(WHERE, f"//! {message}\n{WHERE}", 1))
