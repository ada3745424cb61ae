"""Assertions of a host's own tests in TypeScript that hold for a unit only as it was."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from modify.kit.typescript import javascript
from modify.kit.typescript.layout import Layout
from modify.kit.typescript.source import span
from modify.kit.typescript.style import detect_style
from modify.rules import Rule, Sight, ids
from modify.units.bot_project import BotProject
from modify.units.managers.launchd import LaunchdUnit
from modify.units.managers.systemd import SystemdUnit
from modify.units.model import UnitText
from skill.edit import Edit, apply_edits
from skill.finding import Finding
from skill.host import Host
from skill.source_paths import SCRIPTS, is_among_tests

if TYPE_CHECKING:
    from ast_grep_py import Config, SgNode

RULE = ids.FAULT_ASSERTING_TEST
Unit = SystemdUnit | LaunchdUnit

# In the source of a literal a setting may stand behind an escaped line break.
TOKEN = re.compile(
    r"(?:\b|(?<=\\n))(Restart|RestartSec|StartLimitIntervalSec|StartLimitBurst)=([\w.-]+)"
)
GAP = r"((?:\s|\\n|\\r|\\t|\\s[*+]?)*)"
KEEP_ALIVE = re.compile(r"<key>KeepAlive<\\?/key>" + GAP + r"(<true\s*\\?/>)")
EXPECTED: Config = {
    "rule": {"any": [{"kind": "string"}, {"kind": "template_string"}, {"kind": "regex"}]}
}
NEGATED = re.compile(
    r"\.not\.|doesNotMatch|notMatch|toBe\(false\)|toBeFalsy|\bassert\(\s*!|ok\(\s*!"
)
IS_ASSERTION = re.compile(r"\b(expect|assert|should)\b")
TITLED = ("it", "test", "describe")
FAULTS = (
    (re.compile(r"^(\s*Restart=)on-failure", re.MULTILINE), r"\1always"),
    (re.compile(r"^(\s*RestartSec=)(?:10|61)\b", re.MULTILINE), r"\g<1>5"),
    (re.compile(r"(<key>KeepAlive</key>\s*)<dict>.*?</dict>", re.DOTALL), r"\1<true/>"),
)
MARKS = (b"Restart", b"KeepAlive", b"StartLimit", b"always")


@dataclass(frozen=True)
class Change:
    """A unit's text before and after, as the program that writes it sees it."""

    text: UnitText
    before: str
    after: str


def sights(
    rule: Rule, host: Host, examined: Sequence[tuple[Unit, list[Sight]]], others: Iterable[Unit]
) -> Iterator[Sight]:
    changes = [change_of(unit.text, faults) for unit, faults in examined]
    if not changes:
        return
    project = BotProject(host)
    left = [unit.text for unit in others]
    for file in host.with_suffix(*SCRIPTS):
        content = host.read(file.path)
        if is_among_tests(file.path) and any(mark in content for mark in MARKS):
            yield from TestFile(rule, project, file.path, content, changes, left).faults()
    if not any(faults for _, faults in examined):
        return
    for file in host.with_suffix(".snap"):
        yield from in_snapshot(file.path, host.read(file.path))


def change_of(text: UnitText, faults: list[Sight]) -> Change:
    """What the rules change in a unit; in one that is right, what they would have changed.

    So an assertion that still expects the fault is found after the unit was mended, too.
    """
    after = text.after([edit for fault in faults for edit in fault.edits])
    new = plain(text, after.content[after.start : after.end])
    old = plain(text, text.content[text.start : text.end])
    if old == new:
        for pattern, fault in FAULTS:
            old = pattern.sub(fault, old)
    return Change(text, old, new)


def plain(text: UnitText, content: bytes) -> str:
    decoded = content.decode("utf-8", "replace")
    return decoded.replace("\\n", "\n") if text.escaped else decoded


def in_snapshot(path: str, content: bytes) -> Iterator[Sight]:
    found = re.search(rb"Restart=always|<key>KeepAlive</key>\s*<true/>", content)
    if found:
        line = content.count(b"\n", 0, found.start()) + 1
        message = "a snapshot holds the unit as it was"
        reason = "snapshot files are written by the test runner"
        accept = "the snapshot written anew (vitest run -u)"
        yield Sight(Finding(path, line, 1, RULE, message, reason=reason, accept=accept))


