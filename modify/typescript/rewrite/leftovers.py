"""What the rewrite has left without a use."""

from __future__ import annotations

from modify.typescript.rewrite.draft import Draft
from modify.typescript.sweep import Sweep


def sweep_up(draft: Draft) -> None:
    channel = draft.channel
    sweep = Sweep(channel.source, list(draft.gone), draft.alive, set(draft.loop))
    branch = channel.close.node if channel.close is not None else None
    sweep.run(draft.seeds - {"process"}, branch)
    for number, range_ in enumerate(sweep.removed):
        sweep.removed[number] = spare_insertion(draft, range_)
        draft.changes[sweep.removed[number]] = ("", "flat-retry")
    draft.orphans = sweep.orphans()
    for start, end in list(draft.changes):
        if any(
            (start, end) != r and r[0] <= start and end <= r[1] and r[1] > r[0] and start < r[1]
            for r in sweep.removed
        ):
            del draft.changes[(start, end)]


def spare_insertion(draft: Draft, range_: tuple[int, int]) -> tuple[int, int]:
    """The range without the blank line after it, where something is written before that."""
    start, end = range_
    for place, other in draft.changes:
        if place == other and start < place < end and not draft.text[place:end].strip():
            return start, place
    return range_
