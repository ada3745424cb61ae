"""Shared by tests of the channel rules: small channels, marked where a rule must find it."""

from __future__ import annotations

import re
from typing import Any

import pytest

from modify.baileys.model.anchors import read_channels
from modify.kit.typescript.source import Source
from modify.rules import Rule, sights_of

MARK = re.compile(r"^\s*//! (.*)$")
FRAME = """\
import makeWASocket, { DisconnectReason, useMultiFileAuthState } from '@whiskeysockets/baileys';
import { log } from './log.js';
%s
async function connect(onOpen) {
  const { state } = await useMultiFileAuthState('auth');
  const sock = %s{ auth: state });
  sock.ev.on('connection.update', (update) => {
    const { connection, lastDisconnect, qr } = update;
    const code = lastDisconnect?.error?.output?.statusCode;
%s
  });
}
%s
"""
GATE = "\nconst reconnect = new Reconnect({ authDir: 'auth', logger: log });"
HELD = "reconnect.socket(makeWASocket, "


def channel(handler: str, outside: str = "", before: str = "", patched: bool = False) -> str:
    """A module whose connection handler is ``handler``; behind a gate when ``patched``."""
    gate, maker = (GATE, HELD) if patched else ("", "makeWASocket(")
    return FRAME % (gate + before, maker, handler, outside)


def clean(name: str, handler: str, **more: Any) -> Any:
    """A channel in which the rule must see nothing."""
    source = channel(handler, **more)
    assert "//!" not in source
    return pytest.param(source, id=name)


def marked(name: str, handler: str, **more: Any) -> Any:
    """A channel with ``//! message`` above each line where the rule must see something."""
    source = channel(handler, **more)
    assert "//!" in source
    return pytest.param(source, id=name)


def check(rule: Rule, source: str, path: str = "channel.ts") -> None:
    """The rule sees exactly what the marks say."""
    lines: list[str] = []
    expected = []
    for line in source.split("\n"):
        if found := MARK.search(line):
            expected.append((len(lines) + 1, found[1]))
        else:
            lines.append(line)
    text = "\n".join(lines)
    channels = read_channels(Source.parse(path, text.encode()))
    assert len(channels) == 1
    found = [sight.finding for sight in sights_of("baileys-channel", channels[0])]
    seen = [(each.line, each.message) for each in found if each.rule == rule.id]
    assert sorted(seen) == expected
