"""A socket that another file makes: what that file knows of credentials and pairing counts here."""

from __future__ import annotations

from pathlib import Path

import pytest

from modify.channel_files import channel_files
from skill.host import Host
from tests.quick.rewrite.harness import IMPORTS, patched

FACTORY = """\
const FOLDER = 'auth';
export async function openSocket() {{
  const {{ state, saveCreds }} = await useMultiFileAuthState({folder});
  const sock = makeWASocket({{ auth: state{more} }});
  sock.ev.on('creds.update', saveCreds);
  return sock;
}}
"""
BOT = """\
import { openSocket } from './socket.js';

async function start() {
  const sock = await openSocket();
  sock.ev.on('connection.update', ({ connection, lastDisconnect }) => {
    const code = lastDisconnect?.error?.output?.statusCode;
    if (connection === 'close') {
      if (code !== 401) start();
    }
  });
}

start();
"""


def factory(folder: str, more: str = "") -> str:
    return IMPORTS + FACTORY.format(folder=folder, more=more)


@pytest.mark.parametrize(
    ("folder", "written"),
    [
        ("'auth'", "'auth'"),
        ("FOLDER", "'auth'"),
        ("process.env.AUTH_DIR || 'auth'", "process.env.AUTH_DIR || 'auth'"),
    ],
)
def test_the_folder_is_the_one_that_the_other_file_loads(
    tmp_path: Path, folder: str, written: str
) -> None:
    files = {"src/socket.js": factory(folder), "src/bot.js": BOT}
    made = patched(tmp_path, files)
    assert f"  authDir: {written},\n" in made.files["src/bot.js"]
    assert "const sock = reconnect.watch(await openSocket());" in made.files["src/bot.js"]
    assert made.files["src/socket.js"] == files["src/socket.js"]


@pytest.mark.parametrize("folder", ["folderOf(id)", "`auth/${id}`", "join(__dirname, 'auth')"])
def test_a_folder_that_this_file_cannot_name_is_held_where_the_socket_is_made(
    tmp_path: Path, folder: str
) -> None:
    files = {"src/socket.js": factory(folder), "src/bot.js": BOT}
    made = patched(tmp_path, files)
    assert made.files["src/bot.js"] == BOT
    assert (
        "const sock = reconnect.socket(makeWASocket, { auth: state });"
        in (made.files["src/socket.js"])
    )
    assert (
        f"await reconnect.authState(useMultiFileAuthState, {folder});"
        in (made.files["src/socket.js"])
    )
    assert made.left == ()
    assert "where its credentials lie was not found" in made.held


def test_a_maker_that_serves_a_login_too_is_held_for_both(tmp_path: Path) -> None:
    login = "import { openSocket } from './socket.js';\nexport const login = () => openSocket();\n"
    files = {"src/socket.js": factory("'auth'"), "src/bot.js": BOT, "src/login.js": login}
    made = patched(tmp_path, files)
    assert (made.files["src/bot.js"], made.files["src/login.js"]) == (BOT, login)
    assert "reconnect.socket(makeWASocket, {" in made.files["src/socket.js"]
    assert "openSocket() makes the sockets of other files, too" in made.held


@pytest.mark.parametrize(
    ("more", "pairs"), [("", False), (", printQRInTerminal: true", True)], ids=["not", "pairs"]
)
def test_a_bot_whose_other_file_shows_the_code_may_pair(
    tmp_path: Path, more: str, pairs: bool
) -> None:
    made = patched(tmp_path, {"src/socket.js": factory("'auth'", more), "src/bot.js": BOT})
    assert ("pairing: false" in made.files["src/bot.js"]) != pairs


def test_it_is_a_channel_for_the_units_too(tmp_path: Path) -> None:
    (tmp_path / "socket.js").write_text(factory("'auth'"))
    (tmp_path / "bot.js").write_text(BOT)
    assert channel_files(Host(tmp_path)) == {"bot.js"}


@pytest.mark.parametrize(
    ("text", "is_one"),
    [(BOT, True), (BOT.replace("connection === 'close'", "connection === 'open'"), False)],
    ids=["dials again", "only says that it is open"],
)
def test_a_socket_that_nobody_found(tmp_path: Path, text: str, is_one: bool) -> None:
    (tmp_path / "bot.js").write_text(text)
    assert channel_files(Host(tmp_path)) == ({"bot.js"} if is_one else frozenset())


@pytest.mark.parametrize(
    ("taken", "called"),
    [
        ("import { makeWASocket } from './simple.js';\n", "makeWASocket"),
        ("import { makeWASocket as makeWASocketOf } from './simple.js';\n", "makeWASocketOf"),
        ("import { makeWASocket } from './index.js';\n", "makeWASocket"),
    ],
    ids=["imported", "renamed", "passed on"],
)
def test_a_wrapper_that_hands_on_something_else_than_its_socket_is_held(
    tmp_path: Path, taken: str, called: str
) -> None:
    """The other file's dial waits for its turn, too: nothing of it is out of reach."""
    wrapper = """\
import { makeWALegacySocket, makeWASocket as make } from '@whiskeysockets/baileys';

export function makeWASocket(config) {
  const conn = (global.old ? makeWALegacySocket : make)(config);
  return Object.defineProperties(conn, {});
}
"""
    text = f"""\
{taken}import {{ useMultiFileAuthState }} from '@whiskeysockets/baileys';

export async function connect(folder, tries = 0) {{
  const {{ state }} = await useMultiFileAuthState(folder);
  const conn = {called}({{ auth: state }});
  conn.ev.on('connection.update', ({{ connection }}) => {{
    if (connection === 'close' && tries < 5) setTimeout(() => connect(folder, tries + 1), 1000);
  }});
}}
"""
    files = {"bot.js": text, "simple.js": wrapper, "index.js": "export * from './simple.js';\n"}
    made = patched(tmp_path, files)
    assert made.left == ()
    held = "reconnect.socket(global.old ? makeWALegacySocket : make, config)"
    assert held in made.files["simple.js"]
    assert f"const conn = {called}({{ auth: state }});" in made.files["bot.js"]
