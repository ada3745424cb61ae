"""A small host on disk, patched in memory: what becomes of each file, and what is handed off."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from modify.baileys.codemod import examine
from modify.kit.typescript.source import Source
from skill.edit import apply_edits
from skill.finding import Finding
from skill.host import Host
from skill.options import Options

HELD = "reconnect.socket(makeWASocket, "
HELD_IMPORT = "import * as reconnect from './whatsapp-reconnect.js';\n"
IMPORTS = """\
import makeWASocket, { DisconnectReason, useMultiFileAuthState } from '@whiskeysockets/baileys';
"""


@dataclass(frozen=True)
class Patched:
    """files: the text of each file after the patch. left: what a person has to settle.

    held: why each channel whose dial is held was not rewritten.
    """

    files: Mapping[str, str]
    left: tuple[Finding, ...]
    held: tuple[str, ...] = ()

    @property
    def reasons(self) -> set[str]:
        return {finding.reason for finding in self.left}


def patched(root: Path, files: Mapping[str, str]) -> Patched:
    """Patch the host and look at it again: a second time nothing changes, and all of it parses."""
    for path, text in {"package.json": '{ "type": "module" }', **files}.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(text, encoding="utf-8")
    made = examine(Host(root), Options())
    for path, edits in made.edits.items():
        (root / path).write_bytes(apply_edits((root / path).read_bytes(), edits))
    for path, added in made.additions.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_bytes(added.content)
    for path in made.edits:
        Source.parse(path, (root / path).read_bytes())
    again = examine(Host(root), Options())
    assert (again.edits, again.additions) == ({}, {}), "a second apply changes it again"
    settled = [finding for finding in made.findings if not finding.is_hand_off]
    assert bool(made.edits) == bool(settled), made.findings
    left = tuple(finding for finding in made.findings if finding.is_hand_off)
    assert bool(left) == bool(again.findings), again.findings
    texts = {path: (root / path).read_text(encoding="utf-8") for path in files}
    held = [
        note.message.partition("not rewritten: ")[2] for note in made.notes if note.kind == "held"
    ]
    again_held = [note for note in again.notes if note.kind == "held"]
    assert len(held) == len(again_held), again_held
    return Patched(texts, left, tuple(held))


def held_text(text: str) -> str:
    """A file of these tests as the hold leaves it: three lines differ, no more."""
    local = list(re.finditer(r"^import .* from '\./[^']*';\n", text, re.M))
    made = text.replace("makeWASocket({", HELD + "{").replace(
        "await useMultiFileAuthState(", "await reconnect.authState(useMultiFileAuthState, "
    )
    every = list(re.finditer(r"^import .* from '[^']*';\n", text, re.M))
    last = (local or every)[-1][0]
    return made.replace(last, last + HELD_IMPORT, 1)


def host_text(close: str, around: str = "", tail: str = "connect();", head: str = "") -> str:
    """A channel of plain functions; ``close`` is its close branch, ``tail`` how it starts."""
    return f"""\
{IMPORTS}{head}
async function connect() {{
  const {{ state }} = await useMultiFileAuthState('auth');
  const sock = makeWASocket({{ auth: state }});
  sock.ev.on('connection.update', async (update) => {{
    const {{ connection, lastDisconnect }} = update;
    const code = lastDisconnect?.error?.output?.statusCode;
    if (connection === 'close') {{
{close}
    }}
  }});
{around}}}

{tail}
"""
