"""reconnect-after-stop: what it leaves alone, then what it sees."""

from __future__ import annotations

import pytest

from modify.rules.channels.reconnect_after_stop import rule
from tests.quick.rules.typescript.cases import check, clean, marked

NO_OP = [
    clean(
        "stopped first",
        "    if (connection === 'close') reconnect.dial(connect);",
        patched=True,
        outside="""function disconnect() {
  reconnect.stop();
  sock?.end(undefined);
}""",
    ),
    clean("nothing ends the socket", "    if (connection === 'close') connect();"),
    clean(
        "ended in order to dial anew",
        "    if (connection === 'close') connect();",
        outside="""function renew() {
  sock.end(undefined);
  connect();
}""",
    ),
    clean("ended by the handler itself", "    if (connection === 'close') sock.end(undefined);"),
]
FINDINGS = [
    marked(
        "a function",
        "    if (connection === 'close') connect();",
        outside="""//! ends the socket on purpose, and its close handler reconnects
function disconnect() {
  sock?.end(undefined);
}""",
    ),
    marked(
        "a logout",
        "    if (connection === 'close') connect();",
        outside="""//! ends the socket on purpose, and its close handler reconnects
async function bye() {
  await sock.logout();
}""",
    ),
    marked(
        "its WebSocket",
        "    if (connection === 'close') connect();",
        outside="""//! ends the socket on purpose, and its close handler reconnects
function bye() {
  waSocket.ws.close();
}""",
    ),
]


@pytest.mark.parametrize("source", NO_OP)
def test_leaves_alone(source: str) -> None:
    check(rule, source)


@pytest.mark.parametrize("source", FINDINGS)
def test_sees(source: str) -> None:
    check(rule, source)
