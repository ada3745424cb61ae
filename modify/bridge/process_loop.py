"""Loops of a Python program that start its Node bridge again each time it has ended.

The supervisor's loop in a channel: whatever the bridge exits with, a logout included, it is
started again after the same pause. Seen and handed off: what its exit means is the host's.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import libcst as cst

from modify.bridge.bridge_process import CODE, reads_status, speaks_of_bridge
from modify.bridge.link import is_clock
from modify.kit.python.functions import function_named
from modify.kit.python.source import Source, all_of, called, dotted
from modify.kit.python.waits import wait_of
from modify.python.about_whatsapp import is_whatsapp

SPAWNS = ("Popen", "create_subprocess_exec", "create_subprocess_shell")


@dataclass(frozen=True)
class Supervisor:
    """loop: the one that starts the child; flat: its pause never grows."""

    source: Source
    loop: cst.While
    flat: bool
    knows_exit: bool


def supervisors(source: Source) -> Iterator[Supervisor]:
    for loop in all_of(source.module, cst.While, functions=True):
        function = source.nearest(loop, cst.FunctionDef)
        if function is None or is_clock(loop.test) or not is_whatsapp(source, function):
            continue
        if not speaks_of_bridge(source, function) or not starts_child(source, loop, function):
            continue
        calls = list(all_of(loop, cst.Call))
        waits = [
            wait
            for call in calls
            if source.nearest(call, cst.While) is loop
            and (wait := wait_of(source, call, loop)) is not None
        ]
        if waits and any(reads_status(node) for node in [*calls, *all_of(loop, cst.Attribute)]):
            flat = any(wait.flat for wait in waits)
            yield Supervisor(source, loop, flat, knows_exit(loop))


def starts_child(source: Source, loop: cst.While, function: cst.FunctionDef) -> bool:
    """A child is started in the loop, or in a function that the loop names."""
    for node in [*all_of(loop, cst.Call), *all_of(loop, cst.Attribute), *all_of(loop, cst.Name)]:
        if source.nearest(node, cst.While) is not loop:
            continue
        if is_spawn(node):
            return True
        helper = function_named(source, function, called(node) or dotted(node))
        if helper is None or helper is function:
            continue
        if any(is_spawn(call) for call in all_of(helper, cst.Call, functions=True)):
            return True
    return False


def is_spawn(node: cst.CSTNode) -> bool:
    return called(node).rpartition(".")[2] in SPAWNS


def knows_exit(loop: cst.While) -> bool:
    """``if code == 77: break``: an exit status has a meaning of its own."""
    kept = {
        dotted(target.target)
        for node in all_of(loop, cst.Assign)
        if reads_status(node.value)
        for target in node.targets
    }
    return any(
        (dotted(test.left) in kept or CODE.search(dotted(test.left)))
        and isinstance(only.comparator, cst.Integer)
        for test in all_of(loop, cst.Comparison)
        for only in test.comparisons
    )
