"""The text report: findings by file, hand-offs with what will be accepted, summaries."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from itertools import groupby

from modify.rules import channel_rule_ids
from skill.finding import Finding, Note
from skill.plan import Plan
from skill.report.printer import one_line

OUTCOMES = ("rewritten", "held", "guard")
Paint = Callable[[str, str], str]


def plain(text: str, _style: str) -> str:
    return text


def findings(found: Iterable[Finding], paint: Paint = plain, brief: bool = False) -> Iterator[str]:
    """Grouped by file; each ``path:line:col rule message`` with its fix or hand-off."""
    for _path, group in groupby(sorted(found), key=lambda finding: finding.path):
        for finding in group:
            where = f"{finding.path}:{finding.line}:{finding.column}"
            rule = paint(finding.rule, "rule")
            yield one_line(f"{paint(where, 'where')} {rule} {finding.message}")
            if not brief:
                yield from _remedy(finding, paint)
        if not brief:
            yield ""


def digest(plan: Plan, paint: Paint, most: int) -> Iterator[str]:
    """The findings in so many lines: one a rule, those of the channel first, and the count."""
    by_rule: dict[str, list[Finding]] = {}
    for finding in sorted(plan.findings, key=lambda each: (not is_of_a_channel(each), each)):
        by_rule.setdefault(finding.rule, []).append(finding)
    shown = list(by_rule.values())[: most - 1]
    for found in shown:
        first, more = found[0], len(found) - 1
        where = paint(f"{first.path}:{first.line}", "where")
        others = f" (and {count(more, 'place')} more)" if more else ""
        yield one_line(f"{where} {paint(first.rule, 'rule')} {first.message}{others}")
    rest = len(plan.findings) - sum(map(len, shown))
    also = f"and {rest} more; " if rest else ""
    yield f"{also}{count(len(plan.findings), 'finding')}, {len(plan.hand_offs)} by hand"


def is_of_a_channel(finding: Finding) -> bool:
    return finding.rule in channel_rule_ids()


def _remedy(finding: Finding, paint: Paint) -> Iterator[str]:
    if finding.fix is not None:
        yield one_line(f"    {paint('fix:', 'fix')} {finding.fix}")
        return
    contained = " (its attempts are bounded all the same)" if finding.contained else ""
    reason = finding.reason or "no safe change is known"
    yield one_line(f"    {paint('by hand:', 'hand')} {reason}{contained}")
    if finding.accept:
        yield one_line(f"    check accepts: {finding.accept}")


def notes(left: Iterable[Note]) -> Iterator[str]:
    for note in sorted(left):
        where = f"{note.path}:{note.line}" if note.line else note.path
        yield one_line(f"{where} ({note.kind}) {note.message}")


def outcomes(plan: Plan) -> Iterator[str]:
    """The outcome for each file that connects, and why: rewritten, held, or left to the guard."""
    return notes(note for note in plan.notes if note.kind in OUTCOMES)


def exceptions(plan: Plan) -> Iterator[str]:
    """What comments in the source accept, and those that no finding belongs to: never silent."""
    accepted = [note for note in plan.notes if note.kind == "accepted"]
    for note in sorted(note for note in plan.notes if note.kind == "unused"):
        yield one_line(f"{note.path}:{note.line} skillgen: {note.message}")
    if accepted:
        are = "is" if len(accepted) == 1 else "are"
        places = listed([f"{note.path}:{note.line}" for note in sorted(accepted)])
        yield f"{count(len(accepted), 'finding')} {are} left as a comment asks: {places}"


def nothing(plan: Plan) -> str:
    """Why there is nothing to do."""
    held = sorted({note.path for note in plan.notes if note.kind == "held"})
    right = sorted({note.path for note in plan.notes if note.kind == "right"} - set(held))
    if held:
        return f"nothing to do: {listed(held)} {'is' if len(held) == 1 else 'are'} held already"
    if right:
        return f"nothing to do: {listed(right)} {'is' if len(right) == 1 else 'are'} right already"
    if plan.notes:
        return "nothing to do: what looks like WhatsApp here is left as it is (-v says why)"
    return "nothing to do: no WhatsApp channel and no service unit for one"


def summary(plan: Plan, done: bool, proven: str | None = None) -> str:
    """One line: files, findings settled, hand-offs, and what was proven of it.

    proven: None where no proof was asked for; then the line says how to get one.
    """
    parts = []
    if plan.changes:
        added = sum(change.is_addition for change in plan.changes)
        rewritten = len(plan.changes) - added
        verb = "" if done else "would be "
        if rewritten:
            parts.append(f"{count(rewritten, 'file')} {verb}changed")
        if added:
            parts.append(f"{count(added, 'file')} {verb}added")
    if plan.settled:
        parts.append(f"{count(len(plan.settled), 'finding')} {'' if done else 'would be '}settled")
    if plan.hand_offs:
        parts.append(f"{count(len(plan.hand_offs), 'finding')} left to you")
    if proven:
        parts.append(proven)
    line = ", ".join(parts)
    if proven is None and changes_a_channel(plan):
        line += "; not proven (--prove runs the patched bot through storms first)"
    return line


def changes_a_channel(plan: Plan) -> bool:
    """Whether the plan changes code that connects, and not units alone."""
    return any(map(is_of_a_channel, plan.settled))


def count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"


def listed(items: list[str]) -> str:
    return one_line(items[0] if len(items) == 1 else f"{', '.join(items[:-1])} and {items[-1]}")
