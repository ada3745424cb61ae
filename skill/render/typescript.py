"""add/ -> the files a host gains: policy and header filled in, in the host's style.

The files in add/ are written so that prettier leaves them alone at any width from 80 on;
what remains is a matter of tokens: quotes, semicolons, commas, parentheses, indentation.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from typing import TYPE_CHECKING, Literal

from skill.policy import MEMORY_VERSION, POLICY, Policy
from skill.render.join import join
from skill.render.style import Style

if TYPE_CHECKING:
    from ast_grep_py import SgNode

BEGIN = "// skillgen: policy begins (rendered from skill/policy.py; do not edit)"
END = "// skillgen: policy ends"

_HEADER = re.compile(
    r"^\ufeff?(?://|#) Added by skillgen (\S+) \(sha256 of the rest: ([0-9a-f]{16})\)\r?$",
    re.MULTILINE,
)
_SPECIFIER = "./index.js"
_WIRED_FROM = "/** How often a file"
JAVASCRIPT = (".js", ".mjs", ".cjs")
Kind = Literal["loop", "held", "both"]
PARTS: dict[Kind, tuple[str, ...]] = {
    "loop": ("policy", "memory", "gate", "socket", "loop"),
    "held": ("policy", "memory", "gate", "socket", "accounts"),
    "both": ("policy", "memory", "gate", "socket", "accounts", "loop"),
}
_ENDINGS = {"typescript": ".ts", "javascript": ".js"}


@lru_cache(maxsize=32)
def render_channel_module(
    style: Style, version: str, ending: str = ".ts", policy: Policy = POLICY, kind: Kind = "loop"
) -> str:
    """The reconnect module as a host gets it, one file; JavaScript where its ending says so.

    policy: hosts get the one that is measured; tests in real time a shorter one.
    kind: what the host calls. "loop": a Reconnect's socket(), dial(), stop() and
    terminal; "held": socket() and authState(); "both".
    """
    language = "javascript" if ending in JAVASCRIPT else "typescript"
    texts = [_source(f"{language}/{name}{_ENDINGS[language]}") for name in PARTS[kind]]
    texts[0] = with_policy(texts[0], policy, typed=language == "typescript")
    modules = style.modules if language == "javascript" else "esm"
    index = _source("typescript/index.ts")
    why = index[: index.index("export ")]
    unchecked = "//\n// @ts-nocheck\n" if language == "javascript" else ""
    return _finish(f"//\n//\n{why}{unchecked}{join(tuple(texts), modules)}", style, version)


@dataclass(frozen=True, slots=True)
class Wiring:
    """How a file of the host calls the module, as code without white space.

    path: from the folder of the test. least: how often each part is in it at least; gone: the
    parts that are not in it.
    """

    path: str
    least: tuple[tuple[str, int], ...]
    gone: tuple[str, ...] = ()


@lru_cache(maxsize=32)
def render_channel_test(
    style: Style,
    version: str,
    module: str = "whatsapp-reconnect",
    ending: str = ".ts",
    wirings: tuple[Wiring, ...] = (),
    kind: Kind = "loop",
) -> str:
    """The test of the module, and of the files that call it, as a host gets it.

    module, ending: the file name of the module beside it. The test of a CommonJS module is
    an ES module: vitest can be imported, not required.
    kind: a module that only holds dials is tested by its calls alone.
    """
    plain = ending in JAVASCRIPT
    language, own = ("javascript", ".js") if plain else ("typescript", ".ts")
    shown = ending if ending in JAVASCRIPT else style.import_extension
    if ending in (".mts", ".cts"):
        shown = ending.replace("ts", "js")
    calls = _wired(_source(f"{language}/wiring.test{own}"), f"{module}{ending}", wirings, style)
    loop = _source(f"{language}/reconnect.test{own}").replace(_SPECIFIER, f"./{module}{shown}")
    if kind == "held":
        source = calls
    else:
        source = f"{loop}\n{calls[calls.index(_WIRED_FROM) :]}" if wirings else loop
    if plain:
        head, _, rest = source.partition("import ")
        source = f"{head}//\n// @ts-nocheck\nimport {rest}"
    return _finish(source, style, version)


def _wired(source: str, module: str, wirings: tuple[Wiring, ...], style: Style) -> str:
    """The template of the calls' test, with a test for each file in place of its own one."""
    begin, end = source.index("  it("), source.rindex("});")
    tests = "\n".join("".join(_test_of(each, style)) for each in wirings)
    return source[:begin].replace("'index.ts'", f"'{module}'") + tests + source[end:]


