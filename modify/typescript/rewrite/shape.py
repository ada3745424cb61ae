"""Whether a channel can be patched at all, and whether its close branch is understood."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from modify.typescript.channel import (
    Function,
    comparison,
)
from modify.typescript.places import auth_folder
from modify.typescript.source import (
    arguments_of,
    body_of,
    callee_of,
    calls,
    enclosing,
    line_of,
    within,
)
from modify.typescript.sweep import names_in

if TYPE_CHECKING:
    from ast_grep_py import SgNode
from modify.typescript.rewrite.draft import Draft


def obstacle(draft: Draft) -> str | None:
    """Why not even the gate can be placed, or None."""
    channel = draft.channel
    if not channel.connect.is_async:
        return f"the connect function {channel.connect.name} is not async: it cannot wait"
    if body_of(channel.connect.node) is None:
        return f"the connect function {channel.connect.name} has no body of its own"
    draft.folder = auth_folder(channel)
    if draft.folder is None:
        return "the credentials folder is known only inside the connect function"
    return None


def has_known_shape(draft: Draft) -> bool:
    """Whether the close branch is one that the rewrite understands; else says why not."""
    channel = draft.channel
    close = channel.close
    if close is None:
        draft.reasons.append(
            (line_of(channel.registration), "no branch for a closed connection was found")
        )
        return False
    inside = [call for call in channel.redials if close.holds(call)]
    if not inside:
        draft.reasons.append(
            (line_of(close.node), "the close branch does not call the connect function")
        )
        return False
    for call in calls(close.node):
        if re.search(r"\.(rm|rmSync|rmdir|unlink|unlinkSync|rmdirSync)$", callee_of(call)):
            draft.reasons.append(
                (
                    line_of(call),
                    "credentials are deleted when the session ends, to link again at once",
                )
            )
            return False
    for exit_ in channel.exits:
        if (
            close.holds(exit_)
            and exit_code(exit_) not in ("0", "")
            and not ends_terminal(draft, exit_)
        ):
            draft.reasons.append(
                (line_of(exit_), "the process ends with an error after some attempts")
            )
            return False
    for helper in used_helpers(draft, inside):
        for call in calls(helper.node):
            if callee_of(call) == "process.exit" and exit_code(call) not in ("0", ""):
                draft.reasons.append(
                    (line_of(call), "the process ends with an error after some attempts")
                )
                return False
    return True


def used_helpers(draft: Draft, redials: list[SgNode]) -> Iterator[Function]:
    for call in redials:
        helper = draft.channel.helper_of(call)
        if helper is not None:
            yield helper


def ends_terminal(draft: Draft, exit_: SgNode) -> bool:
    """Whether an exit stands where the session is known to be over."""
    for outer in exit_.ancestors():
        if outer.kind() != "if_statement":
            continue
        condition = outer.field("condition")
        alternative = outer.field("alternative")
        consequence = outer.field("consequence")
        if condition is None:
            continue
        if consequence is not None and within(exit_, consequence):
            if any(within(v, condition) and comparison(v) for v in draft.channel.verdicts):
                return True
            if negated_flag(condition) in reconnect_flags(draft):
                return True
        if alternative is not None and within(exit_, alternative):
            if any(within(v, condition) and comparison(v) is False for v in draft.channel.verdicts):
                return True
            if names_in(condition) & reconnect_flags(draft):
                return True
    return False


def reconnect_flags(draft: Draft) -> set[str]:
    """Names of constants that say 'not logged out' (``shouldReconnect``)."""
    found = set()
    for verdict in draft.channel.verdicts:
        declarator = enclosing(verdict, {"variable_declarator"})
        name = declarator.field("name") if declarator is not None else None
        if name is not None and comparison(verdict) is False:
            found.add(name.text())
    return found


def negated_flag(condition: SgNode) -> str:
    """``x`` of ``(!x)``."""
    found = re.fullmatch(r"\(\s*!(\w+)\s*\)", condition.text())
    return found.group(1) if found else ""


def exit_code(call: SgNode) -> str:
    given = arguments_of(call)
    return given[0].text() if given else ""
