"""Files that deal with a socket without making one in the open: each has a finding or a note."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests import harness
from tests.quick.rules.typescript.cases import channel
from tests.quick.rules.typescript.test_unpatched import ARRAY, BAILEYS, FLAT, IMPORT, held_in, write

SIMPLE = (
    f"import make from '{BAILEYS}';\n"
    "export function makeWASocket(options) {\n  return make(options);\n}\n"
)
TAKEN = "import { makeWASocket } from '{}';\n"
CALL = "export const conn = makeWASocket(options);\n"
THROUGH = "connects through lib/simple.js, where each attempt waits for its turn"


def said(root: Path, path: str) -> list[tuple[int, str, str]]:
    """(line, kind of note or rule, message or reason) of a file."""
    plan = harness.patched(root).plan
    notes = [(n.line, n.kind, n.message) for n in plan.notes if n.path == path]
    return notes + [(f.line, f.rule, f.reason) for f in plan.findings if f.path == path]


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("bot.js", TAKEN.replace("{}", "./lib/simple.js") + CALL),
        ("bot.js", TAKEN.replace("{}", "./lib/index.js") + CALL),
        ("bot.js", TAKEN.replace("{}", "@/lib/simple") + CALL),
        ("bot.js", TAKEN.replace("{}", "@lib/simple") + CALL),
        ("bot.cjs", f"const simple = require('./lib/simple.js');\nsimple.{CALL[20:]}"),
    ],
    ids=["by its name", "passed on", "by an alias", "by a path", "as a whole"],
)
def test_a_call_of_a_function_that_is_held(tmp_path: Path, path: str, text: str) -> None:
    files = {"lib/simple.js": SIMPLE, "lib/index.js": "export * from './simple.js';\n", path: text}
    assert said(write(tmp_path, files), path) == [(2, "right", THROUGH)]


@pytest.mark.parametrize("module", ["./simple.js", "\\x2e\\x2f\\x73\\x69\\x6d\\x70\\x6c\\x65.js"])
def test_an_obfuscated_file_that_dials_through_a_held_one(tmp_path: Path, module: str) -> None:
    hidden = TAKEN.replace("{}", module) + ARRAY.format(0x1A2B, 0x3C4D) + CALL
    files = {"lib/simple.js": SIMPLE, "lib/clones.js": "// for Baileys\n" + hidden}
    assert said(write(tmp_path, files), "lib/clones.js") == [(1, "right", THROUGH)]


def test_an_obfuscated_file_beside_a_bot(tmp_path: Path) -> None:
    """What makes a socket there is a finding; what only names Baileys is a note."""
    hidden = ARRAY.format(0x1A2B, 0x3C4D)
    files = {
        "bot.js": channel(FLAT),
        "clones.js": f"import {{ makeWASocket }} from '{BAILEYS}';\n{hidden}",
        "media.js": f"import {{ proto }} from '{BAILEYS}';\n{hidden}",
        "menu.js": hidden,
    }
    root = write(tmp_path, files)
    assert said(root, "clones.js") == [(1, "ungated-connect", "it is obfuscated")]
    ((line, kind, message),) = said(root, "media.js")
    assert (line, kind) == (1, "guard")
    assert "skillgen guard" in message
    assert said(root, "menu.js") == []


ONCE = f"""{IMPORT}
const sock = makeWASocket({{ auth: load(\\`x\\`, ${{name}}) }});
sock.ev.on('connection.update', ({{ connection }}) => {{
  if (connection) process.exit(connection === 'open' ? 0 : 1);
}});
"""
AGAIN = f"""{IMPORT}
function start() {{
  makeWASocket({{}}).ev.on('connection.update', {{}} => start());
}}
"""


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (ONCE, ("not-a-daemon", "a script inside a string connects once and ends")),
        (AGAIN, ("ungated-connect", "code inside a string is not changed")),
    ],
    ids=["once", "again and again"],
)
def test_a_script_in_a_text(tmp_path: Path, text: str, expected: tuple[str, str]) -> None:
    setup = f"import {{ run }} from './run.js';\nrun(\n  `{text}`,\n);\n"
    root = write(tmp_path, {"bot.js": channel(FLAT), "setup.js": setup})
    assert said(root, "setup.js") == [(3, *expected)]


def test_a_text_that_speaks_of_it(tmp_path: Path) -> None:
    help_text = "export const help = `call makeWASocket() of baileys`;\n"
    root = write(tmp_path, {"bot.js": channel(FLAT), "help.js": help_text})
    assert said(root, "help.js") == []


def test_an_example_with_a_loop_of_its_own_is_held(tmp_path: Path) -> None:
    example = channel("    if (connection === 'close') this.nothing();").replace(
        "sock.ev.on", "harden(sock).ev.on"
    )
    hardened = f"import {{ harden }} from 'socket-hardener';\n{example}"
    listens = "export const watch = (sock) => sock.ev.on('connection.update', (u) => note(u));\n"
    root = write(tmp_path, {"index.js": listens, "examples/bot.js": hardened})
    changed = held_in(root)
    assert "reconnect.socket(makeWASocket, " in changed["examples/bot.js"]
