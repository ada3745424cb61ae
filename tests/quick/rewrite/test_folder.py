"""Where the Reconnect object is made, and how it learns the credentials folder."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.quick.rewrite.harness import IMPORTS, held_text, patched


def bot(load: str, parameters: str = "", head: str = "", tail: str = "") -> str:
    return f"""\
{IMPORTS}{head}
async function connect({parameters}) {{
  {load}
  const sock = makeWASocket({{ auth: state }});
  sock.ev.on('connection.update', (update) => {{
    if (update.connection === 'close') connect();
  }});
}}
{tail}"""


@pytest.mark.parametrize(
    ("head", "load", "folder"),
    [
        ("", "const { state } = await useMultiFileAuthState('auth');", "authDir: 'auth',"),
        (
            "import path from 'path';\n",
            "const dir = path.join('store', 'auth');\n"
            "  const { state } = await useMultiFileAuthState(dir);",
            "authDir: path.join('store', 'auth'),",
        ),
        (
            "import { folderOf } from './folders.js';\n",
            "const { state } = await useMultiFileAuthState(folderOf('bot'));",
            "authDir: () => folderOf('bot'),",
        ),
    ],
    ids=["literal", "constant", "call"],
)
def test_the_folder_is_told_to_the_object(
    tmp_path: Path, head: str, load: str, folder: str
) -> None:
    made = patched(tmp_path, {"bot.ts": bot(load, head=head, tail="connect();\n")})
    assert folder in made.files["bot.ts"]
    assert made.left == ()


def test_a_folder_that_is_declared_later_is_asked_later(tmp_path: Path) -> None:
    load = "const { state } = await useMultiFileAuthState(FOLDER);"
    tail = "const FOLDER = 'auth';\nconnect();\n"
    made = patched(tmp_path, {"bot.ts": bot(load, tail=tail)})
    assert "authDir: () => FOLDER," in made.files["bot.ts"]


def test_credentials_that_are_loaded_once_around_the_connect_function(tmp_path: Path) -> None:
    text = f"""\
{IMPORTS}
export async function create(folder: string) {{
  const {{ state }} = await useMultiFileAuthState(folder);
  const open = async () => {{
    const sock = makeWASocket({{ auth: state }});
    sock.ev.on('connection.update', (update) => {{
      if (update.connection === 'close') open();
    }});
  }};
  await open();
}}
"""
    made = patched(tmp_path, {"bot.ts": text})
    assert "  const reconnect = new Reconnect({\n    authDir: folder," in made.files["bot.ts"]


@pytest.mark.parametrize(
    ("parameters", "load", "reason"),
    [
        (
            "account",
            "const { state } = await useMultiFileAuthState(`sessions/${account}`);",
            "the credentials folder is known only inside the connect function",
        ),
        (
            "options",
            "const { dir } = options;\n  const { state } = await useMultiFileAuthState(dir);",
            "the credentials folder is known only inside the connect function",
        ),
        (
            "",
            "const dir = await settings();\n  const { state } = await useMultiFileAuthState(dir);",
            "the credentials folder is known only inside the connect function",
        ),
        (
            "",
            "let dir = 'a';\n  if (x) dir = 'b';\n"
            "  const { state } = await useMultiFileAuthState(dir);",
            "the credentials folder is known only inside the connect function",
        ),
        (
            "",
            "const { state } = await useRedisAuthState(client);",
            "its credentials lie in no folder (useRedisAuthState)",
        ),
        (
            "",
            "const { state } = await useMultiFileAuthStatePrisma(client);",
            "its credentials lie in no folder (useMultiFileAuthStatePrisma)",
        ),
        ("", "const state = await load();", "where its credentials lie was not found"),
    ],
    ids=["account", "taken apart", "awaited", "two values", "redis", "database", "unknown"],
)
def test_a_channel_whose_folder_cannot_be_told_is_held(
    tmp_path: Path, parameters: str, load: str, reason: str
) -> None:
    text = bot(load, parameters)
    made = patched(tmp_path, {"bot.ts": text})
    assert (made.held, made.left) == ((reason,), ())
    assert made.files["bot.ts"] == held_text(text)


def test_the_object_stands_before_what_runs_first(tmp_path: Path) -> None:
    load = "const { state } = await useMultiFileAuthState('auth');"
    head = "main();\n"
    tail = "async function main() {\n  await connect();\n}\n"
    made = patched(tmp_path, {"bot.ts": bot(load, head=head, tail=tail)})
    text = made.files["bot.ts"]
    assert text.index("new Reconnect(") < text.index("\nmain();")


def test_it_is_required_before_it_is_made(tmp_path: Path) -> None:
    text = """\
