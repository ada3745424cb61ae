"""Sessions that start themselves again: ``await asyncio.sleep(5); create_task(start())``."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

import libcst as cst

from modify.python.link import SLEEPS, Wait
from modify.python.source import Source, all_of, block_of, called, dotted

STARTS = re.compile(r"(?:^|[._])(?:start|connect|run|launch|boot)(?:_\w+)?$", re.I)
SPAWNS = re.compile(r"(?:create_task|ensure_future|run_coroutine_threadsafe)$")
MARK = re.compile(r"\.delay$")


@dataclass(frozen=True)
class Restart:
    """wait: the pause; function: the one that waits; start: the call that starts again.

    session: the name that tells sessions apart, a parameter of the function, or nothing.
    """

    source: Source
    function: cst.FunctionDef
    wait: Wait
    start: cst.Call
    session: str


def restarts(source: Source) -> Iterator[Restart]:
    for function in all_of(source.module, cst.FunctionDef, functions=True):
        for block in all_of(function, cst.IndentedBlock):
            statements = block_of(block) or []
            for first, second in pairwise(statements):
                wait, start = pause_in(first), start_in(second)
                if wait is not None and start is not None:
                    yield Restart(source, function, wait, start, session_of(function, start))


def pause_in(statement: cst.BaseStatement) -> Wait | None:
    if not isinstance(statement, cst.SimpleStatementLine) or len(statement.body) != 1:
        return None
    only = statement.body[0]
    value = only.value if isinstance(only, cst.Expr) else None
    call = value.expression if isinstance(value, cst.Await) else value
    if not isinstance(call, cst.Call) or called(call) not in SLEEPS or len(call.args) != 1:
        return None
    number = call.args[0].value
    if isinstance(number, (cst.Integer, cst.Float)) or dotted(number).isupper():
        return Wait(call, number, "sleep", True)
    return None


def start_in(statement: cst.BaseStatement) -> cst.Call | None:
    """``asyncio.create_task(start())`` or ``await start()`` on the next line."""
    if not isinstance(statement, cst.SimpleStatementLine):
        return None
    for call in all_of(statement, cst.Call):
        if SPAWNS.search(called(call)) and call.args:
            inner = call.args[0].value
            if isinstance(inner, cst.Call) and STARTS.search(called(inner)):
                return inner
        elif STARTS.search(called(call)) and isinstance(statement.body[0], cst.Expr):
            return call
    return None


def session_of(function: cst.FunctionDef, start: cst.Call) -> str:
    """The parameter that is passed on to the start function: its session's name."""
    parameters = {item.name.value for item in function.params.params}
    for argument in start.args:
        name = dotted(argument.value)
        if name in parameters:
            return name
    return ""
