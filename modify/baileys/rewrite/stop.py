"""``stop()`` where the host ends the socket on purpose."""

from __future__ import annotations

from typing import TYPE_CHECKING

from modify.baileys.model.socket_enders import enders_of
from modify.kit.typescript.source import body_of, same
from modify.rules import ids

if TYPE_CHECKING:
    from ast_grep_py import SgNode
from modify.baileys.rewrite.draft import Draft


def place_stop(draft: Draft) -> None:
    """``stop()`` first in every function that ends the link on purpose."""
    channel = draft.channel
    placed: list[SgNode] = []
    for function in enders_of(channel):
        block = body_of(function)
        if block is None or any(same(block, other) for other in placed):
            continue
        placed.append(block)
        draft.insert_first(
            block, f"{draft.instance}.stop(){draft.layout.end}", ids.RECONNECT_AFTER_STOP
        )
