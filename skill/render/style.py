"""How a host writes its code."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

TrailingCommas = Literal["all", "es5", "none"]
ModuleSystem = Literal["esm", "commonjs"]


@dataclass(frozen=True)
class Style:
    """The style that added files are converted to. The defaults are how add/ is written.

    Names and meanings follow prettier's options.
    """

    indent: str = "  "
    quote: str = "'"
    semicolons: bool = True
    width: int = 80
    """Columns; the added files are made so that any width from 80 on leaves them alone."""
    trailing_commas: TrailingCommas = "all"
    arrow_parens: bool = True
    """``(x) => x`` rather than ``x => x``."""
    bracket_spacing: bool = True
    end_of_line: str = "\n"
    import_extension: str = ".js"
    """Of relative imports: ``.js``, ``.ts`` or none."""
    modules: ModuleSystem = "esm"
    """How the JavaScript among the added files imports and exports."""


CANONICAL = Style()
