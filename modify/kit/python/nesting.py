"""How deep Python is nested, from its text in one pass, before a parser sees it.

libcst's parser takes a piece of the stack for each bracket and operator that stands in another:
1,500 parentheses end the process. What reads a tree takes the square of its depth in places.
So depth is bounded, by a count that is not less than what a parser makes of the text and far
above what people write (the standard library stays below it): brackets, blocks, and the
operators of an expression between two commas.
"""

from __future__ import annotations

import re

DEEPEST = 400
OPENS = {"(": ")", "[": "]", "{": "}"}

PYTHON = re.compile(
    r"""(?P<skip>\#[^\n]*|\\\r?\n)
    |(?P<text>\"\"\"[\s\S]*?\"\"\"|\'\'\'[\s\S]*?\'\'\'|"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*')
    |(?P<open>[(\[{])|(?P<close>[)\]}])|(?P<apart>[,;])
    |(?P<line>\n[ \t]*)(?=(?P<first>\w*)(?P<empty>\r?\n|\#|$)?)
    |(?P<chain>\*\*|//|<<|>>|[=!<>]=|:=|->|[-+*/%@&|^~<>=!.:]
        |\b(?:not|and|or|if|else|lambda|await|in|is|for|yield|from)\b)
    |(?P<word>\w+)""",
    re.VERBOSE,
)


def too_deep(text: str) -> int | None:
    """The line on which Python is nested too deeply, or None."""
    inside, here, whole = [0], "", 0  # of each bracket that is open: its operators so far
    indents, others = [""], [0]  # of each block: how many elif come after one another
    opened: list[str] = []
    for token in PYTHON.finditer(text):
        kind = token.lastgroup
        if kind in ("first", "empty"):
            kind = "line"
        if kind == "open":
            opened.append(OPENS[token[0]])
            inside.append(0)
        elif kind == "close":
            if token[0] in opened:
                while opened.pop() != token[0]:
                    whole -= inside.pop()
                whole -= inside.pop()
            inside[-1] += 1
            whole += 1
        elif kind == "apart" or (kind == "line" and not opened):
            whole -= inside[-1]
            inside[-1] = 0
            if kind == "line" and token["empty"] is None:
                here = token["line"][1:]
                while len(indents) > 1 and len(here) < len(indents[-1]):
                    indents.pop()
                    others.pop()
                if len(here) > len(indents[-1]):
                    indents.append(here)
                    others.append(0)
                others[-1] = others[-1] + 1 if token["first"] in ("elif", "else") else 0
        elif kind in ("chain", "text"):
            inside[-1] += 1
            whole += 1
        if kind in ("open", "close", "chain", "text", "line"):
            depth = whole + 2 * (len(inside) + len(indents)) + sum(others)
            if depth > DEEPEST:
                return text.count("\n", 0, token.end()) + 1
    return None
