"""A small host on disk, patched in memory: what becomes of each file, and what is handed off."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from modify.baileys.codemod import examine
from skill.finding import Finding
from tests import harness

MODULES = '{ "type": "module" }'
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
    """Patch a host of these files, and leave it so: what is settled, and that alone, changes it."""
    made = harness.patched(root, {"package.json": MODULES, **files}, codemod=examine)
    assert bool(made.patch.edits) == bool(made.settled), made.plan.findings
    assert bool(made.left) == bool(made.again.findings), made.again.findings
    harness.write(root, made.after)
    held = made.notes("held")
    assert len(held) == len([note for note in made.again.notes if note.kind == "held"])
    return Patched(
        {path: made.text(path) for path in files},
        made.left,
        tuple(note.message.partition("not rewritten: ")[2] for note in held),
    )


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
