"""What makes the socket, and which function is the connect function."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.quick.rewrite.harness import IMPORTS, held_text, patched


@pytest.mark.parametrize(
    "taken",
    [
        "const { default: Baileys, useMultiFileAuthState } = require('@whiskeysockets/baileys');",
        "const { makeWASocket: Baileys, useMultiFileAuthState } = require('baileys');",
        "const { useMultiFileAuthState } = require('baileys');\n"
        "const Baileys = require('baileys').default;",
    ],
)
def test_a_maker_of_any_name_is_known_by_its_module(tmp_path: Path, taken: str) -> None:
    text = f"""\
{taken}

async function start() {{
  const {{ state }} = await useMultiFileAuthState('auth');
  const conn = Baileys({{ auth: state }});
  conn.ev.on('connection.update', ({{ connection }}) => {{
    if (connection === 'close') start();
  }});
}}

start();
"""
    made = patched(tmp_path, {"package.json": "{}", "bot.js": text})
    assert made.left == ()
    assert "if (connection === 'close') reconnect.dial(start);" in made.files["bot.js"]
    assert "const { Reconnect } = require('./whatsapp-reconnect');" in made.files["bot.js"]


SERVICE = f"""\
{IMPORTS}
export class Service {{
  private sock: any;

  async open() {{
    const {{ state }} = await useMultiFileAuthState('auth');
    this.sock = makeWASocket({{ auth: state }});
    this.attach();
    return this.sock;
  }}

  private attach() {{
    this.listen();
  }}

  private async listen() {{
    this.sock.ev.on('connection.update', ({{ connection }}) => {{
      if (connection === 'close') setTimeout(async () => await this.open(), 1000);
    }});
  }}
}}
"""


def test_what_the_listener_dials_does_not_make_its_own_socket(tmp_path: Path) -> None:
    """The connect function is the one that leads to the listener, not the listener's."""
    made = patched(tmp_path, {"bot.ts": SERVICE})
    assert made.files["bot.ts"].count("this.reconnect.socket(makeWASocket, ") == 1
    assert made.held == ()


LISTENER = """\
export function listen(sock, again) {
  sock.ev.on('connection.update', ({ connection }) => {
    if (connection === 'close') again();
  });
}
"""


def test_a_callback_that_another_file_runs_may_dial_again(tmp_path: Path) -> None:
    text = f"""\
import {{ listen }} from './listen.js';
{IMPORTS}
export class Service {{
  private sock: any;

  async connect() {{
    const {{ state }} = await useMultiFileAuthState('auth');
    this.sock = makeWASocket({{ auth: state }});
    this.attach();
  }}

  private attach() {{
    listen(this.sock, () => this.connect());
  }}
}}
"""
    made = patched(tmp_path, {"bot.ts": text, "listen.ts": LISTENER})
    assert made.files["bot.ts"] == held_text(text)
    assert made.files["listen.ts"] == LISTENER
    assert made.left == ()


def test_a_script_that_sends_once_makes_one_connection(tmp_path: Path) -> None:
    """Its socket is wrapped by a file that listens; nothing is handed out that dials."""
    text = f"""\
{IMPORTS}import {{ listen }} from './listen.js';

async function main() {{
  const {{ state }} = await useMultiFileAuthState('auth');
  const sock = makeWASocket({{ auth: state }});
  listen(sock);
  await sock.sendMessage('someone', {{ text: 'hello' }});
}}

main().catch(() => process.exit(1));
"""
    made = patched(tmp_path, {"bot.ts": text, "listen.ts": LISTENER})
    assert made.files["bot.ts"] == text
    assert made.left == ()


def test_a_connect_function_that_is_handed_on_may_be_called_again(tmp_path: Path) -> None:
    text = f"""\
{IMPORTS}import {{ onUpdate }} from './update.js';

async function start() {{
  const {{ state }} = await useMultiFileAuthState('auth');
  const sock = makeWASocket({{ auth: state }});
  sock.ev.on('connection.update', (update) => {{
    onUpdate(update, start);
  }});
}}

start();
"""
    update = "export const onUpdate = (u, again) => u.connection === 'close' && again();\n"
    made = patched(tmp_path, {"bot.ts": text, "update.ts": update})
    assert made.files["bot.ts"] == held_text(text)
    assert made.held == ("no branch for a closed connection was found",)


COMMAND = f"""\
{IMPORTS}
async function pair(number) {{
  const {{ state }} = await useMultiFileAuthState(`sessions/${{number}}`);
  const sock = makeWASocket({{ auth: state }});
  setTimeout(() => sock.requestPairingCode(number), 3000);
  sock.ev.on('connection.update', ({{ connection }}) => {{
    if (connection === 'close') tell(number);
  }});
}}

%sasync function handle(number) {{
  await pair(number);
}}
"""


@pytest.mark.parametrize("exported", [True, False], ids=["a command", "a script"])
def test_a_pairing_command_of_the_bot_is_held(tmp_path: Path, exported: bool) -> None:
    """It dials whenever somebody asks for it; a script that nothing takes from dials once."""
    text = COMMAND % ("export " if exported else "")
    made = patched(tmp_path, {"commands/pair.js": text})
    held = text.replace("makeWASocket({", "reconnect.socket(makeWASocket, {").replace(
        "useMultiFileAuthState(`", "reconnect.authState(useMultiFileAuthState, `"
    )
    first = "import * as reconnect from '../whatsapp-reconnect.js';\n"
    expected = held.replace(IMPORTS, IMPORTS + first) if exported else text
    assert made.files["commands/pair.js"] == expected
    assert made.left == ()


SERVICE_OF_CODES = f"""\
{IMPORTS}import {{ Router }} from 'express';

export const router = Router();
router.get('/', async (request, response) => {{
  async function pair() {{
    const {{ state }} = await useMultiFileAuthState('temp/' + request.query.id);
    const sock = makeWASocket({{ auth: state }});
    if (!response.headersSent) response.send(await sock.requestPairingCode(request.query.id));
    sock.ev.on('connection.update', async ({{ connection, lastDisconnect }}) => {{
      if (connection === 'open') sock.end();
      else if (connection === 'close' && lastDisconnect?.error?.output?.statusCode !== 401) {{
        await delay(10000);
        pair();
      }}
    }});
  }}
  return await pair();
}});
"""


def test_a_web_server_that_gives_out_codes_is_held(tmp_path: Path) -> None:
    """It dials again after every close while WhatsApp is away, for each who asked."""
    made = patched(tmp_path, {"pair.js": SERVICE_OF_CODES})
    assert "const sock = reconnect.socket(makeWASocket, { auth: state });" in made.files["pair.js"]
    assert made.left == ()
    assert made.held == ("each call of the function around it may be for another account",)
    script = SERVICE_OF_CODES.replace("sock.end()", "process.exit(0)")
    again = patched(tmp_path / "script", {"pair.js": script})
    assert again.files["pair.js"] == script
