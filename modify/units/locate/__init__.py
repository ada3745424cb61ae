"""Where unit texts live. One module a place; each yields the texts it finds.

A new place (a Python f-string, a list of lines that is joined) is a new module here
with ``locate(host) -> Iterator[UnitText]``.
"""

from __future__ import annotations

from collections.abc import Iterator

from modify.units.locate import (
    document,
    heredoc,
    literal,
    plain,
    python_join,
    python_literal,
    script,
)
from modify.units.model import UnitText
from skill.host import Host

PLACES = (plain, literal, heredoc, document, script, python_literal, python_join)


def unit_texts(host: Host) -> Iterator[UnitText]:
    """Every unit text of the host, each once, by place and path."""
    for place in PLACES:
        yield from place.locate(host)
