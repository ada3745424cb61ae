"""Byte edits: the only way a file of the host is changed.

An edit names a byte range of the file as it was read and the bytes that take its
place. Everything outside the ranges stays as it is by construction: comments, line
ends, byte-order mark, tabs, final newline.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from skill.errors import SkillgenError
from skill.finding import Finding, Note

Range = tuple[int, int]
"""Where some bytes of a file begin and end (exclusive)."""


class Effect:
    """The effect of an edit on the bot: see ``modify.effects``."""

    __slots__ = ()


@dataclass(frozen=True, slots=True, order=True)
class Edit:
    """Replace the bytes ``start`` to ``end`` (exclusive) by ``text``; ``rule`` asked for it.

    effects: for other codemods; they make no difference between two edits.
    """

    start: int
    end: int
    text: bytes
    rule: str = ""
    effects: tuple[Effect, ...] = field(default=(), compare=False)


@dataclass(frozen=True, slots=True)
class Addition:
    """A file that the host gains. path: relative to the host, POSIX; mode: permission bits."""

    path: str
    content: bytes
    rules: tuple[str, ...] = ()
    mode: int = 0o644


@dataclass(slots=True)
class Patch:
    """Findings and notes of the codemods, and their changes: edits by path, new files."""

    findings: list[Finding] = field(default_factory=list)
    notes: list[Note] = field(default_factory=list)
    edits: dict[str, list[Edit]] = field(default_factory=dict)
    additions: dict[str, Addition] = field(default_factory=dict)
    amended: dict[str, dict[Edit, Edit]] = field(default_factory=dict)
    """Edits that another codemod has planned, by path, and what takes their place."""

    def add_edits(self, path: str, edits: Iterable[Edit]) -> None:
        self.edits.setdefault(path, []).extend(edits)

    def merge(self, other: Patch) -> None:
        self.findings += other.findings
        self.notes += other.notes
        for path, instead in other.amended.items():
            own = self.edits.get(path, [])
            if rest := {old: new for old, new in instead.items() if old not in own}:
                self.amended.setdefault(path, {}).update(rest)
            if own:
                self.edits[path] = [instead.get(edit, edit) for edit in own]
        for path, edits in other.edits.items():
            self.add_edits(path, edits)
        self.additions.update(other.additions)


def in_order(edits: Iterable[Edit]) -> list[Edit]:
    """The same edits, with insertions at one place joined in the order they were given.

    ``apply_edits`` sorts, so two lines that are added below the same one would come by their text.
    """
    joined: dict[int, Edit] = {}
    others: list[Edit] = []
    for edit in dict.fromkeys(edits):
        if edit.start != edit.end:
            others.append(edit)
        elif edit.start in joined:
            first = joined[edit.start]
            joined[edit.start] = replace(first, text=first.text + edit.text)
        else:
            joined[edit.start] = edit
    return [*others, *joined.values()]


def apply_edits(content: bytes, edits: Iterable[Edit]) -> bytes:
    """Return ``content`` with all ``edits`` made; the same edit given twice is made once.

    Raises SkillgenError when two edits overlap: a defect of ours, never guessed around.
    """
    parts: list[bytes] = []
    position = 0
    for edit in sorted(set(edits)):
        if edit.start < position:
            raise SkillgenError(
                f"two edits overlap at byte {edit.start}; nothing was written, please report it"
            )
        parts += [content[position : edit.start], edit.text]
        position = edit.end
    return b"".join([*parts, content[position:]])
