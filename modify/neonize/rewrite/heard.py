"""The line by which a neonize handler reports its event to the gate: ``heard(client, event)``."""

from __future__ import annotations

import libcst as cst

from modify.kit.python.errors import CannotPlace
from modify.kit.python.source import block_of
from modify.neonize.client import HEARD


def told_by(handler: cst.FunctionDef, event: str) -> tuple[cst.BaseStatement, str, str]:
    """The handler's first statement after its docstring, what it tells, and its client's name.

    Raises CannotPlace for a handler without lines of its own, or without the two parameters.
    """
    block = block_of(handler)
    given = [item.name.value for item in handler.params.params]
    given = given[1:] if given[:1] == ["self"] else given
    if not block or len(given) < 2:
        raise CannotPlace(f"the handler of {event} has no place for a line")
    documented = handler.get_docstring() is not None and len(block) > 1
    return block[int(documented)], f"{HEARD}({given[0]}, {given[1]})", given[0]