const { default: makeWASocket, useMultiFileAuthState } = require('baileys');

async function connect() {
  const { state } = await useMultiFileAuthState('auth');
  const sock = makeWASocket({ auth: state });
  sock.ev.on('connection.update', (update) => {
    if (update.connection === 'close') connect();
  });
}

connect();
const later = require('./later');
"""
    files = {"bot.js": text, "package.json": "{}"}
    made = patched(tmp_path, files)
    assert made.files["bot.js"].index("require('./whatsapp-reconnect") < made.files["bot.js"].index(
        "new Reconnect("
    )


def test_a_function_before_a_bracket_keeps_its_name(tmp_path: Path) -> None:
    """No semicolon after it: JavaScript sees two statements, the grammar sees a call."""
    text = f"""\
{IMPORTS}
const connect = async () => {{
  const {{ state }} = await useMultiFileAuthState('auth')
  const sock = makeWASocket({{ auth: state }})
  sock.ev.on('connection.update', (update) => {{
    if (update.connection === 'close') connect()
  }})
}}

(async () => {{
  await connect()
}})()
"""
    made = patched(tmp_path, {"bot.ts": text})
    assert "  await reconnect.dial(connect)\n})()" in made.files["bot.ts"]


SETS = "{\n    this.dir = 'auth';\n  }"
KEPT = [
    ("private dir = 'auth';\n\n  constructor() {}", "authDir: this.dir,"),
    ("constructor(private readonly dir: string) {}", "authDir: this.dir,"),
    (f"private dir: string;\n\n  constructor() {SETS}", "authDir: this.dir,"),
    (f"private dir?: string;\n\n  open() {SETS}", "authDir: () => this.dir,"),
    (f"private dir = '';\n\n  open() {SETS}", "authDir: () => this.dir,"),
]


@pytest.mark.parametrize(
    ("members", "folder"), KEPT, ids=["field", "parameter", "constructor", "method", "both"]
)
def test_a_property_is_read_when_it_has_its_value(
    tmp_path: Path, members: str, folder: str
) -> None:
    text = f"""\
{IMPORTS}
export class Bot {{
  {members}

  private async connect() {{
    const {{ state }} = await useMultiFileAuthState(this.dir);
    const sock = makeWASocket({{ auth: state }});
    sock.ev.on('connection.update', (update) => {{
      if (update.connection === 'close') this.connect();
    }});
  }}
}}
"""
    assert folder in patched(tmp_path, {"bot.ts": text}).files["bot.ts"]


@pytest.mark.parametrize(
    ("folder", "entry"),
    [
        ("`./session/${opts.name || 'bot'}`", "authDir: () => `./session/${opts.name || 'bot'}`,"),
        ("global.sessionFolder", "authDir: () => global.sessionFolder,"),
        ("process.env.FOLDER || 'auth'", "authDir: process.env.FOLDER || 'auth',"),
    ],
)
def test_a_global_of_the_host_is_asked_for_when_the_bot_dials(
    tmp_path: Path, folder: str, entry: str
) -> None:
    """The file that sets it may import this one first."""
    load = f"const {{ state }} = await useMultiFileAuthState({folder});\n  util.logger.info('up');"
    made = patched(tmp_path, {"bot.ts": bot(load, tail="connect();\n")})
    assert entry in made.files["bot.ts"]
    assert "logger: console" in made.files["bot.ts"]


@pytest.mark.parametrize(
    "head",
    [
        "import log from './log.js';\n",
        "import { logger as log } from './log.js';\n",
        "import * as log from './log.js';\n",
        "const { log } = await import('./log.js');\n",
        "const { util: { log } } = await import('./log.js');\n",
    ],
)
def test_a_logger_of_the_file_is_used(tmp_path: Path, head: str) -> None:
    load = "log.info('up');\n  const { state } = await useMultiFileAuthState('auth');"
    made = patched(tmp_path, {"bot.ts": bot(load, head=head, tail="connect();\n")})
    assert "logger: log," in made.files["bot.ts"]