@dataclass(frozen=True)
class TestFile:
    """A test file of the host, the changed units and those left alone."""

    __test__ = False  # no test class of pytest
    rule: Rule
    project: BotProject
    path: str
    content: bytes
    changes: list[Change]
    others: list[UnitText]

    def faults(self) -> Iterator[Sight]:
        root = javascript.parse(self.content, self.path)
        imported = set(self.project.imports_of(self.path))
        near = [c for c in self.changes if c.text.path == self.path or c.text.path in imported]
        if not near:
            return
        units = [javascript_range(text) for text in self.own_texts()]
        rewritten: list[Edit] = []
        for node in root.find_all(EXPECTED):
            start, end = span(node)
            if any(start < b and a < end for a, b in units):
                continue
            statement = statement_of(node)
            if statement is None or NEGATED.search(statement.text()):
                continue
            about, sure = self.about(root, statement, near, imported)
            broken = [change for change in about if breaks(node, change)]
            if not broken:
                continue
            edits = list(self.rewrite(node, broken))
            rewritten += edits if sure else []
            yield self.fault(node, edits if sure else [], sure)
        titles = list(self.titles(root, rewritten, near))
        if titles:
            message = "the title of the test names it, too"
            yield self.rule.at(self, titles[0].start, message, edits=titles)

    def own_texts(self) -> list[UnitText]:
        texts = [change.text for change in self.changes] + self.others
        return [text for text in texts if text.path == self.path]

    def about(
        self, root: SgNode, statement: SgNode, near: list[Change], imported: set[str]
    ) -> tuple[list[Change], bool]:
        """The changes that an assertion is about, and whether that is certain."""
        pending = identifiers(subject_of(statement))
        seen: set[str] = set()
        found: list[Change] = []
        elsewhere = False
        while pending:
            name = pending.pop()
            if name in seen:
                continue
            seen.add(name)
            before = span(statement)[0]
            declaration = javascript.declared_as(root, name, before)
            if declaration is None:
                made = [c for c in near if c.text.path in imported and makes(c.text, name)]
                found += made
                elsewhere |= any(t.path in imported and makes(t, name) for t in self.others)
                continue
            inside = [c for c in near if c.text.path == self.path and within(c.text, declaration)]
            found += inside
            elsewhere |= any(t.path == self.path and within(t, declaration) for t in self.others)
            value = declaration.field("value")
            if value is not None and not inside:
                pending |= identifiers(value)
        if found or elsewhere:
            return found, not elsewhere
        alone = not any(text.path in {c.text.path for c in near} for text in self.others)
        return near, alone

    def rewrite(self, node: SgNode, broken: list[Change]) -> Iterator[Edit]:
        """Edits that make a broken assertion hold again, or none."""
        start, _ = span(node)
        text = node.text()
        for change in broken:
            edits = [*tokens(text, change), *keep_alive(text, change, node.kind() == "regex")]
            new = apply_edits(text.encode(), edits).decode()
            if edits and holds(new, node.kind(), change.after):
                for edit in edits:
                    yield Edit(edit.start + start, edit.end + start, edit.text, RULE)
                yield from self.broken_line(node, len(new) - len(text))
                return

    def broken_line(self, node: SgNode, longer: int) -> Iterator[Edit]:
        """The last argument list broken as prettier does it, where the line grows too long.

        Only for a lone argument of the statement's last call, on a line that fitted before:
        what is laid out in another way is its maintainers' own.
        """
        arguments = node.parent()
        if arguments is None or arguments.kind() != "arguments" or not longer:
            return
        opened, closed = span(arguments)
        begin = self.content.rfind(b"\n", 0, opened) + 1
        stop = self.content.find(b"\n", closed)
        line = self.content[begin : stop if stop >= 0 else len(self.content)]
        text = line.decode("utf-8", "replace").rstrip("\r")
        start, end = span(node)
        alone = (opened + 1, closed - 1) == (start, end)
        if not alone or text[closed - begin :].strip() not in ("", ";") or begin + len(line) < end:
            return
        source = self.content.decode("utf-8", "replace")
        layout = Layout(detect_style(self.project.host, self.path, source))
        if not layout.fits("", text) or layout.fits("", text + "x" * longer):
            return
        indent = text[: len(text) - len(text.lstrip())]
        line_break = "\r\n" if line.endswith(b"\r") else "\n"
        before = f"{line_break}{indent}{layout.style.indent}"
        after = f"{layout.call_comma}{line_break}{indent}"
        yield Edit(opened + 1, opened + 1, before.encode(), RULE)
        yield Edit(closed - 1, closed - 1, after.encode(), RULE)

    def titles(self, root: SgNode, rewritten: list[Edit], near: list[Change]) -> Iterator[Edit]:
        """The titles of the tests whose assertions changed."""
        for call in root.find_all(kind="call_expression"):
            start, end = span(call)
            function, arguments = call.field("function"), call.field("arguments")
            if function is None or arguments is None or function.text() not in TITLED:
                continue
            if not any(start <= edit.start < end for edit in rewritten):
                continue
            title = next(iter(arguments.named_children()), None) if arguments else None
            if title is None or title.kind() not in ("string", "template_string"):
                continue
            offset = span(title)[0]
            for change in near:
                edits = list(tokens(title.text(), change))
                for edit in edits:
                    yield Edit(edit.start + offset, edit.end + offset, edit.text, RULE)
                if edits:
                    break

    def fault(self, node: SgNode, edits: list[Edit], sure: bool) -> Sight:
        start, end = span(node)
        literal = self.content[start:end].decode("utf-8", "replace")
        message = f"the test expects {' '.join(literal.split())} of the unit"
        if edits:
            return self.rule.at(self, start, message, edits=edits)
        reason = "the form of the assertion is not known" if sure else "it may mean another unit"
        return self.rule.hand_off(self, start, message, reason)

    def place(self, position: int) -> tuple[int, int]:
        start = self.content.rfind(b"\n", 0, position) + 1
        return self.content.count(b"\n", 0, position) + 1, position - start + 1


