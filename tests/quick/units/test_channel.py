"""Whether a host has a WhatsApp channel at all."""

from __future__ import annotations

from pathlib import Path

import pytest

from modify.channel_files import channel_files
from modify.units.codemod import examine
from skill.host import Host
from skill.options import Options
from tests.quick.rules.service_cases.harness import UNIT, make_host, unit

CONNECT = """import makeWASocket from '@whiskeysockets/baileys';
{gate}async function start() {{
  const sock = {maker}{{}});
  sock.ev.on('connection.update', (update) => {{
    if (update.connection === 'close') {{
      start();
    }} else if (update.connection === 'open') {{
      {opened};
    }}
  }});
}}
start();
"""


def script(opened: str, **parts: str) -> str:
    return CONNECT.format(opened=opened, **{"gate": "", "maker": "makeWASocket(", **parts})


PAIRING = script("setTimeout(() => process.exit(0), 1000)")
BOT = script("console.log('up')")
GATED = {
    "gate": "import { Reconnect } from './whatsapp-reconnect.js';\n"
    "const reconnect = new Reconnect({ authDir: 'store/auth' });\n",
    "maker": "reconnect.socket(makeWASocket, ",
}
NO_CHANNEL = {
    "a pairing script": PAIRING,
    "words only": "// makeWASocket emits connection\nexport {};\n",
    "a one-shot script": script("sock.end(undefined)"),
    "a script in a text": "export const sync = `\n" + BOT + "`;\n",
}


@pytest.mark.parametrize("text", NO_CHANNEL.values(), ids=NO_CHANNEL.keys())
def test_no_channel(tmp_path: Path, text: str) -> None:
    host = make_host(tmp_path, {"src/whatsapp.ts": text, UNIT: unit("Restart=always\n", "")})
    assert not channel_files(host)
    patch = examine(host, Options())
    assert not patch.edits and not patch.findings and not patch.notes


CHANNEL = {
    "a bot": BOT,
    "a bot and a pairing script in one file": BOT + PAIRING.replace("start", "pair"),
    "a file that does not parse": PAIRING + "function {\n",
    "merge markers": "<<<<<<< ours\n" + PAIRING,
    "no UTF-8": PAIRING + "// caf\udce9\n",
    "an unknown shape": "makeWASocket({});\nsock.ev.on('connection.update', on);\n",
    "patched by us": script("console.log('up')", **GATED),
    "patched by us, with an end": script("process.exit(0)", **GATED),
}


@pytest.mark.parametrize("text", CHANNEL.values(), ids=CHANNEL.keys())
def test_channel(tmp_path: Path, text: str) -> None:
    content = text.encode("utf-8", "surrogateescape")
    host = make_host(tmp_path, {"src/whatsapp.ts": content})
    assert channel_files(host) == {"src/whatsapp.ts"}


def test_pairing_script_beside_the_channel_is_none(tmp_path: Path) -> None:
    make_host(tmp_path, {"src/whatsapp.ts": BOT, "src/auth.ts": PAIRING})
    assert channel_files(Host(tmp_path)) == {"src/whatsapp.ts"}
