"""Units in Python beyond their text: dicts for plistlib, tests that repeat a unit.

Read with ``ast`` and edited as bytes; libcst is not needed and not loaded.
"""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterator
from functools import partial

from modify.channel_files import has_channel
from modify.effects import RestartsOnFailureOnly, has_effect
from modify.kit.python import values
from modify.kit.python.tree import line_starts, nodes_around, parse, span
from modify.rules import ids
from modify.units.bot_project import BotProject
from modify.units.started import Started
from modify.units.started_program import Reader
from skill.edit import Edit, Patch
from skill.finding import Finding, Note
from skill.host import Host
from skill.options import Options
from skill.source_paths import is_among_tests

KEEP_ALIVE = ids.LAUNCHD_KEEP_ALIVE
TESTS = ids.FAULT_ASSERTING_TEST
ASSERTION = re.compile(
    rb"^[ \t]*assert[ \t]+(['\"])(?P<text>[^'\"\n]*\bRestart=(?P<value>always)\b[^'\"\n]*)\1"
    rb"[ \t]+in[ \t]",
    re.MULTILINE,
)
NEGATED = re.compile(rb"[ \t]+not[ \t]+in[ \t]")
SPEAKS = re.compile(rb"^[^#\n]*['\"][^'\"\n]*Restart=always", re.MULTILINE)
RIGHT = '{"SuccessfulExit": False}'


def plist_dicts(host: Host, options: Options) -> Patch:
    """``{"KeepAlive": True, …}`` for ``plistlib.dumps`` in a host with a WhatsApp channel."""
    patch = unreadable_units(host, options)
    paths = [
        file.path
        for file in host.with_suffix(".py")
        if not is_among_tests(file.path)
        and options.covers(file.path)
        and b"KeepAlive" in host.read(file.path)
        and b"plistlib" in host.read(file.path)
    ]
    if not paths or not options.wants(KEEP_ALIVE) or not has_channel(host):
        return patch
    for path in paths:
        in_file(host, path, patch)
    return patch


def unreadable_units(host: Host, options: Options) -> Patch:
    """Report files that may hold a unit but do not parse."""
    patch = Patch()
    rule = ids.SYSTEMD_RESTART_ALWAYS
    if not options.wants(rule):
        return patch
    for file in host.with_suffix(".py"):
        content = host.read(file.path)
        wanted = b"[Service]" in content and b"Restart=always" in content
        if not wanted or is_among_tests(file.path) or parse(content) is not None:
            continue
        if not options.covers(file.path):
            continue
        if not has_channel(host):
            return patch
        version = ".".join(map(str, sys.version_info[:2]))
        line = content.count(b"\n", 0, content.find(b"Restart=always")) + 1
        message = "may hold a unit that restarts the bot forever, and cannot be read"
        reason = f"Python {version}, which runs skillgen, cannot read this file"
        accept = "Restart=on-failure in that unit, or a Python that can read the file"
        patch.findings.append(
            Finding(file.path, line, 1, rule, message, reason=reason, accept=accept)
        )
    return patch


def in_file(host: Host, path: str, patch: Patch) -> None:
    content = host.read(path)
    tree = parse(content)
    if tree is None:
        return
    lines = line_starts(content)
    for node in nodes_around(tree, content, b"KeepAlive"):
        if not isinstance(node, ast.Dict):
            continue
        entries = {
            key.value: (key, value)
            for key, value in zip(node.keys, node.values, strict=True)
            if isinstance(key, ast.Constant) and isinstance(key.value, str)
        }
        if "KeepAlive" not in entries or not {"Label", "ProgramArguments"} & entries.keys():
            continue
        key, value = entries["KeepAlive"]
        line, column = key.lineno, key.col_offset + 1
        if is_right(value):
            patch.notes.append(Note(path, line, "right", "restarts the bot as it should"))
            continue
        started = started_by(host, path, entries.get("ProgramArguments"))
        if started.kind == "side":
            message = f"starts {started.what}, not the bot"
            patch.notes.append(Note(path, line, "side-service", message))
            continue
        message = "KeepAlive restarts the bot even after its session was revoked"
        accept = "KeepAlive as a dictionary of SuccessfulExit False and nothing else"
        plain = isinstance(value, ast.Constant | ast.Dict)
        if started.kind == "unknown" or not plain:
            reason = f"cannot tell whether it starts the bot: {started.why}"
            if not plain:
                reason = "its value is computed"
            found = Finding(path, line, column, KEEP_ALIVE, message, None, reason, accept)
            patch.findings.append(found)
            continue
        start, end = span(value, lines)
        quote = content[span(key, lines)[0] : span(key, lines)[0] + 1].decode()
        text = RIGHT.replace('"', quote if quote in "'\"" else '"')
        patch.add_edits(path, [Edit(start, end, text.encode(), KEEP_ALIVE)])
        fix = "KeepAlive = {SuccessfulExit: false}"
        patch.findings.append(Finding(path, line, column, KEEP_ALIVE, message, fix))


