"""What the rewrite has left without a use."""

from __future__ import annotations

from typing import TYPE_CHECKING

from modify.typescript.sweep import Sweep

if TYPE_CHECKING:
    pass
from modify.typescript.rewrite.draft import Draft


def sweep_up(draft: Draft) -> None:
    channel = draft.channel
    sweep = Sweep(channel.source, list(draft.gone), draft.alive, set(draft.loop))
    branch = channel.close.node if channel.close is not None else None
    for range_ in sweep.run(draft.seeds - {"process"}, branch):
        draft.changes[range_] = ("", "flat-retry")
    draft.orphans = sweep.orphans()
    for start, end in list(draft.changes):
        if any(
            (start, end) != r and r[0] <= start and end <= r[1] and r[1] > r[0]
            for r in sweep.removed
        ):
            del draft.changes[(start, end)]
