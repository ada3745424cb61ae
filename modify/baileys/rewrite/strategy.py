"""How a channel is patched, chosen from what its code says before anything is edited."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from modify.baileys.cleanup.dead_code import Sweep, names_between, names_in
from modify.baileys.model.channel import Channel
from modify.baileys.model.host_context import auth_folder
from modify.baileys.rewrite.redials import Replaced, replaced_redials
from modify.baileys.rewrite.shape import obstacle, why_not_understood
from modify.baileys.rewrite.start import first_dials, replaced_at_start
from modify.kit.typescript.source import arguments_of, span


@dataclass(frozen=True)
class Rewrite:
    """folder: the expression that names the credentials folder. redials: of the close branch."""

    folder: str
    redials: Sequence[Replaced]


@dataclass(frozen=True)
class Hold:
    """Its dial is held, and nothing else of it changes. why: what the rewrite cannot do."""

    why: str


def strategy_of(channel: Channel, barred: str) -> Rewrite | Hold:
    """Rewrite, with the loop around its redials or without; else hold.

    barred: why the gate's memory cannot lie beside the credentials; empty where it can.
    """
    problem = obstacle(channel) or barred
    if problem:
        return Hold(problem)
    folder = auth_folder(channel)
    assert folder is not None  # no obstacle
    misread: set[str] = set()
    for keeps_loop in (False, True):
        unknown = why_not_understood(channel, keeps_loop)
        if unknown is not None:
            return Hold(unknown)
        redials = replaced_redials(channel, keeps_loop)
        misread = names_misread(channel, redials)
        if not misread:
            return Rewrite(folder, redials)
    return held_for(misread)


def held_for(misread: set[str]) -> Hold:
    return Hold(f"the loop's {', '.join(sorted(misread))} is read elsewhere")


def names_misread(channel: Channel, redials: Sequence[Replaced]) -> set[str]:
    """Names of the loop that what remains of the file would use wrongly without it."""
    source = channel.source
    going = [range_ for each in redials if each.how != "repeat" for range_ in each.goes]
    repeated = [span(each.redial.whole) for each in redials if each.how == "repeat"]
    starts = [(call, span(replaced_at_start(channel, call))) for call in first_dials(channel)]
    dialled = [each.redial.call for each in redials] + [call for call, _ in starts]
    alive = {name for range_ in repeated for name in names_between(source, *range_)}
    for text in (channel.connect.call, *(a.text() for c in dialled for a in arguments_of(c))):
        alive |= set(re.findall(r"\w+", text)) - {"this"}
    loop = {name for range_ in going for name in names_between(source, *range_)}
    freed = {name for _, range_ in starts for name in names_between(source, *range_)}
    freed |= {name for verdict in channel.verdicts for name in names_in(verdict)}
    gone = [*going, *repeated, *(range_ for _, range_ in starts)]
    sweep = Sweep(source, gone, alive, loop)
    sweep.run(freed - {"process"}, channel.close.node if channel.close is not None else None)
    return sweep.orphans()