def javascript_range(text: UnitText) -> tuple[int, int]:
    return text.start - 1, text.end + 1


def statement_of(node: SgNode) -> SgNode | None:
    """The assertion that a literal stands in, or nothing."""
    for above in node.ancestors():
        if above.kind() == "expression_statement":
            return above if IS_ASSERTION.match(above.text().removeprefix("await ")) else None
        if above.kind() in ("statement_block", "program", "arrow_function"):
            return None
    return None


def subject_of(statement: SgNode) -> SgNode:
    """The subject of an assertion: the first argument of ``expect(…)`` or ``assert.match(…)``."""
    for call in statement.find_all(kind="call_expression"):
        function, arguments = call.field("function"), call.field("arguments")
        if function is None or arguments is None:
            continue
        if re.match(r"(expect|assert[\w.]*)$", function.text()):
            first = next(iter(arguments.named_children()), None)
            return first if first is not None else call
    return statement


def identifiers(node: SgNode) -> set[str]:
    found = {item.text() for item in node.find_all(kind="identifier")}
    return found | ({node.text()} if node.kind() == "identifier" else set())


def within(text: UnitText, declaration: SgNode) -> bool:
    start, end = span(declaration)
    return start <= text.start and text.end <= end


def makes(text: UnitText, name: str) -> bool:
    """Whether the declaration ``name`` of the unit's own file holds the unit."""
    root = javascript.parse(text.content, text.path)
    return any(
        declared.text() == name and within(text, node)
        for node in root.find_all(javascript.DECLARATIONS)
        if (declared := node.field("name")) is not None
    )


def breaks(node: SgNode, change: Change) -> bool:
    text, kind = node.text(), node.kind()
    return holds(text, kind, change.before) and not holds(text, kind, change.after)


def holds(literal: str, kind: str, text: str) -> bool:
    """Whether a string is in the text, or a regular expression matches it."""
    if kind != "regex":
        content = javascript.decoded(literal[1:-1])
        return bool(content.strip()) and content in text
    pattern, _, flags = literal[1:].rpartition("/")
    options = re.MULTILINE if "m" in flags else 0
    options |= (re.IGNORECASE if "i" in flags else 0) | (re.DOTALL if "s" in flags else 0)
    try:
        return re.search(pattern.replace("\\/", "/"), text, options) is not None
    except re.error:  # a form that only JavaScript knows
        return False


def settings(text: str) -> dict[str, str]:
    return {found[1]: found[2] for found in re.finditer(r"^\s*(\w+)\s*=\s*(\S+)", text, re.M)}


def tokens(literal: str, change: Change) -> Iterator[Edit]:
    """``Restart=always`` → the value that the changed unit has; only values are edited."""
    if change.text.kind != "systemd":
        return
    before, after = settings(change.before), settings(change.after)
    for found in TOKEN.finditer(literal):
        new = after.get(found[1])
        if found[2] == before.get(found[1]) and new is not None and new != found[2]:
            yield Edit(found.start(2), found.end(2), new.encode(), RULE)


def keep_alive(literal: str, change: Change, is_regex: bool) -> Iterator[Edit]:
    """``<true/>`` behind the key → the dictionary, as it stands in the changed list."""
    if change.text.kind != "launchd":
        return
    after = re.search(r"<key>KeepAlive</key>\s*(<dict>.*?</dict>)", change.after, re.DOTALL)
    for found in KEEP_ALIVE.finditer(literal):
        if after is None:
            continue
        new = after[1]
        if is_regex:
            new = re.sub(r"\s+", r"\\s*", new).replace("/", "\\/")
        elif "\\n" in found[1] or literal[0] != "`":
            new = new.replace("\n", "\\n")
        yield Edit(found.start(2), found.end(2), new.encode(), RULE)
