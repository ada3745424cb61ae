"""stacked-timers: what it leaves alone, then what it sees."""

from __future__ import annotations

import pytest

from modify.rules.channels.stacked_timers import rule
from tests.quick.rules.typescript.cases import check, clean, marked

NO_OP = [
    clean(
        "kept in a variable",
        "    if (connection === 'close') timer = setTimeout(() => connect(), 5000);",
    ),
    clean(
        "a timer that does not dial",
        "    if (connection === 'close') setTimeout(() => log.info('closed'), 5000);",
    ),
    clean("no timer", "    if (connection === 'close') connect();"),
    clean(
        "dialled by the gate",
        "    if (connection === 'close') setTimeout(() => reconnect.dial(() => connect()), 5000);",
        patched=True,
    ),
]
FINDINGS = [
    marked(
        "not kept",
        """    //! a reconnect timer is not kept: two closes start two of them
    if (connection === 'close') setTimeout(() => connect(), 5000);""",
    ),
    marked(
        "given the function",
        """    //! a reconnect timer is not kept: two closes start two of them
    if (connection === 'close') setTimeout(connect, 5000);""",
    ),
    marked(
        "in a helper",
        "    if (connection === 'close') retry();",
        outside="""function retry() {
  //! a reconnect timer is not kept: two closes start two of them
  setTimeout(() => connect(), 5000);
}""",
    ),
]


@pytest.mark.parametrize("source", NO_OP)
def test_leaves_alone(source: str) -> None:
    check(rule, source)


@pytest.mark.parametrize("source", FINDINGS)
def test_sees(source: str) -> None:
    check(rule, source)
