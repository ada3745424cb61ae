"""The steps of the rewrite, in their order."""

from __future__ import annotations

from modify.baileys.cleanup.formatting import tidy
from modify.baileys.cleanup.leftovers import sweep_up
from modify.baileys.rewrite.close import rewrite_close_branch, rewrite_verdicts
from modify.baileys.rewrite.draft import Draft
from modify.baileys.rewrite.ending import rewrite_exits
from modify.baileys.rewrite.instance import place_instance
from modify.baileys.rewrite.shape import has_known_shape, obstacle
from modify.baileys.rewrite.socket_guards import place_guards
from modify.baileys.rewrite.sockets import hold_sockets
from modify.baileys.rewrite.start import rewrite_starts, settles_early, wrap_public
from modify.baileys.rewrite.stop import place_stop


def rewrite(draft: Draft) -> Draft:
    """Plan all edits, or none; the result is in the draft's ``outcome`` and ``reasons``."""
    problem = obstacle(draft)
    if problem is not None:
        draft.leave(draft.channel.registration, problem)
        return draft
    if not has_known_shape(draft):
        draft.outcome = "held"
        return draft
    place_instance(draft)
    hold_sockets(draft, draft.instance)
    place_stop(draft)
    wrap_public(draft)
    rewrite_close_branch(draft)
    rewrite_starts(draft)
    rewrite_exits(draft)
    rewrite_verdicts(draft)
    if settles_early(draft):
        place_guards(draft)
    sweep_up(draft)
    tidy(draft)
    return draft
