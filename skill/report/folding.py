"""A dry run for a person at a terminal: the diff, and one line for each file that is folded."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from skill.plan import Change
from skill.report.diff import CONTEXT, diff
from skill.report.printer import Printer
from skill.source_paths import is_among_tests

HINT = "--full shows it"


def is_added(change: Change) -> bool:
    return change.is_addition


def is_beside_the_point(change: Change) -> bool:
    """Whether a change is an added file, or says in a test or a copy what another one says."""
    return change.is_addition or is_among_tests(change.path) or change.path.endswith(".plist")


def show(
    changes: Iterable[Change],
    printer: Printer,
    folds: Callable[[Change], bool],
    context: int = CONTEXT,
) -> None:
    """Print the changes. folds: whether one becomes a line. context: lines around each hunk."""
    changes = list(changes)
    for change in changes:
        if not folds(change):
            printer.diff(diff(change, context).partition(b"\n")[2])  # no line for git
    for change in changes:
        if folds(change):
            printer.out(printer.safe(f"{folded(change)} ({HINT})"))


def folded(change: Change) -> str:
    """``+ src/whatsapp-reconnect.ts, 540 lines``, ``M src/whatsapp.test.ts, +1 −1``."""
    added, removed = size(change)
    if change.is_addition:
        return f"+ {change.path}, {added} line{'' if added == 1 else 's'}"
    return f"M {change.path}, +{added} −{removed}"


def size(change: Change) -> tuple[int, int]:
    """How many lines are added and removed."""
    body = diff(change).split(b"\n@@ ")[1:]
    lines = [line for hunk in body for line in hunk.split(b"\n")[1:]]
    return sum(line[:1] == b"+" for line in lines), sum(line[:1] == b"-" for line in lines)
