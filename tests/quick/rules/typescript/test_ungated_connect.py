"""ungated-connect: what it leaves alone, then what it sees."""

from __future__ import annotations

import pytest

from modify.rules.channels.ungated_connect import rule
from tests.quick.rules.typescript.cases import HELD, channel, check, clean

CLOSE = "    if (connection === 'close') connect();"
WHERE = "async function connect(onOpen) {"
NO_OP = [
    clean("gate and eye are there", CLOSE, patched=True),
]
UNPATCHED = channel(CLOSE)
FINDINGS = [
    pytest.param(UNPATCHED, id="as hosts have it"),
    pytest.param(
        channel(CLOSE, patched=True).replace(HELD, "makeWASocket("),
        id="the gate was lost",
    ),
]


@pytest.mark.parametrize("source", NO_OP)
def test_leaves_alone(source: str) -> None:
    check(rule, source)


@pytest.mark.parametrize("source", FINDINGS)
def test_sees(source: str) -> None:
    message = "connect() connects to WhatsApp without a limit on attempts"
    check(rule, source.replace(WHERE, f"//! {message}\n{WHERE}", 1))
