"""The planned change of each Python file of a host, and the modules that the files need."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import cached_property

import libcst as cst

from modify.kit.python.errors import CannotPlace
from modify.kit.python.imports import import_edit
from modify.kit.python.source import Source, parses
from modify.kit.python.sources import Sources
from modify.kit.python.style import style_of
from modify.python.marks import ADDED
from modify.python.wiring import absolute_name, wiring_of
from modify.rules import ids
from skill import __version__
from skill.edit import Addition, Edit, Patch, apply_edits, in_order
from skill.errors import SkillgenError, UnreadableSource
from skill.finding import Finding, Note
from skill.host import Host
from skill.options import Options
from skill.render.python import Profile, callable_names, render_python_module, render_python_test
from skill.source_paths import is_among_tests

MODULE = "whatsapp_reconnect"
WORD = re.compile(rb"[A-Za-z]\w*")
# Functions, classes and parameters.
DEFINED = re.compile(rb"\b(?:def|class)[ \t]+(\w+)|[(\s](\w+):[ \t]")
# A class of each part of the module that a host may have already.
MARKS: dict[Profile, str] = {"bridge": "BridgeLink", "neonize": "Session"}
MOST = 64
"""Dials in one file that are told apart; the most seen is 3."""


@dataclass
class Planning:
    """What is planned for the Python files of one host.

    planned: what the Baileys codemod plans for the same host. edits: by path, before they are
    part of the patch. modules: the added ones, and a file that needs each; profiles: the parts
    they hold. needs: the names that a file imports of its module.
    """

    host: Host
    options: Options
    patch: Patch
    planned: Patch
    sources: Sources = field(init=False)
    edits: dict[str, list[Edit]] = field(default_factory=dict)
    modules: dict[str, Source] = field(default_factory=dict)
    profiles: dict[str, set[Profile]] = field(default_factory=dict)
    needs: dict[str, set[str]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.sources = Sources(self.host)

    def finish(self) -> None:
        """Plan every file that has edits, and the modules that they call."""
        for path in list(self.edits):
            self.take(self.sources.read(path))
        self.add_modules()

    def add(self, source: Source, edits: list[Edit]) -> None:
        if edits:
            self.edits.setdefault(source.path, []).extend(edits)

    def need(self, source: Source, names: set[str], profile: Profile) -> None:
        """Record that a file imports these names of the added module."""
        self.needs.setdefault(source.path, set()).update(names)
        module = posixpath.join(posixpath.dirname(source.path), MODULE + ".py")
        self.modules.setdefault(module, source)
        self.profiles.setdefault(module, set()).add(profile)

    def take(self, source: Source) -> None:
        """Plan the edits of one file, with its import, and read the result again."""
        edits = self.edits[source.path]
        names = self.needs.get(source.path, set())
        if names:
            wanted = ", ".join(sorted(names))
            edit = import_edit(self.host, source, MODULE, wanted, ids.SILENT_REDIAL)
            if edit is not None:
                edits.append(edit)
        edits = in_order(edits)
        after = apply_edits(source.content, edits)
        if not parses(after):
            raise SkillgenError(
                f"{source.path}: the patched file would not parse; "
                "nothing was written, please report this host"
            )
        self.patch.add_edits(source.path, edits)

    def add_modules(self) -> None:
        for path, source in self.modules.items():
            found = self.profiles[path]
            calls = self.calls(posixpath.dirname(path))
            there = self.host.read(path) if self.host.exists(path) else b""
            if ADDED in there[:4000]:
                known = {(a or b).decode() for a, b in DEFINED.findall(there)}
                if calls & callable_names("both") <= known:
                    continue
                # An earlier patch added what was called then; its calls are still there.
                calls |= {name for name in known if not name.startswith("_")}
                found |= {root for root, mark in MARKS.items() if mark in known}
            profile = next(iter(found)) if len(found) == 1 else "both"
            text = render_python_module(
                __version__, profile, style_of(source), calls=calls & callable_names(profile)
            )
            rules = (ids.FLAT_RETRY, ids.SILENT_REDIAL)
            self.patch.additions[path] = Addition(path, text.encode(), rules)
            self.add_test(path, source, profile, calls & callable_names(profile), rules)

    @cached_property
    def needing(self) -> dict[str, list[str]]:
        """The files that call the added module, by folder; asked once all files were looked at."""
        found: dict[str, list[str]] = {}
        for path in self.needs:
            found.setdefault(posixpath.dirname(path), []).append(path)
        return found

    def calls(self, folder: str) -> set[str]:
        """The words that the edits put into the files of a folder: what the host will call."""
        return {
            word.decode()
            for path in self.needing.get(folder, ())
            for edit in self.edits.get(path, ())
            for word in WORD.findall(edit.text)
        }

    def add_test(
        self, module: str, source: Source, profile: Profile, calls: set[str], rules: tuple[str, ...]
    ) -> None:
        """The module's own test, where the host's tests import its package."""
        dotted_name = absolute_name(self.host, module)
        package = dotted_name.partition(".")[0]
        uses = re.compile(
            rb"^[ \t]*(?:from|import)[ \t]+" + package.encode() + rb"\b", re.MULTILINE
        )
        if "." not in dotted_name:
            return
        beside = [
            file.path
            for file in self.host.with_suffix(".py")
            if is_among_tests(file.path)
            and posixpath.basename(file.path).startswith("test_")
            and uses.search(self.host.read(file.path))
        ]
        about = [path for path in beside if b"hats" in self.host.read(path)] or beside
        if about:
            path = posixpath.join(posixpath.dirname(about[0]), f"test_{MODULE}.py")
            style = style_of(source)
            wiring = wiring_of(self.host, self.patch, module, callable_names(profile))
            text = render_python_test(__version__, profile, style, dotted_name, calls, wiring)
            there = self.host.read(path) if self.host.exists(path) else ADDED
            if text and ADDED in there[:4000]:
                self.patch.additions[path] = Addition(path, text.encode(), rules)

    def wanted(self, findings: list[Finding]) -> bool:
        return any(self.options.wants(finding.rule) for finding in findings)

    def hand_off(self, findings: list[Finding], reason: str, accept: str) -> None:
        """Findings that nothing is rewritten for."""
        self.patch.findings += [
            replace(finding, fix=None, reason=reason, accept=accept) for finding in findings
        ]

    def note(self, source: Source, line: int, kind: str, message: str) -> None:
        self.patch.notes.append(Note(source.path, line, kind, message))

    def crowded(self, source: Source, number: int) -> None:
        """Report a file that connects in too many places: each is examined with the whole file."""
        reason = f"a file with more than {MOST} of them is not rewritten"
        accept = "--ignore ungated-connect, once its attempts are bounded by other means"
        self.ungated(source.path, 1, f"connects in {number} places", reason, accept)

    def unreadable(self, error: UnreadableSource) -> None:
        reason = str(error).partition(": ")[2].partition(";")[0]
        message = "may hold a WhatsApp channel, and cannot be read"
        accept = "a file that parses as Python 3"
        self.ungated(error.path, max(error.line, 1), message, reason, accept)

    def ungated(self, path: str, line: int, message: str, reason: str, accept: str) -> None:
        found = Finding(path, line, 1, ids.UNGATED_CONNECT, message, None, reason, accept)
        self.patch.findings.append(found)

    def rewritten(
        self, findings: list[Finding], rewrite: Callable[[], list[Edit]], accept: str
    ) -> list[Edit]:
        unproven = self.options.why_not_rewritten(findings[0].path)
        if unproven:
            self.hand_off(findings, unproven, accept)
            return []
        try:
            edits = rewrite()
        except CannotPlace as error:
            self.hand_off(findings, str(error), accept)
            return []
        self.patch.findings += findings
        return edits


def place(
    source: Source, rule: str, node: cst.CSTNode, message: str, fix: str | None = None
) -> Finding:
    line, column = source.place(node)
    return Finding(source.path, line, column, rule, message, fix)
