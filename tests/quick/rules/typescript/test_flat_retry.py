"""flat-retry: what it leaves alone, then what it sees."""

from __future__ import annotations

import pytest

from modify.rules.channels.flat_retry import rule
from tests.quick.rules.typescript.cases import check, clean, marked

NO_OP = [
    clean(
        "paced by the gate",
        """    if (connection === 'close' && !reconnect.terminal) {
      reconnect.dial(connect);
    }""",
        patched=True,
    ),
    clean("no dial in the close branch", "    if (connection === 'close') log.info('closed');"),
    clean(
        "a delay that is computed",
        """    if (connection === 'close' && code !== DisconnectReason.loggedOut) {
      setTimeout(() => connect(), delay * 2);
    }""",
    ),
    clean(
        "a helper without an argument",
        """    if (connection === 'close' && code !== DisconnectReason.loggedOut) {
      retry();
    }""",
        outside="""function retry() {
  setTimeout(connect, wait());
}""",
    ),
    clean(
        "a dial in the open branch",
        """    if (connection === 'open') connect();
    else if (connection === 'close') log.info('closed');""",
    ),
]
FINDINGS = [
    marked(
        "at once",
        """    if (connection === 'close' && code !== DisconnectReason.loggedOut) {
      //! a closed connection is reconnected at once
      connect();
    }""",
    ),
    marked(
        "at once, and a timer if that fails",
        """    if (connection === 'close' && code !== DisconnectReason.loggedOut) {
      //! a closed connection is reconnected at once
      connect().catch(() => {
        setTimeout(() => connect(), 5000);
      });
    }""",
    ),
    marked(
        "voided",
        """    if (connection === 'close' && code !== DisconnectReason.loggedOut) {
      //! a closed connection is reconnected at once
      void connect();
    }""",
    ),
    marked(
        "a flat timer",
        """    if (connection === 'close' && code !== DisconnectReason.loggedOut) {
      //! a closed connection is reconnected after a flat 5000
      setTimeout(() => connect(), 5000);
    }""",
    ),
    marked(
        "a flat timer that is given the function",
        """    if (connection === 'close' && code !== DisconnectReason.loggedOut) {
      //! a closed connection is reconnected after a flat 3_000
      setTimeout(connect, 3_000);
    }""",
    ),
    marked(
        "a flat timer with a constant",
        """    if (connection === 'close' && code !== DisconnectReason.loggedOut) {
      //! a closed connection is reconnected after a flat RETRY_MS
      setTimeout(() => { connect().catch(log.error); }, RETRY_MS);
    }""",
    ),
    marked(
        "a helper that is told 1",
        """    if (connection === 'close' && code !== DisconnectReason.loggedOut) {
      //! retry() is told 1 on every close: the delay never grows
      retry(1);
    }""",
        outside="""function retry(n) {
  setTimeout(() => connect().catch(() => retry(n + 1)), 5000 * 2 ** (n - 1));
}""",
    ),
    marked(
        "after an early return",
        """    if (connection !== 'close') return;
    //! a closed connection is reconnected at once
    connect();""",
    ),
    marked(
        "in a switch",
        """    switch (connection) {
      case 'close':
        //! a closed connection is reconnected at once
        connect();
        break;
    }""",
    ),
]


@pytest.mark.parametrize("source", NO_OP)
def test_leaves_alone(source: str) -> None:
    check(rule, source)


@pytest.mark.parametrize("source", FINDINGS)
def test_sees(source: str) -> None:
    check(rule, source)
