"""A socket made in one place whose listener stands in another."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.quick.rewrite.harness import IMPORTS, held_text, patched

CONNECT = """\
async function connect() {
  const { state } = await useMultiFileAuthState('auth');
  const sock = makeWASocket({ auth: state });
  listen(sock);
}
"""
LISTEN = """\
function listen(sock) {
  sock.ev.on('messages.upsert', () => undefined);
  sock.ev.on('connection.update', ({ connection }) => {
    if (connection === 'close') setTimeout(connect, 1000);
  });
}
"""


def test_by_another_function(tmp_path: Path) -> None:
    made = patched(tmp_path, {"bot.ts": f"{IMPORTS}\n{CONNECT}\n{LISTEN}\nconnect();\n"})
    text = made.files["bot.ts"]
    assert "const sock = reconnect.socket(makeWASocket, { auth: state });\n  listen(sock);" in text
    assert "if (connection === 'close') reconnect.dial(connect);" in text
    assert (made.held, made.left) == ((), ())


def test_in_another_file(tmp_path: Path) -> None:
    head = f"{IMPORTS}import {{ listen }} from './listen.js';\n\nexport "
    files = {
        "src/bot.ts": f"{head}{CONNECT}",
        "src/listen.ts": f"import {{ connect }} from './bot.js';\nexport {LISTEN}",
    }
    made = patched(tmp_path, files)
    assert made.files["src/bot.ts"] == held_text(files["src/bot.ts"])
    assert made.files["src/listen.ts"] == files["src/listen.ts"]
    assert made.left == ()


def test_a_test_that_makes_the_socket_is_left_alone(tmp_path: Path) -> None:
    head = f"{IMPORTS}import {{ listen }} from './listen.js';\n\nexport "
    files = {"src/bot.test.ts": f"{head}{CONNECT}", "src/listen.ts": f"export {LISTEN}"}
    made = patched(tmp_path, files)
    assert made.files == files
    assert {finding.path for finding in made.left} == {"src/listen.ts"}


def test_by_a_table_of_handlers(tmp_path: Path) -> None:
    table = """\
function listen(sock) {
  const handlers = { 'connection.update': onUpdate, 'messages.upsert': onMessage };
  for (const [name, handler] of Object.entries(handlers)) sock.ev.on(name, handler);
}
"""
    text = f"{IMPORTS}\n{CONNECT}\n{table}\nconnect();\n"
    made = patched(tmp_path, {"bot.ts": text})
    assert made.files["bot.ts"] == held_text(text)
    assert made.left == ()


def test_a_socket_that_is_kept_nowhere(tmp_path: Path) -> None:
    connect = CONNECT.replace("const sock = makeWASocket({ auth: state });\n  listen(sock);",
                              "listen(makeWASocket({ auth: state }));")  # fmt: skip
    text = f"{IMPORTS}\n{connect}\n{LISTEN}\nconnect();\n"
    made = patched(tmp_path, {"bot.ts": text})
    assert "listen(reconnect.socket(makeWASocket, { auth: state }));" in made.files["bot.ts"]
    assert (made.held, made.left) == ((), ())


FACTORY = """\
import makeWASocket from '@whiskeysockets/baileys';

export async function openSocket(state) {
  const sock = makeWASocket({ auth: state });
  return sock;
}
"""
USER = """\
import { useMultiFileAuthState } from '@whiskeysockets/baileys';
%s
export async function connect() {
  const { state } = await useMultiFileAuthState('auth');
  const sock = await openSocket(state);
  sock.ev.on('connection.update', (update) => {
    if (update.connection === 'close') connect();
  });
}
"""


@pytest.mark.parametrize("apart", [True, False], ids=["another file", "the same file"])
def test_a_function_that_only_makes_the_socket_is_a_maker(tmp_path: Path, apart: bool) -> None:
    files = {"bot.ts": USER % "import { openSocket } from './socket.js';\n", "socket.ts": FACTORY}
    if not apart:
        files = {"bot.ts": (USER % "") + FACTORY}
    made = patched(tmp_path, files)
    text = made.files["bot.ts"]
    assert "const sock = reconnect.watch(await openSocket(state));" in text
    assert made.left == ()
    if apart:
        assert made.files["socket.ts"] == FACTORY


def test_a_listener_that_does_nothing_about_a_close_is_no_channel(tmp_path: Path) -> None:
    text = """\
