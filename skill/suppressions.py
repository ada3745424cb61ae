"""Findings that a host's own people have accepted, by a comment at the place.

    connect(); // skillgen: ignore[flat-retry] the test server wants it so

on the line that a finding names, or alone on the line above it. Several rules are separated by
commas, and the reason has to be there. What is accepted is not changed and not reported as a
finding; how many there are is always said, and so is a comment that no finding belongs to.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from modify.rules import KINDS, by_id, ids
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

    def is_about(self, finding: Finding) -> bool:
        here = (finding.path, finding.line) == (self.path, self.covers)
        return here and finding.rule in self.rules


def suppressions(host: Host) -> list[Suppression]:
    """Those of all files that can be patched. Raises SkillgenError for a rule that is none."""
    found = []
    for file in host.with_suffix(*COMMENTED):
        if file.size <= LARGEST_SOURCE and WORD in (content := host.read(file.path)):
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
        if any(KINDS[kind] == "channels" for kind in by_id(finding.rule).kinds):
            rewritten = (*options.not_rewritten, (finding.path, why))
            options = replace(options, not_rewritten=rewritten)
            if finding.rule == ids.UNGATED_CONNECT:
                options = replace(options, not_held=(*options.not_held, (finding.path, why)))
        else:
            here = (finding.path, finding.line, finding.rule)
            options = replace(options, accepted=options.accepted | {here})
    return options


def accepted(found: Iterable[Finding], marks: list[Suppression]) -> list[Finding]:
    """Those of the findings that a comment is about."""
    return [each for each in found if any(mark.is_about(each) for mark in marks)]


def settle(host: Host, patch: Patch, leaving: list[Finding], marks: list[Suppression]) -> Patch:
    """The patch without what is accepted, and with a note for each of the marks.

    leaving: the findings that are accepted, as they were before the options were narrowed.
    """
    kept = Patch(notes=list(patch.notes), edits=dict(patch.edits), additions=patch.additions)
    stuck = set()
    for finding in patch.findings:
        if not accepted([finding], marks):
            kept.findings.append(finding)
        elif not _leave(host, finding, patch, kept):
            kept.findings.append(finding)
            stuck.add((finding.path, finding.line, finding.rule))
    for mark in marks:
        about = [finding for finding in leaving if mark.is_about(finding)]
        for finding in about:
            if (finding.path, finding.line, finding.rule) in stuck:
                message = f"{finding.rule} here cannot be left alone, as others are changed with it"
                kept.notes.append(Note(mark.path, mark.line, "unused", message))
            else:
                message = f"{finding.rule}: {mark.reason}"
                kept.notes.append(Note(finding.path, finding.line, "accepted", message))
        if not about:
            rules = ", ".join(sorted(mark.rules))
            message = f"no finding here that ignore[{rules}] could be about; take it out"
            kept.notes.append(Note(mark.path, mark.line, "unused", message))
    return kept


def _leave(host: Host, finding: Finding, patch: Patch, kept: Patch) -> bool:
    """Take the edits for one finding out of a patch; whether that could be done."""
    edits = kept.edits.get(finding.path, [])
    own = [edit for edit in edits if edit.rule == finding.rule]
    if finding.is_hand_off or not own:
        return True
    content = host.read(finding.path)
    there = [edit for edit in own if _line(content, edit) == finding.line]
    same = [one for one in patch.findings if (one.path, one.rule) == (finding.path, finding.rule)]
    going = there if there else own if len(same) == 1 else []
    kept.edits[finding.path] = [edit for edit in edits if edit not in going]
    return bool(going)


def _line(content: bytes, edit: Edit) -> int:
    return content.count(b"\n", 0, edit.start) + 1