def _test_of(wiring: Wiring, style: Style) -> Iterator[str]:
    yield f"  it('{wiring.path} is patched; if an update undid it: skillgen apply', () => {{\n"
    line = f"const times = counter('{wiring.path}');"
    if 2 * len(style.indent.replace("\t", "    ")) + len(line) <= style.width:
        yield f"    {line}\n"
    else:
        yield f"    const times = counter(\n      '{wiring.path}',\n    );\n"
    for part, least in wiring.least:
        yield f"    expect(times('{part}')).toBeGreaterThan({least - 1});\n"
    for part in wiring.gone:
        yield f"    expect(times('{part}')).toBe(0);\n"
    yield "  });\n"


def module_identity(text: str) -> tuple[str, bool] | None:
    """The version that wrote a file, and whether anything but its formatting has changed.

    None: not a file of ours. A host's formatter may have been at it.
    """
    header = _HEADER.search(text, 0, 4000)
    if header is None:
        return None
    version, digest = header.groups()
    rest = text[: header.start()] + text[header.end() :]
    if "#" in header[0]:
        # Lazy: it takes some milliseconds to import, and few hosts have a Python module.
        from skill.render.python import python_digest

        return version, python_digest(rest) == digest
    return version, digest in (_digest(rest), _digest_of_old(rest))


def is_same_added(one: bytes, other: bytes) -> bool:
    """Whether two texts are the same added file, apart from a formatter's changes."""
    texts = [content.decode("utf-8", "replace") for content in (one, other)]
    headers = [_HEADER.search(text, 0, 4000) for text in texts]
    known = [header.groups() if header else None for header in headers]
    return known[0] == known[1] and all((module_identity(text) or ("", False))[1] for text in texts)


def _source(name: str) -> str:
    return (files("add") / "channel" / name).read_text(encoding="utf-8")


def _finish(source: str, style: Style, version: str) -> str:
    body = source.partition("\n")[2]
    header = f"// Added by skillgen {version} (sha256 of the rest: {_digest(body)})"
    return convert(f"{header}\n{body}", style)


def _digest(body: str) -> str:
    """A hash that ignores a formatter's changes: at any width, parentheses come and go."""
    bare = re.sub(r"[()]|(?<=[:=<,])\|(?!\|)", "", _bare(body))
    return hashlib.sha256(bare.encode()).hexdigest()[:16]


def _digest_of_old(body: str) -> str:
    """The same as modules that were added by earlier versions have it in their header."""
    bare = re.sub(r"\((\w+)\)=>", r"\1=>", _bare(body))
    return hashlib.sha256(bare.encode()).hexdigest()[:16]


def _bare(body: str) -> str:
    """Without white space, quotes, semicolons and trailing commas."""
    bare = re.sub(r"[\s'\"\\;\ufeff]+", "", body)
    return re.sub(r",(?=[)\]}])", "", bare)


def with_policy(source: str, policy: Policy, typed: bool) -> str:
    """policy.ts or policy.js with the constants of that policy."""
    begin, end = source.index(BEGIN), source.index(END) + len(END)
    return source[:begin] + policy_block(policy, typed) + source[end:]


def policy_block(policy: Policy = POLICY, typed: bool = True) -> str:
    """The constants of the policy as TypeScript or JavaScript, markers included."""
    transient, hold = policy.transient, policy.hold
    first = transient.jitter if transient.first_jitter is None else transient.first_jitter
    shown = {
        "DELAY_MS": (transient.first * 1000, transient.cap * 1000),
        "HOLD_MS": (hold.first * 1000, hold.cap * 1000),
        "DOWN_MS": (policy.down_after * 1000, policy.down_delay * 1000),
        "FACTOR": transient.factor,
        "JITTER": (first, transient.jitter),
        "RESET_MS": policy.reset_after * 1000,
        "BUDGET": policy.budget,
        "BUDGET_MS": policy.budget_window * 1000,
        "RESTARTS": policy.restarts,
        "SETTLE_MS": policy.settle * 1000,
        "UNFLUSHED_MS": policy.unflushed * 1000,
        "UNWRITABLE_MS": policy.unwritable_wait * 1000,
        "CORRUPT_LEVEL": policy.corrupt_level,
        "EXPIRY_CAP_MS": policy.expiry_cap * 1000,
        "PROBE_MS": policy.probe_after * 1000,
        "LATE_MS": policy.late_after * 1000,
        "UPTIME_MS": policy.uptime * 1000,
        "RECHECK_MS": policy.recheck * 1000,
        "SPACING_MS": policy.spacing * 1000,
        "DEADLINES_MS": [seconds * 1000 for seconds in policy.deadlines],
        "VERSION": MEMORY_VERSION,
        "AUTH": sorted(c.code for c in policy.codes if c.kind == "auth" and c.code.isdigit()),
        "HOLDS": sorted(c.code for c in policy.codes if c.kind in ("blocked", "replaced")),
    }
    lines = [f"export const {name} = {_literal(value, typed)};" for name, value in shown.items()]
    meanings = {c.code: f"{c.meaning}: {c.advice}" for c in policy.codes if c.advice}
    kind = ": Record<string, string>" if typed else ""
    return "\n".join([BEGIN, *lines, *_table(f"MEANINGS{kind}", meanings), END])