export function watch(sock) {
  sock.ev.on('connection.update', ({ connection }) => console.log(connection));
}
"""
    made = patched(tmp_path, {"watch.ts": text})
    assert (made.files["watch.ts"], made.left) == (text, ())


STOPS = [
    ("function bye() {\n  sock.end(undefined);\n}", True),
    ("process.on('SIGINT', () => {\n  sock.end(undefined);\n  process.exit(0);\n});", True),
    ("setInterval(() => {\n  sock.ws.close();\n}, 1000);", False),
    ("function ready() {\n  sock.bye = () => {\n    sock.ws.close();\n  };\n}", None),
]


@pytest.mark.parametrize(("ender", "stops"), STOPS, ids=["named", "signal", "timer", "assigned"])
def test_stop_is_asked_where_the_socket_is_ended(
    tmp_path: Path, ender: str, stops: bool | None
) -> None:
    """Never in a function that only holds, somewhere, one that ends the socket."""
    text = f"""\
{IMPORTS}
let sock;

async function connect() {{
  const {{ state }} = await useMultiFileAuthState('auth');
  sock = makeWASocket({{ auth: state }});
  sock.ev.on('connection.update', ({{ connection }}) => {{
    if (connection === 'close') connect();
    if (connection === 'open') ready();
  }});
}}

{ender}

connect();
"""
    made = patched(tmp_path, {"bot.ts": text}).files["bot.ts"]
    assert made.count("reconnect.stop();") == (0 if stops is False else 1)
    if stops is None:
        assert "sock.bye = () => {\n    reconnect.stop();\n" in made


def test_a_method_that_makes_the_socket_is_the_connect_function(tmp_path: Path) -> None:
    """Not the one that listens, though it calls the other again."""
    text = f"""\
{IMPORTS}
export class Instance {{
  private sock: any;
  private folder = '';

  async create(name: string) {{
    this.folder = `store/${{name}}`;
    const {{ state, saveCreds }} = await useMultiFileAuthState(this.folder);
    this.sock = makeWASocket({{ auth: state }});
    this.listen(saveCreds);
    return this.sock;
  }}

  private listen(saveCreds: () => Promise<void>) {{
    this.sock.ev.on('creds.update', saveCreds);
    this.sock.ev.on('connection.update', async ({{ connection }}: any) => {{
      if (connection === 'close') await this.create('bot');
    }});
  }}

  send(text: string) {{
    return this.sock.sendMessage('a', {{ text }});
  }}
}}
"""
    made = patched(tmp_path, {"bot.ts": text})
    again = "if (connection === 'close') this.reconnect.dial(() => this.create('bot'));"
    assert again in made.files["bot.ts"]
    assert "authDir: () => this.folder," in made.files["bot.ts"]
    assert made.held == ()
    assert all(finding.contained for finding in made.left)


WRAPPED = """\
async function connect() {
  const { state } = await useMultiFileAuthState('auth');
  const sock = makeWASocket({ auth: state });
  const safe = harden(sock, { retries: 3 });
  safe.ev.on('connection.update', (update) => {
    if (update.connection === 'close') connect();
  });
}
"""


@pytest.mark.parametrize(
    ("taken", "held"),
    [
        ("import { harden } from 'socket-hardener';", True),
        ("import { guard as harden } from 'baileys-hardener';", True),
        ("import { harden } from './harden.js';", False),
    ],
    ids=["a package", "a package by another name", "a file of the host"],
)
def test_a_listener_on_what_a_package_made_of_the_socket(
    tmp_path: Path, taken: str, held: bool
) -> None:
    """Which events come through is not known: the dial itself is held."""
    text = f"{IMPORTS}{taken}\n\n{WRAPPED}\nconnect();\n"
    made = patched(tmp_path, {"bot.ts": text})
    assert "reconnect.socket(makeWASocket, { auth: state })" in made.files["bot.ts"]
    assert ("reconnect.dial(connect)" in made.files["bot.ts"]) != held
    why = "its listener is placed on a wrapper around the socket"
    assert made.held == ((why,) if held else ())
    assert made.left == ()
