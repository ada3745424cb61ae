"""What is added to a file without semicolons ends before the next statement."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.quick.rewrite.harness import patched


@pytest.mark.parametrize("opens", ["(async () => {", "[1].forEach(async () => {"])
def test_what_follows_without_a_semicolon_stays_a_statement_of_its_own(
    tmp_path: Path, opens: str
) -> None:
    text = f"""\
{opens}
  const {{ default: makeWASocket, useMultiFileAuthState }} = require('baileys')
  async function connect() {{
    (await import('fs')).mkdirSync('auth')
    const {{ state }} = await useMultiFileAuthState('auth')
    const sock = makeWASocket({{ auth: state }})
    sock.ev.on('connection.update', ({{ connection }}) => {{
      if (connection === 'close') connect()
    }})
  }}
  connect()
}}){"()" if opens.startswith("(") else ""}
"""
    made = patched(tmp_path, {"package.json": "{}", "bot.js": text}).files["bot.js"]
    assert f"require('./whatsapp-reconnect');\n{opens}" in made
    assert "const sock = reconnect.socket(makeWASocket, { auth: state })\n" in made
    assert "reconnect.dial(connect)\n})" in made  # nothing follows that could be taken for it


def test_a_held_dial_behind_an_opening_bracket(tmp_path: Path) -> None:
    text = """\
(async () => {
  const { default: makeWASocket } = require('baileys')
  makeWASocket({ auth: await load() })
})()
"""
    made = patched(tmp_path, {"package.json": "{}", "bot.js": text}).files["bot.js"]
    assert made.startswith("const reconnect = require('./whatsapp-reconnect');\n\n(async () => {")