def _literal(value: object, typed: bool) -> str:
    if isinstance(value, int | float):
        return _number(value)
    if isinstance(value, tuple):
        return f"[{', '.join(map(_number, value))}]{' as const' if typed else ''}"
    assert isinstance(value, list)
    return f"[{', '.join(repr(v) if isinstance(v, str) else _number(v) for v in value)}]"


def _number(value: float) -> str:
    return f"{int(value):_}" if value == int(value) else repr(value)


def _table(declaration: str, rows: Mapping[str, str]) -> list[str]:
    # Integer-like keys first, as JavaScript orders them anyway.
    ordered = sorted(rows.items(), key=lambda row: (not row[0].isdigit(), row[0]))
    return [
        f"export const {declaration} = {{",
        *(f"  {key}: '{text}'," for key, text in ordered),
        "};",
    ]


def convert(source: str, style: Style) -> str:
    """Canonical TypeScript in another style, token by token."""
    from ast_grep_py import SgRoot

    edits = sorted(_edits(SgRoot(source, "typescript").root(), source, style), reverse=True)
    for start, end, text in edits:
        source = source[:start] + text + source[end:]
    lines = [_reindent(line, style.indent) for line in source.split("\n")]
    return style.end_of_line.join(lines)


def _edits(root: SgNode, source: str, style: Style) -> Iterator[tuple[int, int, str]]:
    """What the style has otherwise. Asked for by kind: to walk all nodes takes far longer."""
    for start, end in _spans(root.find_all(kind="string")):
        yield start, end, _requoted(source[start:end], style.quote)
    if style.trailing_commas != "all":
        for node in _tokens(root, ","):
            [(start, end)] = _spans([node])
            if _trails(node, source, end, style):
                yield start, end, ""
    if not style.arrow_parens:
        bare = filter(_is_bare, root.find_all(kind="formal_parameters"))
        for start, end in _spans(bare):
            yield from ((start, start + 1, ""), (end - 1, end, ""))
    if not style.bracket_spacing:
        for start, end in _spans(root.find_all(any=[{"kind": kind} for kind in _SPACED])):
            inner = source[start:end]
            if "\n" not in inner and inner.startswith("{ ") and len(inner) > 3:
                yield from ((start + 1, start + 2, ""), (end - 2, end - 1, ""))
    if not style.semicolons:
        for start, end in _spans(_tokens(root, ";")):
            if _ends_line(source, end):
                yield start, end, ""
        for start, _ in _spans(root.find_all(kind="expression_statement")):
            if source[start] in "([`+-/":
                # Without the semicolon before it, it would go on with the line above.
                yield start, start, ";"


def _spans(nodes: Iterable[SgNode]) -> Iterator[tuple[int, int]]:
    for node in nodes:
        span = node.range()
        yield span.start.index, span.end.index


def _tokens(root: SgNode, text: str) -> list[SgNode]:
    """The tokens that are exactly this text; a string that holds it is not one of them."""
    return [node for node in root.find_all(regex=f"^{text}$") if node.kind() == text]


_SPACED = ("object", "object_pattern", "object_type", "named_imports", "export_clause")


def _ends_line(source: str, end: int) -> bool:
    rest = source[end:].partition("\n")[0].strip()
    return not rest or rest.startswith("//")


def _trails(node: SgNode, source: str, end: int, style: Style) -> bool:
    """A trailing comma that the style does without."""
    closing = re.match(r"\s*\n\s*[)\]}]", source[end:])
    if closing is None or style.trailing_commas == "all":
        return False
    parent = node.parent()
    of_function = parent is not None and parent.kind() in {"arguments", "formal_parameters"}
    return style.trailing_commas == "none" or of_function


def _is_bare(node: SgNode) -> bool:
    """The parameters of an arrow function that is written `x => ...` without parentheses."""
    parent = node.parent()
    if parent is None or parent.kind() != "arrow_function" or parent.field("return_type"):
        return False
    inner = [child for child in node.children() if child.is_named()]
    return len(inner) == 1 and re.fullmatch(r"[A-Za-z_$][\w$]*", node.text()[1:-1]) is not None


def _requoted(literal: str, quote: str) -> str:
    """A string literal in the preferred quotes, unless the others need fewer escapes."""
    inner = re.sub(r"\\(['\"])", r"\1", literal[1:-1])
    other = "'" if quote == '"' else '"'
    if inner.count(quote) > inner.count(other):
        quote = other
    return quote + inner.replace(quote, "\\" + quote) + quote


def _reindent(line: str, indent: str) -> str:
    bare = line.lstrip(" ")
    levels, odd = divmod(len(line) - len(bare), 2)
    return indent * levels + " " * odd + bare if bare else ""
