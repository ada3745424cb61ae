"""Lays out the few statements that are written into a host as its formatter would.

prettier's rule, for the shapes used here: on one line where it fits the width, else
broken at the outermost argument list. So a file that passed ``prettier --check`` passes
afterwards.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from skill.render.style import Style


class Entry(NamedTuple):
    """An entry of an object literal. comment: a line above it."""

    key: str
    value: str
    comment: str = ""

    def lines(self, indent: str) -> str:
        above = f"{indent}// {self.comment}\n" if self.comment else ""
        value = self.value.replace("\n", f"\n{indent}")
        return f"{above}{indent}" + (self.key if self.key == value else f"{self.key}: {value}")


@dataclass(frozen=True)
class Layout:
    style: Style

    @property
    def end(self) -> str:
        return ";" if self.style.semicolons else ""

    @property
    def comma(self) -> str:
        """The comma after the last entry of a broken object literal."""
        return "" if self.style.trailing_commas == "none" else ","

    @property
    def call_comma(self) -> str:
        """The comma after the last argument of a broken call."""
        return "," if self.style.trailing_commas == "all" else ""

    def width_of(self, text: str) -> int:
        tab = 2
        return len(text.expandtabs(tab))

    def fits(self, indent: str, text: str) -> bool:
        return self.width_of(indent + text) <= self.style.width

    def quoted(self, text: str) -> str:
        return f"{self.style.quote}{text}{self.style.quote}"

    def braces(self, inside: str) -> str:
        pad = " " if self.style.bracket_spacing else ""
        return f"{{{pad}{inside}{pad}}}"

    def arrow(self, parameter: str) -> str:
        """The head of an arrow function with at most one plain parameter."""
        if parameter and not self.style.arrow_parens:
            return f"{parameter} =>"
        return f"({parameter}) =>"

    def guard(
        self, indent: str, head: str, arguments: Sequence[str], braced: bool, leave: str = "return"
    ) -> str:
        """``if (head(arguments)) return;`` without the leading indentation.

        head: the negated call's name, or a whole condition when there are no arguments.
        leave: the statement that is run, without its semicolon.
        """
        step = self.style.indent
        condition = f"{head}({', '.join(arguments)})" if arguments else head
        deeper = indent + step
        if self.fits(indent, f"if ({condition}) {{" if braced else f"if ({condition})"):
            opening = f"if ({condition})"
        elif self.fits(deeper, condition):
            opening = f"if (\n{deeper}{condition}\n{indent})"
        else:
            lines = "".join(f"{deeper}{step}{each},\n" for each in arguments)
            if not self.call_comma:
                lines = lines[:-2] + "\n"
            opening = f"if (\n{deeper}{head}(\n{lines}{deeper})\n{indent})"
        if braced:
            return f"{opening} {{\n{deeper}{leave}{self.end}\n{indent}}}"
        if "\n" not in opening and self.fits(indent, f"{opening} {leave}{self.end}"):
            return f"{opening} {leave}{self.end}"
        return f"{opening}\n{deeper}{leave}{self.end}"

    def call_with_closure(
        self,
        indent: str,
        head: str,
        closure: str,
        hooks: Sequence[Entry] = (),
        tail: str = "",
    ) -> str:
        """``head(closure, { hooks });`` laid out for a line that begins with ``indent``.

        closure: ``() => call`` or a function name. hooks: of the object argument; a value may
        span lines, written without an indentation of its own.
        """
        step = self.style.indent
        tail = tail or self.end
        if not hooks:
            line = f"{head}({closure}){tail}"
            if self.fits(indent, line):
                return line
            if closure.startswith("() => "):
                inner = closure[len("() => ") :]
                return (
                    f"{head}(() =>\n{indent}{step}{inner}{self.call_comma}\n{indent}){tail}"
                    if self.fits(indent, f"{head}(() =>")
                    else f"{head}(\n{indent}{step}{closure}{self.call_comma}\n{indent}){tail}"
                )
            return f"{head}(\n{indent}{step}{closure}{self.call_comma}\n{indent}){tail}"
        opening = f"{head}({closure}, {{"
        if self.fits(indent, opening):
            body = ",\n".join(hook.lines(indent + step) for hook in hooks) + self.comma
            return f"{opening}\n{body}\n{indent}}}){tail}"
        deeper = indent + step
        body = ",\n".join(hook.lines(deeper + step) for hook in hooks) + self.comma
        hooked = f"{deeper}{{\n{body}\n{deeper}}}{self.call_comma}"
        return f"{head}(\n{deeper}{closure},\n{hooked}\n{indent}){tail}"
