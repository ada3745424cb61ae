"""lost-first-open: what it leaves alone, then what it sees."""

from __future__ import annotations

import pytest

from modify.rules.channels.lost_first_open import rule
from tests.quick.rules.typescript.cases import check, clean, marked

NO_OP = [
    clean(
        "passed on",
        """    if (connection === 'close') {
      connect(onOpen);
    } else if (connection === 'open') {
      onOpen?.();
    }""",
    ),
    clean(
        "passed on, later",
        """    if (connection === 'close') {
      setTimeout(() => connect(onOpen), 5000);
    } else if (connection === 'open') {
      onOpen?.();
    }""",
    ),
    clean(
        "dialled by the gate",
        """    if (connection === 'close') {
      reconnect.dial(() => connect(onOpen));
    } else if (connection === 'open') {
      onOpen?.();
    }""",
        patched=True,
    ),
    clean(
        "no callback is called on open",
        """    if (connection === 'close') connect();
    else if (connection === 'open') log.info('open');""",
    ),
    clean(
        "no dial",
        """    if (connection === 'close') {
      log.info('closed');
    } else if (connection === 'open') {
      onOpen?.();
    }""",
    ),
]
FINDINGS = [
    marked(
        "at once",
        """    if (connection === 'close') {
      //! onOpen is not passed on: connect() never settles after a failed first attempt
      connect();
    } else if (connection === 'open') {
      onOpen?.();
    }""",
    ),
    marked(
        "in a timer",
        """    if (connection === 'close') {
      //! onOpen is not passed on: connect() never settles after a failed first attempt
      setTimeout(() => connect(), 5000);
    } else if (connection === 'open') {
      onOpen?.();
    }""",
    ),
    marked(
        "in a helper",
        """    if (connection === 'close') {
      //! onOpen is not passed on: connect() never settles after a failed first attempt
      retry();
    } else if (connection === 'open') {
      onOpen?.();
    }""",
        outside="""function retry() {
  setTimeout(() => connect(), 5000);
}""",
    ),
    marked(
        "once for two dials",
        """    if (connection === 'close') {
      //! onOpen is not passed on: connect() never settles after a failed first attempt
      connect().catch(() => connect());
    } else if (connection === 'open') {
      onOpen?.();
    }""",
    ),
]


@pytest.mark.parametrize("source", NO_OP)
def test_leaves_alone(source: str) -> None:
    check(rule, source)


@pytest.mark.parametrize("source", FINDINGS)
def test_sees(source: str) -> None:
    check(rule, source)
