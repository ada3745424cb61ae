"""Forks of Baileys under a name of their own."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.quick.rewrite.harness import patched


@pytest.mark.parametrize(
    ("taken", "is_one"),
    [
        ("DisconnectReason, downloadContentFromMessage", True),
        ("DisconnectReason, useOwnAuthState", False),
    ],
    ids=["Baileys by what it exports", "something else"],
)
def test_a_fork_with_a_name_of_its_own_is_known_by_what_it_exports(
    tmp_path: Path, taken: str, is_one: bool
) -> None:
    text = f"""\
const {{ {taken} }} = require('wa-fork');
const makeWASocket = require('wa-fork').default;

async function start() {{
  const sock = makeWASocket({{ auth: await load() }});
  sock.ev.on('connection.update', ({{ connection }}) => {{
    if (connection === 'close') start();
  }});
}}

start();
"""
    package = '{ "dependencies": { "wa-fork": "github:someone/wa-fork" } }'
    made = patched(tmp_path, {"package.json": package, "bot.js": text})
    assert ("reconnect.socket(makeWASocket, {" in made.files["bot.js"]) == is_one
    assert bool(made.left) != is_one
