"""The one rewrite of a channel file: gate, eye, close branch, start, ``stop()``.

Everything is decided on the Channel model; nothing is half done. Where the channel has no
known shape nothing is rewritten: the dial itself is held (``modify.typescript.held``).
"""

from __future__ import annotations

from modify.typescript.rewrite.close import rewrite_close_branch, rewrite_verdicts
from modify.typescript.rewrite.draft import Draft, Outcome
from modify.typescript.rewrite.ending import rewrite_exits
from modify.typescript.rewrite.formatting import tidy
from modify.typescript.rewrite.gate import place_eye, place_gate
from modify.typescript.rewrite.guards import place_guards
from modify.typescript.rewrite.instance import place_instance
from modify.typescript.rewrite.leftovers import sweep_up
from modify.typescript.rewrite.shape import has_known_shape, obstacle
from modify.typescript.rewrite.start import rewrite_starts, settles_early, wrap_public
from modify.typescript.rewrite.stop import await_credentials, place_stop

__all__ = ["Draft", "Outcome", "rewrite"]


def rewrite(draft: Draft) -> Draft:
    """Plan all edits, or none: the draft's ``outcome`` and ``reasons`` say what came of it."""
    problem = obstacle(draft)
    if problem is not None:
        draft.leave(draft.channel.registration, problem)
        return draft
    if not has_known_shape(draft):
        draft.outcome = "held"
        return draft
    place_instance(draft)
    place_gate(draft)
    place_eye(draft)
    place_stop(draft)
    await_credentials(draft)
    if draft.outcome != "patched":
        return draft
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
