"""premature-reset: what it leaves alone, then what it sees."""

from __future__ import annotations

import pytest

from modify.rules.channels.premature_reset import rule
from tests.quick.rules.typescript.cases import check, clean, marked

NO_OP = [
    clean(
        "no counter",
        """    if (connection === 'close') {
      retry();
    } else if (connection === 'open') {
      log.info('open');
    }""",
        before="""
let tries = 0;""",
        outside="""function retry() {
  tries += 1;
  setTimeout(connect, 1000 * 2 ** tries);
}""",
    ),
    clean(
        "another counter",
        """    if (connection === 'close') {
      retry();
    } else if (connection === 'open') {
      opened = 0;
    }""",
        before="""
let tries = 0;""",
        outside="""function retry() {
  tries += 1;
  setTimeout(connect, 1000 * 2 ** tries);
}""",
    ),
    clean(
        "set back when it was open for long",
        """    if (connection === 'close') {
      retry();
    } else if (connection === 'open') {
      if (Date.now() - since > 60_000) tries = 0;
    }""",
        before="""
let tries = 0;""",
        outside="""function retry() {
  tries += 1;
  setTimeout(connect, 1000 * 2 ** tries);
}""",
    ),
    clean(
        "set back later, in a timer",
        """    if (connection === 'close') {
      retry();
    } else if (connection === 'open') {
      setTimeout(() => { tries = 0; }, 300_000);
    }""",
        before="""
let tries = 0;""",
        outside="""function retry() {
  tries += 1;
  setTimeout(connect, 1000 * 2 ** tries);
}""",
    ),
    clean(
        "a counter that the loop does not read",
        """    if (connection === 'close') {
      retry();
    } else if (connection === 'open') {
      retries = 0;
    }""",
        before="""
let tries = 0;""",
        outside="""function retry() {
  tries += 1;
  setTimeout(connect, 1000 * 2 ** tries);
}""",
    ),
    clean(
        "paced by the gate",
        """    if (connection === 'close') {
      reconnect.dial(connect);
    } else if (connection === 'open') {
      tries = 0;
    }""",
        patched=True,
    ),
]
FINDINGS = [
    marked(
        "a counter of a helper",
        """    if (connection === 'close') {
      retry();
    } else if (connection === 'open') {
      //! tries is reset on open: a link that flaps never waits longer
      tries = 0;
    }""",
        before="""
let tries = 0;""",
        outside="""function retry() {
  tries += 1;
  setTimeout(connect, 1000 * 2 ** tries);
}""",
    ),
    marked(
        "a delay that doubles inline",
        """    if (connection === 'close') {
      setTimeout(connect, retryDelay);
      retryDelay *= 2;
    } else if (connection === 'open') {
      //! retryDelay is reset on open: a link that flaps never waits longer
      retryDelay = FIRST_DELAY;
    }""",
        before="""
let retryDelay = FIRST_DELAY;""",
    ),
    marked(
        "in an if of its own",
        """    //! tries is reset on open: a link that flaps never waits longer
    if (connection === 'open') tries = 0;
    if (connection === 'close') retry();""",
        before="""
let tries = 0;""",
        outside="""function retry() {
  tries += 1;
  setTimeout(connect, 1000 * 2 ** tries);
}""",
    ),
]


@pytest.mark.parametrize("source", NO_OP)
def test_leaves_alone(source: str) -> None:
    check(rule, source)


@pytest.mark.parametrize("source", FINDINGS)
def test_sees(source: str) -> None:
    check(rule, source)
