"""channel-gives-up: what it leaves alone, then what it sees."""

from __future__ import annotations

import pytest

from modify.rules.channels.channel_gives_up import rule
from tests.quick.rules.typescript.cases import check, clean, marked

NO_OP = [
    clean(
        "dialled by the gate",
        "    if (connection === 'close') reconnect.dial(connect);",
        patched=True,
        outside="reconnect.dial(connect);",
    ),
    clean(
        "the loop's own helper",
        "    if (connection === 'close') retry();",
        outside="""function retry() {
  setTimeout(() => connect(), 5000);
}""",
    ),
    clean("nobody dials in this file", "    if (connection === 'close') log.info('closed');"),
]
FINDINGS = [
    marked(
        "the first connection",
        "    if (connection === 'close') log.info('closed');",
        outside="""//! a first connection that fails is not tried again
connect().catch(log.error);""",
    ),
    marked(
        "the first connection, awaited",
        "    if (connection === 'close') log.info('closed');",
        outside="""export async function main() {
  //! a first connection that fails is not tried again
  await connect();
}""",
    ),
    marked(
        "a reconnect",
        """    //! a reconnect that fails twice is given up silently
    if (connection === 'close') connect().catch(log.error);""",
    ),
    marked(
        "a reconnect, once for two dials",
        """    if (connection === 'close') {
      //! a reconnect that fails twice is given up silently
      connect().catch(() => {
        setTimeout(() => connect().catch(log.error), 5000);
      });
    }""",
    ),
]


@pytest.mark.parametrize("source", NO_OP)
def test_leaves_alone(source: str) -> None:
    check(rule, source)


@pytest.mark.parametrize("source", FINDINGS)
def test_sees(source: str) -> None:
    check(rule, source)
