"""What is added is written as the file around it is."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.quick.rewrite.harness import IMPORTS, host_text, patched

STANDARD = f"""\
{IMPORTS.replace(";", "")}
const options = {{
  name: 'bot',
  browser: ['bot', 'Chrome', '1']
}}

async function connect () {{
  const {{ state }} = await useMultiFileAuthState('auth')
  const sock = makeWASocket({{ ...options, auth: state }})
  sock.ev.on('connection.update', ({{ connection }}) => {{
    switch (connection) {{
      case 'close':
        connect()
    }}
  }})
}}

connect()
"""


@pytest.mark.parametrize(
    ("text", "last"),
    [
        (STANDARD, "  pairing: false\n})\n"),
        (STANDARD.replace("'1']\n", "'1'],\n"), "  pairing: false,\n})\n"),
        (host_text("      connect();"), "  pairing: false,\n});\n"),
    ],
    ids=["no trailing commas", "with them", "none to be seen"],
)
def test_trailing_commas(tmp_path: Path, text: str, last: str) -> None:
    assert last in patched(tmp_path, {"bot.ts": text}).files["bot.ts"]


EXIT = "      if (code === 401) process.exit();\n      else connect();"


@pytest.mark.parametrize(("head", "left"), [("", True), ("process.exitCode = 1;\n", False)])
def test_an_exit_that_is_clean_already_stays(tmp_path: Path, head: str, left: bool) -> None:
    made = patched(tmp_path, {"bot.ts": host_text(EXIT, head=head)}).files["bot.ts"]
    assert ("process.exit();" in made) == left
    assert "else reconnect.dial(connect);" in made


@pytest.mark.parametrize(
    ("package", "other", "ending"),
    [
        ('{ "type": "module" }', "", ".js"),
        ("{}", "", ""),
        ("{}", "import './note.js';\n", ".js"),
        ('{ "type": "module" }', "import './note';\n", ""),
    ],
)
def test_the_import_ends_as_those_around_it_or_as_the_package_needs(
    tmp_path: Path, package: str, other: str, ending: str
) -> None:
    files = {"package.json": package, "src/bot.ts": host_text("      connect();", head=other)}
    made = patched(tmp_path, files).files["src/bot.ts"]
    assert f"from './whatsapp-reconnect{ending}';" in made


def test_a_built_tree_of_one_target_is_left_alone(tmp_path: Path) -> None:
    built = host_text("      connect();")
    made = patched(tmp_path, {"src/bot.ts": built, "dist-server/bot.js": built})
    assert "reconnect.dial(connect);" in made.files["src/bot.ts"]
    assert made.files["dist-server/bot.js"] == built


@pytest.mark.parametrize(
    ("package", "first", "second"),
    [
        ('{ "type": "module" }', "import pino from 'pino';\n", "import { Reconnect } from"),
        ("{}", "const pino = require('pino');\n", "const { Reconnect } = require("),
    ],
    ids=["import", "require"],
)
@pytest.mark.parametrize("counter", ["", "let tries = 0;\n"], ids=["", "with a counter"])
def test_the_module_is_taken_before_it_is_used(
    tmp_path: Path, package: str, first: str, second: str, counter: str
) -> None:
    """Also where no blank line parts the imports from the code, or what parted them goes."""
    again = "tries++;\n      setTimeout(connect, 1000 * tries);" if counter else "connect();"
    text = host_text(f"      {again}")
    text = text[len(IMPORTS) :].lstrip("\n")
    if "require" in second:
        taken = first + (
            "const { default: makeWASocket, useMultiFileAuthState } = require('baileys');\n"
        )
    else:
        taken = first + IMPORTS
    made = patched(tmp_path, {"package.json": package, "bot.js": taken + counter + text})
    text = made.files["bot.js"]
    assert 0 < text.index(second) < text.index("new Reconnect({")
    assert "tries" not in text


def test_a_method_on_one_line_gets_its_closing_brace_on_its_own(tmp_path: Path) -> None:
    text = f"""\
{IMPORTS}
export class Bot {{
  async connect() {{
    const {{ state }} = await useMultiFileAuthState('auth');
    this.sock = makeWASocket({{ auth: state }});
    this.sock.ev.on('connection.update', ({{ connection }}) => {{
      if (connection === 'close') this.connect();
    }});
  }}

  async close() {{ await this.sock.end(undefined); }}
}}
"""
    made = patched(tmp_path, {"bot.js": text}).files["bot.js"]
    lines = (
        "    this.reconnect.stop();\n    if (!this.sock) return;\n"
        "    await this.sock.end(undefined);\n"
    )
    assert f"  async close() {{\n{lines}  }}\n}}\n" in made


def test_a_code_that_is_asked_for_twice_is_asked_for_once(tmp_path: Path) -> None:
    close = (
        "      if (code === DisconnectReason.loggedOut || code === 401) return;\n      connect();"
    )
    made = patched(tmp_path, {"bot.ts": host_text(close)}).files["bot.ts"]
    assert "      if (reconnect.terminal) return;\n      reconnect.dial(connect);" in made


LONG = f"""\
{IMPORTS}
export class Line {{
  async open(folder) {{
    const {{ state, saveCreds }} = await useMultiFileAuthState(folder);
    this.sock = makeWASocket({{ auth: state }});
  }}
}}
"""
ON_LINES = """\
    const { state, saveCreds } = await reconnect.authState(
      useMultiFileAuthState,
      folder,
    );
"""
ON_ONE = (
    "    const { state, saveCreds } = await reconnect.authState(useMultiFileAuthState, folder);\n"
)


@pytest.mark.parametrize(
    ("name", "configuration", "expected"),
    [
        ("biome.json", '{ "formatter": { "indentStyle": "space" } }', ON_LINES),
        ("biome.jsonc", '{ // wide\n "formatter": { "lineWidth": 100, }, }', ON_ONE),
        ("biome.json", '{ "javascript": { "formatter": { "enabled": false } } }', ON_ONE),
        (".oxfmtrc.json", '{ "printWidth": 80 }', ON_LINES),
        (".oxfmtrc.jsonc", "{}", ON_ONE),
        ("biome.json", "no JSON", ON_LINES),
    ],
    ids=["biome", "biome's width", "biome is off", "oxfmt", "oxfmt's width", "unreadable"],
)
def test_the_line_of_another_formatter(
    tmp_path: Path, name: str, configuration: str, expected: str
) -> None:
    made = patched(tmp_path, {"line.ts": LONG, name: configuration})
    assert expected in made.files["line.ts"]