def is_right(value: ast.expr) -> bool:
    try:
        read = ast.literal_eval(value)
    except ValueError:
        return False
    return read is False or read == {"SuccessfulExit": False}


def started_by(host: Host, path: str, entry: tuple[ast.expr, ast.expr] | None) -> Started:
    """The program that the argument list starts; a computed element is a hole."""
    file = values.python_file(host, path)
    if entry is None or file is None:
        return Started("unknown", "", "its arguments are computed")
    line = entry[1].lineno
    words = values.Reader(file, file.around(line)).words(entry[1])
    if words is None:
        return Started("unknown", "", "its arguments are computed")
    known = partial(values.resolve, host, path, line)
    return Reader(BotProject(host), known).command(words)


# --- tests that repeat a unit's text -----------------------------------------------------------


def asserting_tests(host: Host, options: Options, whole: Patch) -> Patch:
    """Update assertions of ``Restart=always`` in the host's Python tests, once units change."""
    patch = Patch()
    rule = ids.SYSTEMD_RESTART_ALWAYS
    changed = any(
        edit.rule == rule and has_effect(edit, RestartsOnFailureOnly)
        for path, edits in whole.edits.items()
        if path.endswith(".py")
        for edit in edits
    )
    if not changed or TESTS in options.ignore:
        return patch
    left = any(f.rule == rule and f.is_hand_off for f in whole.findings)
    for file in host.with_suffix(".py"):
        if is_among_tests(file.path) and b"Restart=always" in host.read(file.path):
            for finding, edit in assertions(file.path, host.read(file.path), left):
                patch.findings.append(finding)
                if edit is not None:
                    patch.add_edits(file.path, [edit])
    return patch


def own_text(content: bytes, position: int) -> bool:
    """Whether the test has a unit of its own, independent of the host's."""
    start = max(content.rfind(b"\ndef ", 0, position), content.rfind(b"    def ", 0, position), 0)
    before = content[start:position]
    return re.search(rb"\[Service\]", before) is not None and b"Restart=always" in before


def assertions(path: str, content: bytes, left: bool) -> Iterator[tuple[Finding, Edit | None]]:
    known = {found.start(): found for found in ASSERTION.finditer(content)}
    for spoken in SPEAKS.finditer(content):
        line = content.count(b"\n", 0, spoken.start()) + 1
        end = content.find(b"\n", spoken.start())
        text = content[spoken.start() : end if end > 0 else len(content)]
        if NEGATED.search(text) or b"assert" not in text or own_text(content, spoken.start()):
            continue
        message = "the test expects Restart=always of the unit"
        found = known.get(spoken.start())
        if found is not None and not left:
            edit = Edit(*found.span("value"), b"on-failure", TESTS)
            fix = "expects what the unit now says"
            yield Finding(path, line, 1, TESTS, message, fix), edit
        else:
            reason = (
                "it may mean another unit" if left else "the form of the assertion is not known"
            )
            accept = "an assertion that holds for the unit as it is written now"
            yield Finding(path, line, 1, TESTS, message, None, reason, accept), None
