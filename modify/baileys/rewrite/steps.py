"""The steps of the rewrite, in their order."""

from __future__ import annotations

from modify.baileys.cleanup.formatting import tidy
from modify.baileys.cleanup.leftovers import sweep_up
from modify.baileys.rewrite.close import rewrite_close_branch, rewrite_verdicts
from modify.baileys.rewrite.draft import Draft
from modify.baileys.rewrite.ending import rewrite_exits
from modify.baileys.rewrite.instance import place_instance
from modify.baileys.rewrite.socket_guards import place_guards
from modify.baileys.rewrite.sockets import hold_sockets
from modify.baileys.rewrite.start import rewrite_starts, settles_early, wrap_public
from modify.baileys.rewrite.stop import place_stop
from modify.baileys.rewrite.strategy import Hold, Rewrite, held_for


def rewrite(draft: Draft, strategy: Rewrite) -> Hold | None:
    """Plan all edits. A Hold where they turn out to leave a name that is used wrongly."""
    place_instance(draft, strategy.folder)
    hold_sockets(draft, draft.instance)
    place_stop(draft)
    wrap_public(draft)
    rewrite_close_branch(draft, strategy.redials)
    rewrite_starts(draft)
    rewrite_exits(draft)
    rewrite_verdicts(draft)
    if settles_early(draft):
        place_guards(draft)
    misread = sweep_up(draft)
    tidy(draft)
    return held_for(misread) if misread else None
