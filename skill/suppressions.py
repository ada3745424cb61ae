"""Findings that a host's own people have accepted, by a comment at the place.

    connect(); // skillgen: ignore[flat-retry] the test server wants it so

on the line that a finding names, or alone on the line above it. Several rules are separated by
commas, and the reason has to be there. What is accepted is not changed and not reported as a
finding; how many there are is always said, and so is a comment that no finding belongs to.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections import Counter
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, replace

from modify.rules import channel_rule_ids, ids
from skill.edit import Edit, Patch
from skill.errors import SkillgenError
from skill.finding import Finding, Note
from skill.host import LARGEST_SOURCE, Host
from skill.options import Options
from skill.rulebook import require_known
from skill.source_paths import SCRIPTS

WORD = b"skillgen: ignore["
# After what begins a comment in one of the languages that are looked at.
MARK = re.compile(
    rb"^(?P<code>[^\n]*?)(?://|/\*|\*|#|;|<!--)[ \t]*skillgen: ignore\[(?P<rules>[^\]\n]*)\]"
    rb"(?P<reason>[^\n]*)",
    re.M,
)
CLOSES = re.compile(r"\s*(\*/|-->)\s*$")
COMMENTED = (
    *SCRIPTS,
    *(".py", ".service", ".plist", ".yml", ".yaml", ".conf", ".ini", ".sh", ".bash", ".zsh"),
)
# The edits of these have no part in the others' of a channel.
APART = (ids.QR_EXIT, ids.RECONNECT_AFTER_STOP, ids.FAULT_ASSERTING_TEST)


@dataclass(frozen=True, slots=True)
class Suppression:
    """A comment. line: its own, 1-based. covers: the line whose findings it is about."""

    path: str
    line: int
    covers: int
    rules: frozenset[str]
    reason: str


def suppressions(host: Host) -> list[Suppression]:
    """Those of all files that can be patched. Raises SkillgenError for an unknown rule."""
    found = []
    for file in host.with_suffix(*COMMENTED):
        if file.size > LARGEST_SOURCE:
            continue
        try:
            content = host.read(file.path)
        except SkillgenError:
            continue  # nothing of it is patched either
        if WORD in content:
            found += list(_of_file(file.path, content))
    return found


def _of_file(path: str, content: bytes) -> Iterator[Suppression]:
    for mark in MARK.finditer(content):
        line = content.count(b"\n", 0, mark.start()) + 1
        rules = [name.strip() for name in mark["rules"].decode("utf-8", "replace").split(",")]
        reason = CLOSES.sub("", mark["reason"].decode("utf-8", "replace")).strip()
        try:
            require_known(rules)
        except SkillgenError as error:
            raise SkillgenError(f"{path}:{line}: {error}") from error
        if not reason:
            raise SkillgenError(
                f"{path}:{line}: say why, in the same comment: skillgen: ignore"
                f"[{', '.join(rules)}] REASON"
            )
        alone = not mark["code"].strip()
        yield Suppression(path, line, line + alone, frozenset(rules), reason)


def narrowed(options: Options, found: Iterable[Finding]) -> Options:
    """The options with which nothing is done about these findings.

    A rewrite is of one piece: a channel with a finding that is to stay is held instead, and one
    whose dial is to stay is not held.
    """
    for finding in found:
        if finding.rule in APART:
            continue
        why = f"{finding.rule} at line {finding.line} is to stay, as a comment there says"
        if finding.rule in channel_rule_ids():
            rewritten = (*options.not_rewritten, (finding.path, why))
            options = replace(options, not_rewritten=rewritten)
            if finding.rule == ids.UNGATED_CONNECT:
                options = replace(options, not_held=(*options.not_held, (finding.path, why)))
        else:
            here = (finding.path, finding.line, finding.rule)
            options = replace(options, accepted=options.accepted | {here})
    return options


class Suppressions:
    """The comments of a host, by the places that they cover."""

    def __init__(self, host: Host) -> None:
        self.host = host
        self.marks = suppressions(host)
        self.covering: dict[tuple[str, int], list[Suppression]] = {}
        for mark in self.marks:
            self.covering.setdefault((mark.path, mark.covers), []).append(mark)

    def accept(self, finding: Finding) -> bool:
        marks = self.covering.get((finding.path, finding.line), ())
        return any(finding.rule in mark.rules for mark in marks)

    def settle(self, patch: Patch, leaving: Iterable[Finding]) -> Patch:
        """The patch without what is accepted, and with a note for each of the comments.

        leaving: the findings that are accepted, as they were before the options were narrowed.
        """
        going = [finding for finding in patch.findings if self.accept(finding)]
        edits, stuck = without(self.host, patch, going)
        return Patch(
            findings=[each for each in patch.findings if each in stuck or not self.accept(each)],
            notes=[*patch.notes, *self._notes(leaving, stuck)],
            edits=edits,
            additions=patch.additions,
        )

    def _notes(self, leaving: Iterable[Finding], stuck: Collection[Finding]) -> Iterator[Note]:
        places = {(each.path, each.line, each.rule) for each in stuck}
        about: dict[tuple[str, int], list[str]] = {}
        for finding in leaving:
            about.setdefault((finding.path, finding.line), []).append(finding.rule)
        for mark in self.marks:
            found = sorted({*about.get((mark.path, mark.covers), ())} & mark.rules)
            for rule in found:
                if (mark.path, mark.covers, rule) in places:
                    message = f"{rule} here cannot be left alone, as others are changed with it"
                    yield Note(mark.path, mark.line, "unused", message)
                else:
                    yield Note(mark.path, mark.covers, "accepted", f"{rule}: {mark.reason}")
            if not found:
                rules = ", ".join(sorted(mark.rules))
                message = f"no finding here that ignore[{rules}] could be about; take it out"
                yield Note(mark.path, mark.line, "unused", message)


def without(
    host: Host, patch: Patch, going: Iterable[Finding]
) -> tuple[dict[str, list[Edit]], set[Finding]]:
    """The edits of a patch without those for some findings, and the findings that need others'.

    An edit is for the finding of its rule in its line, or for the only one of its rule in the file.
    """
    numbers = Counter((each.path, each.rule) for each in patch.findings)
    by_line: dict[tuple[str, str], dict[int, list[Edit]]] = {}
    dropped: dict[str, set[Edit]] = {}
    stuck = set()
    for finding in going:
        place = (finding.path, finding.rule)
        if place not in by_line:
            by_line[place] = _edits_by_line(host, patch, *place)
        lines = by_line[place]
        if finding.is_hand_off or not lines:
            continue
        alone = [edit for edits in lines.values() for edit in edits] if numbers[place] == 1 else []
        own = lines.get(finding.line, alone)
        dropped.setdefault(finding.path, set()).update(own)
        if not own:
            stuck.add(finding)
    kept = {
        path: [edit for edit in edits if edit not in dropped.get(path, ())]
        for path, edits in patch.edits.items()
    }
    return kept, stuck


def _edits_by_line(host: Host, patch: Patch, path: str, rule: str) -> dict[int, list[Edit]]:
    found: dict[int, list[Edit]] = {}
    own = [edit for edit in patch.edits.get(path, ()) if edit.rule == rule]
    begins = [0, *(end.end() for end in re.finditer(rb"\n", host.read(path)))] if own else []
    for edit in own:
        found.setdefault(bisect_right(begins, edit.start), []).append(edit)
    return found
