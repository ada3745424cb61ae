"""auth-failure-exit: what it leaves alone, then what it sees."""

from __future__ import annotations

import pytest

from modify.rules.channels.auth_failure_exit import rule
from tests.quick.rules.typescript.cases import check, clean, marked

NO_OP = [
    clean(
        "asked of the gate",
        """    if (connection === 'close') {
      if (reconnect.terminal) process.exit(0);
      reconnect.dial(connect);
    }""",
        patched=True,
    ),
    clean(
        "nothing is dialled and nothing exits",
        "    if (connection === 'close') log.info('closed');",
    ),
    clean(
        "an exit on a QR code, before an early return",
        """    if (qr) process.exit(1);
    if (connection !== 'close') return;
    log.info('closed');""",
    ),
]
FINDINGS = [
    marked(
        "exit 1 when logged out",
        """    if (connection === 'close') {
      //! only 'logged out' counts as an auth failure, and the next start forgets it
      if (code === DisconnectReason.loggedOut) {
        //! exit 1 makes the supervisor start the process again
        process.exit(1);
      }
      connect();
    }""",
    ),
    marked(
        "exit 0 when logged out",
        """    if (connection === 'close') {
      //! only 'logged out' counts as an auth failure, and the next start forgets it
      if (code !== 401) connect();
      else process.exit(0);
    }""",
    ),
    marked(
        "no test at all",
        """    //! a revoked session is reconnected like any other lost connection
    if (connection === 'close') {
      connect();
    }""",
    ),
]


@pytest.mark.parametrize("source", NO_OP)
def test_leaves_alone(source: str) -> None:
    check(rule, source)


@pytest.mark.parametrize("source", FINDINGS)
def test_sees(source: str) -> None:
    check(rule, source)
