"""Text in columns, on lines no wider than a terminal; a width of None sets no limit."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

ARROW = " → "
GAP = "  "
INDENT = GAP * 2
MOST_LINES = 5
# No terminal is taken to be narrower.
LEAST = 20


@dataclass(frozen=True, slots=True)
class Row:
    """cells: figures beside the title, some of them pairs (``1 → 2``). below: a line of its own."""

    title: str
    cells: tuple[str, ...]
    below: str = ""


def fitted(line: str, width: int | None, *, indent: str = "") -> list[str]:
    """The line on at most five lines of that width, with an ellipsis where there is more of it."""
    if width is None or not line:
        return [f"{indent}{line}" if line else ""]
    return textwrap.wrap(
        line,
        max(width, LEAST),
        initial_indent=indent,
        subsequent_indent=f"{indent}{GAP}",
        max_lines=MOST_LINES,
        placeholder=" …",
        break_on_hyphens=False,
    )


def table(head: Row, rows: Sequence[Row], width: int | None) -> Iterator[str]:
    """The titles and the cells beside them.

    In a width that is too narrow for that, the cells stand under their title, and in one that is
    too narrow for the cells, each is a line with its name.
    """
    every = (head, *rows)
    figures = [GAP.join(cells) for cells in _lined_up([row.cells for row in every])]
    longest = max(len(row.title) for row in every)
    if width is None or longest + len(GAP) + len(figures[0]) <= width:
        beside = [f"{row.title.ljust(longest)}{GAP}" for row in every]
        shown = [[f"{title}{cells}"] for title, cells in zip(beside, figures, strict=True)]
    elif len(INDENT) + len(figures[0]) <= width:
        titles = [fitted(row.title, width) for row in every]
        shown = [[*title, INDENT + cells] for title, cells in zip(titles, figures, strict=True)]
    else:
        every = tuple(rows)
        shown = [[*fitted(row.title, width), *_named(head, row, width)] for row in rows]
    for row, lines in zip(every, shown, strict=True):
        yield from (line.rstrip() for line in lines)
        if row.below:
            yield from fitted(row.below, width, indent=INDENT)


def _named(head: Row, row: Row, width: int) -> Iterator[str]:
    for name, cell in zip(head.cells, row.cells, strict=True):
        yield from fitted(f"{name}: {cell}", width, indent=INDENT)


def _lined_up(rows: Sequence[Sequence[str]]) -> list[list[str]]:
    """The cells of each column in its width, those of pairs with their arrows below each other."""
    columns = []
    for column in zip(*rows, strict=True):
        pairs = [cell.partition(ARROW) for cell in column]
        left = max((len(before) for before, arrow, _ in pairs if arrow), default=0)
        shown = [
            before.rjust(left) + arrow + after if arrow else before
            for before, arrow, after in pairs
        ]
        width = max(map(len, shown))
        columns.append([cell.ljust(width) for cell in shown])
    return [list(row) for row in zip(*columns, strict=True)]
