"""What can become of a text: cut, doubled, swapped, nested, filled with odd values."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Sequence
from typing import Any

from hypothesis import strategies as st
from hypothesis.strategies import DrawFn, SearchStrategy

ODD = (
    "", " ", "\t", "\n", "\r\n", "\r", "\x00", "\x1b[31m", "\u2028", "\ufeff", "é", "🙂", "'", '"',
    "`", "\\", "\\\n", "{", "}", "{}", "[", "]", "[]", "(", ")", "()", "<", ">", "/*", "*/", "//",
    "#", "<!--", "-->", "<![CDATA[", "]]>", "&amp;", "&x;", "%", "%%", "%h", "$", "${", "${x}",
    "$(x)", "*x", "&x", "!!python/object:os.system", "!!binary x", "<<: *x", "---", "...", "|",
    "|-", ">-", "?", ":", ": ", "=", "==", ";", ",", "@", "~", "null", "true", "no", "NaN",
    "Infinity", "-0", "1e300", "1e999", "0x7f", "9" * 400, "-1", "0", "1.5", "../..", "/", "C:\\",
    "a" * 3000, "=>", "await ", "async ", "function ", "class ", "return", "if (", "else",
    "for (;;)", "switch (x) {", "def f():", "lambda: ", "yield ", "import ", "import x",
    "process.exit(1)", "sys.exit(1)", "<<<<<<<", "f'{", "'''", '"""', "rb'", "é'", "\udc80",
)  # fmt: skip
WORD = re.compile(r"[\w.-]+|\"[^\"\n]*\"|'[^'\n]*'")
DEEP = (1, 3, 40, 300)


@st.composite
def mutated(draw: DrawFn, seeds: Sequence[str], deepest: int = 300) -> bytes:
    """One of the texts after some accidents; about one in ten is unharmed."""
    text = draw(st.sampled_from(seeds))
    for _ in range(draw(st.integers(0, 5))):
        text = draw(st.sampled_from(STEPS))(draw, text, seeds, deepest)
        text = text[:50_000]
    return _encoded(draw, text)


def _encoded(draw: DrawFn, text: str) -> bytes:
    encoding = draw(st.sampled_from(["utf-8"] * 8 + ["utf-16", "latin-1", "utf-8-sig"]))
    handler = "surrogateescape" if encoding.startswith("utf-8") else "replace"
    return text.encode(encoding, handler)


def _place(draw: DrawFn, text: str) -> tuple[int, int]:
    """A slice, mostly a short one."""
    start = draw(st.integers(0, len(text)))
    length = draw(st.sampled_from([0, 1, 2, 5, 20, 100, 1000]))
    return start, min(len(text), start + length)


def _cut(draw: DrawFn, text: str, _seeds: Sequence[str], _deepest: int) -> str:
    start, end = _place(draw, text)
    return text[:start] + text[end:]


def _ended(draw: DrawFn, text: str, _seeds: Sequence[str], _deepest: int) -> str:
    return text[: draw(st.integers(0, len(text)))]


def _doubled(draw: DrawFn, text: str, _seeds: Sequence[str], _deepest: int) -> str:
    start, end = _place(draw, text)
    return text[:start] + text[start:end] * draw(st.integers(2, 30)) + text[end:]


def _inserted(draw: DrawFn, text: str, _seeds: Sequence[str], _deepest: int) -> str:
    at = draw(st.integers(0, len(text)))
    return text[:at] + draw(st.sampled_from(ODD)) + text[at:]


def _word(draw: DrawFn, text: str, _seeds: Sequence[str], _deepest: int) -> str:
    words = list(WORD.finditer(text))
    if not words:
        return text
    word = draw(st.sampled_from(words))
    other = draw(st.sampled_from(ODD) | st.sampled_from(words).map(lambda found: found[0]))
    return text[: word.start()] + other + text[word.end() :]


def _lines(draw: DrawFn, text: str, _seeds: Sequence[str], _deepest: int) -> str:
    lines = text.split("\n")
    one, other = (draw(st.integers(0, len(lines) - 1)) for _ in range(2))
    lines[one], lines[other] = lines[other], lines[one]
    return draw(st.sampled_from(["\n", "\n", "\r\n", "\r"])).join(lines)


def _indented(draw: DrawFn, text: str, _seeds: Sequence[str], _deepest: int) -> str:
    lines = text.split("\n")
    at = draw(st.integers(0, len(lines) - 1))
    lines[at] = draw(st.sampled_from([" ", "\t", "    ", "- "])) + lines[at]
    return "\n".join(lines)


def _spliced(draw: DrawFn, text: str, seeds: Sequence[str], _deepest: int) -> str:
    other = draw(st.sampled_from(seeds))
    start, end = _place(draw, other)
    at = draw(st.integers(0, len(text)))
    return text[:at] + other[start:end] + text[at:]


def _nested(draw: DrawFn, text: str, _seeds: Sequence[str], deepest: int) -> str:
    start, end = _place(draw, text)
    opened, closed = draw(
        st.sampled_from(["()", "[]", "{}", "<>", ("if x:", ""), ("[ {a: ", "} ]"), ("- ", "")])
    )
    depth = min(deepest, draw(st.sampled_from(DEEP)))
    return text[:start] + opened * depth + text[start:end] + closed * depth + text[end:]


STEPS = (_cut, _ended, _doubled, _inserted, _inserted, _word, _word, _lines, _indented, _spliced,
         _nested)  # fmt: skip

odd_leaves: SearchStrategy[Any] = st.one_of(
    st.none(), st.booleans(), st.integers(-(2**70), 2**70), st.floats(), st.text(max_size=8),
    st.sampled_from(["", "\0", "..", "/etc/passwd", "\ud800", 10**400, 1e300, -0.0, "x" * 3000]),
)  # fmt: skip
odd_values: SearchStrategy[Any] = st.recursive(
    odd_leaves,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=6), inner, max_size=3)
    ),
    max_leaves=8,
)  # fmt: skip


def places(data: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """The way to each value in a JSON value."""
    found = [path]
    steps: Iterable[tuple[Any, Any]] = ()
    if isinstance(data, dict | list):
        steps = data.items() if isinstance(data, dict) else enumerate(data)
    for key, value in steps:
        found += places(value, (*path, key))
    return found


def replaced(data: Any, path: tuple[Any, ...], value: Any) -> Any:
    if not path:
        return value
    copy = dict(data) if isinstance(data, dict) else list(data)
    copy[path[0]] = replaced(copy[path[0]], path[1:], value)
    return copy


@st.composite
def odd_json(draw: DrawFn, seed: Any) -> Any:
    """The value with some of its parts replaced by others."""
    data = seed
    for _ in range(draw(st.integers(1, 3))):
        data = replaced(data, draw(st.sampled_from(places(data))), draw(odd_values))
    return data


def as_json(data: Any) -> bytes:
    """The bytes; NaN and lone surrogates as Python's own parser takes them."""
    return json.dumps(data, indent=1).encode()


def deep_json(depth: int) -> bytes:
    return b'{"a":' * depth + b"1" + b"}" * depth
