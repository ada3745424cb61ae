"""Whether a QR code ends the process: only where nothing of it can show the code to anybody."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.quick.rewrite.harness import IMPORTS, patched

CANNOT = "  pairing: false,\n"


def bot(handler: str, head: str = "", load: str = "'auth'") -> str:
    return f"""\
{IMPORTS}{head}
export async function connect() {{
  const {{ state }} = await useMultiFileAuthState({load});
  const sock = makeWASocket({{ auth: state }});
  sock.ev.on('connection.update', async (update) => {{
    const {{ connection, lastDisconnect, qr }} = update;
    {handler}
    const code = lastDisconnect?.error?.output?.statusCode;
    if (connection === 'close' && code !== 401) connect();
  }});
}}

connect();
"""


@pytest.mark.parametrize(
    "handler",
    [
        "",
        "if (qr) process.exit(1);",
        "console.log(update);",
        "console.log({ connection, asked: !!qr, update: JSON.stringify(update) });",
        "if (connection === 'open' || qr === undefined) console.log('well');",
        "note(update);",
    ],
    ids=["no word of it", "exit", "logged", "logged in parts", "tested", "a note of the state"],
)
def test_a_code_that_nobody_is_shown_cannot_pair(tmp_path: Path, handler: str) -> None:
    note = "function note(state) {\n  console.log(state.connection);\n}\n"
    made = patched(tmp_path, {"bot.ts": bot(handler, head=note)})
    assert CANNOT in made.files["bot.ts"]


@pytest.mark.parametrize(
    "handler",
    [
        "qr ? page.emit('code', qr) : page.emit('gone');",
        "page.code = qr ?? null;",
        "qr && show(qr);",
        "await handle(update, sock);",
        "page.emit('update', { connection, qr });",
        "const image = await draw(update.qr);",
    ],
)
def test_a_code_that_goes_anywhere_can_pair(tmp_path: Path, handler: str) -> None:
    head = "import { draw, handle, page, show } from './page.js';\n"
    made = patched(
        tmp_path, {"bot.ts": bot(handler, head=head), "page.js": "export const page = 1;"}
    )
    assert "new Reconnect(" in made.files["bot.ts"]
    assert CANNOT not in made.files["bot.ts"]


LISTENER = """\
export function showQr(sock) {
  sock.ev.on('connection.update', ({ qr }) => qr && console.log(qr));
}
"""


@pytest.mark.parametrize("imports", [True, False], ids=["imported", "imports the bot"])
def test_a_listener_of_another_file_may_show_it(tmp_path: Path, imports: bool) -> None:
    head = "import { showQr } from './qr.js';\n" if imports else ""
    other = LISTENER if imports else "import { connect } from './bot.js';\n" + LISTENER
    made = patched(tmp_path, {"bot.ts": bot("", head=head), "qr.ts": other})
    assert "new Reconnect(" in made.files["bot.ts"]
    assert CANNOT not in made.files["bot.ts"]


def test_a_pairing_script_of_its_own_is_no_part_of_the_process(tmp_path: Path) -> None:
    made = patched(tmp_path, {"bot.ts": bot(""), "pair.ts": LISTENER})
    assert CANNOT in made.files["bot.ts"]
