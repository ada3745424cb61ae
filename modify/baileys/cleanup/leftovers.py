"""Remove the code that the rewrite has left unused."""

from __future__ import annotations

import re

from modify.baileys.cleanup.dead_code import Sweep
from modify.baileys.rewrite.draft import Draft
from modify.rules import ids


def sweep_up(draft: Draft) -> set[str]:
    """Returns the names of the loop that what remains of the file would use wrongly."""
    channel = draft.channel
    sweep = Sweep(channel.source, list(draft.gone), draft.alive, set(draft.loop))
    branch = channel.close.node if channel.close is not None else None
    sweep.run(draft.seeds - {"process"}, branch)
    sweep.removed = joined(draft, [spare_insertion(draft, each) for each in sweep.removed])
    for range_ in sweep.removed:
        draft.changes[range_] = ("", ids.FLAT_RETRY)
    for start, end in list(draft.changes):
        if any(
            (start, end) != r and r[0] <= start and end <= r[1] and r[0] < end and start < r[1]
            for r in sweep.removed
        ):  # what is written right before a range stays
            del draft.changes[(start, end)]
    return sweep.orphans()


def spare_insertion(draft: Draft, range_: tuple[int, int]) -> tuple[int, int]:
    """The range without the blank line after it, where something is written before that."""
    start, end = range_
    for place, other in draft.changes:
        if place == other and start < place < end and not draft.text[place:end].strip():
            return start, place
    return range_


def joined(draft: Draft, ranges: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """Neighbours that both take the blank line between them, as one range.

    With the blank line before it, where the next one follows or the file ends.
    """
    found: list[tuple[int, int]] = []
    for start, end in sorted(ranges):
        if not found or found[-1][1] <= start:
            found.append((start, end))
            continue
        first, last = found[-1][0], max(found[-1][1], end)
        before = re.search(r"(?<=\n)\r?\n$", draft.text[:first])
        if before and re.match(r"\r?\n|$", draft.text[last:]):
            first = before.start()
        found[-1] = first, last
    return found
