"""A small host put through skillgen, with every promise asserted that no test may forget.

``patched`` plans, applies, plans again and reverts, and fails where a promise does not hold:
what the test asks of the result comes after that. A frame for one kind of host (``tests/quick``
has one each for channels, units and Python) adds its texts, and nothing of this.
"""

from __future__ import annotations

import ast
import hashlib
import json
import plistlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache, lru_cache
from pathlib import Path, PurePosixPath
from unittest.mock import patch as patching

import modify
from modify.kit.typescript.source import Source
from skill import transaction
from skill.edit import Edit, Patch
from skill.errors import UnreadableSource
from skill.finding import Finding, Note
from skill.host import Host
from skill.options import Options
from skill.plan import Change, Plan, plan_of
from skill.rulebook import rules
from skill.source_paths import SCRIPTS

Files = Mapping[str, str | bytes]
Codemod = Callable[[Host, Options], Patch]
Tree = dict[str, tuple[bytes, int]]
"""The bytes and the permission bits of each file."""
BYTE_ORDER_MARK = b"\xef\xbb\xbf"
STATE = ".skillgen"
EVERY = 4
"""How many hosts there are to one that the transaction applies and reverts."""


@dataclass(frozen=True)
class Outcome:
    """What became of a host. patch: as the codemod made it. after: every file, patched."""

    root: Path
    patch: Patch
    plan: Plan
    again: Plan
    after: Mapping[str, bytes]

    def text(self, path: str) -> str:
        return self.after[path].decode()

    @property
    def left(self) -> tuple[Finding, ...]:
        """What a person has to settle."""
        return self.plan.hand_offs

    @property
    def settled(self) -> tuple[Finding, ...]:
        return self.plan.settled

    def notes(self, kind: str) -> list[Note]:
        return [note for note in self.plan.notes if note.kind == kind]


def write(root: Path, files: Files) -> None:
    for path, content in files.items():
        target = root / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content if isinstance(content, bytes) else content.encode())


def patched(
    root: Path,
    files: Files | None = None,
    options: Options | None = None,
    codemod: Codemod | None = None,
) -> Outcome:
    """Patch the host below ``root``, to which ``files`` are added first, and take it back.

    codemod: the one to ask, or all of them. The folder is left as it was before the patch.
    """
    write(root, files or {})
    options = options or Options()
    codemod = codemod or modify.examine
    before = tree(root)
    host = Host(root)
    patch = codemod(host, options)
    plan = plan_of(host, options, patch)
    assert tree(root) == before, "planning writes nothing"
    for finding in plan.findings:
        check_finding(finding)
    for change in plan.changes:
        check_change(change, patch.edits.get(change.path))
    if not plan.changes:
        return Outcome(root, patch, plan, plan, {path: text for path, (text, _) in before.items()})
    with applied(plan, before):
        after = tree(root)
        changed = {change.path: (change.after, change.mode) for change in plan.changes}
        assert after == before | changed, "the plan is what is applied"
        fresh = Host(root)
        again = plan_of(fresh, options, codemod(fresh, options))
        assert again.changes == (), "a second apply changes nothing"
        assert again.settled == (), "what was settled is not found again"
    assert tree(root) == before, "revert gives every byte back"
    return Outcome(root, patch, plan, again, {path: text for path, (text, _) in after.items()})


@contextmanager
def applied(plan: Plan, before: Tree) -> Iterator[None]:
    """Apply the plan, and revert it: one host in four by the transaction, which takes its time.

    Which ones depends on their bytes alone, so a failure is there again on the next run.
    """
    if not is_sampled(before):
        for change in plan.changes:
            write(plan.root, {change.path: change.after or b""})
            (plan.root / change.path).chmod(change.mode)
        yield
        for change in plan.changes:
            if change.before is None:
                (plan.root / change.path).unlink()
            else:
                write(plan.root, {change.path: change.before})
        return
    with patching("os.fsync", lambda _: None):  # the power is not cut here
        transaction.apply(plan)
        yield
        reverted = transaction.revert(plan.root)
    assert reverted is not None and not reverted.conflicts, reverted


def is_sampled(files: Tree) -> bool:
    digest = hashlib.sha256()
    for path, (content, _) in sorted(files.items()):
        digest.update(path.encode() + b"\0" + content + b"\0")
    return digest.digest()[0] % EVERY == 0


def tree(root: Path) -> Tree:
    """The files of a host; the record of what was applied is not the host's own."""
    return {
        path.relative_to(root).as_posix(): (path.read_bytes(), path.stat().st_mode & 0o777)
        for path in root.rglob("*")
        if path.is_file() and path.relative_to(root).parts[0] != STATE
    }


rule_ids = cache(lambda: frozenset(rules()))


def check_finding(finding: Finding) -> None:
    assert finding.rule in rule_ids(), finding
    assert finding.line >= 1 and finding.column >= 1, finding
    if finding.is_hand_off:
        assert finding.reason and finding.accept, "a hand-off says why, and what then"


def check_change(change: Change, edits: Iterable[Edit] | None) -> None:
    """No byte outside of the edits changes, nor the kind of line ends, and the result parses.

    A file without edits is added, in the place of an older one perhaps.
    """
    assert change.after is not None
    if change.before is None or edits is None:
        assert parses(change.path, change.after), f"{change.path} is added and does not parse"
        return
    check_outside(change.before, change.after, edits)
    marks = [text.startswith(BYTE_ORDER_MARK) for text in (change.before, change.after)]
    assert marks[0] == marks[1], f"{change.path}: the byte-order mark"
    for bare in (b"\n", b"\r"):
        if bare not in change.before.replace(b"\r\n", b""):
            assert bare not in change.after.replace(b"\r\n", b""), f"{change.path}: line ends"
    if b"\r\n" not in change.before:
        assert b"\r\n" not in change.after, f"{change.path}: line ends"
    if parses(change.path, change.before):
        assert parses(change.path, change.after), f"{change.path} no longer parses"


def check_outside(before: bytes, after: bytes, edits: Iterable[Edit]) -> None:
    """Every byte outside the edits is in the result, in order, and nothing else is."""
    position, offset = 0, 0
    for edit in sorted(set(edits)):
        kept = before[position : edit.start]
        assert after[offset : offset + len(kept)] == kept
        offset += len(kept)
        assert after[offset : offset + len(edit.text)] == edit.text
        offset += len(edit.text)
        position = edit.end
    assert after[offset:] == before[position:]


@lru_cache(maxsize=512)
def parses(path: str, content: bytes) -> bool:
    """Whether a reader of this kind of file takes it; true for kinds that have none here."""
    try:
        match PurePosixPath(path).suffix:
            case ".py":
                ast.parse(content)
            case ".json":
                json.loads(content)
            case ".plist":
                plistlib.loads(content)
            case suffix if suffix in SCRIPTS:
                Source.parse(path, content)
    except (ValueError, SyntaxError, UnreadableSource, plistlib.InvalidFileException):
        return False
    return True
