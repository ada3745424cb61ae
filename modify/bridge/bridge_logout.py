"""The Node half of a bridge, where its source is in the host: a logout is given its own word.

The TypeScript codemod has already paced the bridge; what is added here is what only a Python
program at the other end needs: ``logged_out`` among the statuses, or an exit status of its
own. Both are small edits beside those of that codemod, or inside their texts.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace

from modify.effects import AsksTerminal, EndsProcess, effects, with_status
from modify.rules import ids
from skill.edit import Edit, Patch
from skill.finding import Finding
from skill.host import Host
from skill.source_paths import SCRIPTS, is_no_program

RULE = ids.LOGOUT_HIDDEN_BY_BRIDGE
REPORTS = re.compile(rb"(?<=\()(['\"])disconnected\1(?=\))")
TERMINAL = re.compile(rb"((?:this\.)?#?\w+)\.terminal\b")
ACCEPT_STATUS = "a bridge that sends the status 'logged_out' when WhatsApp has ended the session"


@dataclass(frozen=True)
class Half:
    """The result for the Node half: the finding that is left, or None when it is done.

    patch: its changes, beside those of the Baileys codemod or in their place.
    """

    finding: Finding | None
    patch: Patch = field(default_factory=Patch)


def bridge_sources(host: Host) -> list[str]:
    """The Baileys sources of a host that a Python program may talk to."""
    return [
        file.path
        for file in host.with_suffix(*SCRIPTS)
        if not is_no_program(file.path)
        and b"connection.update" in host.read(file.path)
        and b"makeWASocket" in host.read(file.path)
    ]


def report_logout(host: Host, seen: Finding, planned: Patch) -> Half:
    """Make ``onStatus('disconnected')`` in the close branch report ``logged_out`` if final."""
    bridges = bridge_sources(host)
    if not bridges:
        return Half(left(seen, "the bridge's source is not in this tree", ACCEPT_STATUS))
    if len(bridges) > 1:
        return Half(left(seen, f"several bridges: {', '.join(bridges)}", ACCEPT_STATUS))
    path = bridges[0]
    content, edits = host.read(path), planned.edits.get(path, [])
    if b"logged_out" in content:
        return Half(None)
    names = {effect.gate.encode() for edit in edits for effect in effects(edit, AsksTerminal)}
    names |= {match[1] for match in TERMINAL.finditer(content)}
    places = list(REPORTS.finditer(content))
    if len(places) != 1 or len(names) != 1:
        why = f"{path} reports the end of a connection in a form that is not known"
        return Half(left(seen, why, ACCEPT_STATUS))
    start, end = places[0].span()
    if any(edit.start < end and start < edit.end for edit in edits):
        return Half(left(seen, f"{path} changes at the same place", ACCEPT_STATUS))
    quote, name = places[0][1], names.pop()
    text = name + b".terminal ? " + quote + b"logged_out" + quote + b" : " + places[0][0]
    return Half(None, Patch(edits={path: [Edit(start, end, text, RULE)]}))


def exit_with(host: Host, seen: Finding, code: int, planned: Patch) -> Half:
    """The exit that the TypeScript codemod gave a revoked session gets a status of its own."""
    accept = f"a bridge that exits with {code} when WhatsApp has ended the session"
    bridges = bridge_sources(host)
    if not bridges:
        return Half(left(seen, "the bridge's source is not in this tree", accept, False))
    patch = Patch()
    for path in bridges:
        exits = [edit for edit in planned.edits.get(path, []) if ends_plainly(edit)]
        if b"process.exit(%d)" % code in host.read(path):
            continue
        if not exits:
            return Half(left(seen, f"{path} has no exit of its own for a logout", accept, False))
        patch.amended[path] = {edit: with_status(edit, code) for edit in exits}
    return Half(None, patch)


def ends_plainly(edit: Edit) -> bool:
    """Whether an edit ends the process with a status that is written as a number."""
    return any(effect.statuses for effect in effects(edit, EndsProcess))


def left(seen: Finding, reason: str, accept: str, bounded: bool = True) -> Finding:
    """bounded: the Python half paces its own attempts; a child that is started again is not."""
    said = f"{reason}; Python is prepared for it"
    return replace(seen, fix=None, reason=said, accept=accept, contained=bounded)
