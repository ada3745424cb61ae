"""A closure that gives its connect function away: who calls it must not lose the bot."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests import harness

CLOSURE = """import makeWASocket, { DisconnectReason, useMultiFileAuthState } from 'baileys';

export function createLine(log) {
  async function connect() {
    const { state } = await useMultiFileAuthState('auth');
    const sock = makeWASocket({ auth: state });
    sock.ev.on('connection.update', ({ connection, lastDisconnect }) => {
      if (connection === 'close') {
        const code = lastDisconnect?.error?.output?.statusCode;
        if (code === DisconnectReason.loggedOut) return;
        setTimeout(() => connect().catch(log.error), 5000);
      }
    });
    sock.ev.on('messages.upsert', () => {});
  }
  RETURNED
}
"""


def patched(tmp_path: Path, returned: str) -> str:
    (tmp_path / "line.js").write_text(CLOSURE.replace("RETURNED", returned), "utf-8")
    (tmp_path / "package.json").write_text('{"type": "module"}', "utf-8")
    return harness.patched(tmp_path).text("line.js")


@pytest.mark.parametrize(
    "returned", ["return { start: connect };", "return { connect };", "return connect;"]
)
def test_callers_get_one_that_dials(tmp_path: Path, returned: str) -> None:
    text = patched(tmp_path, returned)
    assert "async function connect() {\n    await reconnect.dial(openSocket" in text
    assert "async function openSocket() {\n" in text
    assert "reconnect.dial(openSocket);" in text.partition("'close'")[2]


def test_called_inside_it_stays_what_it_is(tmp_path: Path) -> None:
    text = patched(tmp_path, "return { start: () => connect() };")
    assert "openSocket" not in text
    assert "start: () => reconnect.dial(connect" in text
