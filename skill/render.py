"""add/ -> the files a host gains: policy and header filled in, in the host's style.

The files in add/ are written so that prettier leaves them alone at any width from 80 on;
what remains is a matter of tokens: quotes, semicolons, commas, parentheses, indentation.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from importlib.resources import files
from typing import TYPE_CHECKING

from skill.policy import MEMORY_VERSION, POLICY, Policy
from skill.render_javascript import javascript
from skill.style import Style

if TYPE_CHECKING:
    from ast_grep_py import SgNode

BEGIN = "// skillgen: policy begins (rendered from skill/policy.py; do not edit)"
END = "// skillgen: policy ends"

_HEADER = re.compile(
    r"^\ufeff?(?://|#) Added by skillgen (\S+) \(sha256 of the rest: ([0-9a-f]{16})\)\r?$",
    re.MULTILINE,
)
_SPECIFIER = "./reconnect.js"
JAVASCRIPT = (".js", ".mjs", ".cjs")


def render_channel_module(
    style: Style, version: str, ending: str = ".ts", policy: Policy = POLICY
) -> str:
    """reconnect.ts as a host gets it; JavaScript where the file's ending says so.

    policy: hosts get the one that is measured; tests in real time a shorter one.
    """
    source = _source("reconnect.ts")
    begin, end = source.index(BEGIN), source.index(END) + len(END)
    source = source[:begin] + policy_block(policy) + source[end:]
    if ending in JAVASCRIPT:
        source = javascript(source, style.modules)
    return _finish(source, style, version)


def render_channel_test(
    style: Style, version: str, module: str = "whatsapp-reconnect", ending: str = ".ts"
) -> str:
    """reconnect.test.ts as a host gets it.

    module, ending: the file name of the module beside it. The test of a CommonJS module is
    an ES module: vitest can be imported, not required.
    """
    source = _source("reconnect.test.ts")
    shown = ending if ending in JAVASCRIPT else style.import_extension
    if ending in (".mts", ".cts"):
        shown = ending.replace("ts", "js")
    source = source.replace(_SPECIFIER, f"./{module}{shown}")
    if ending in JAVASCRIPT:
        source = javascript(source, "esm")
    return _finish(source, style, version)


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
        from skill.render_python import python_digest

        return version, python_digest(rest) == digest
    return version, _digest(rest) == digest


def _source(name: str) -> str:
    return (files("add") / "channel" / name).read_text(encoding="utf-8")


def _finish(source: str, style: Style, version: str) -> str:
    body = source.partition("\n")[2]
    header = f"// Added by skillgen {version} (sha256 of the rest: {_digest(body)})"
    return convert(f"{header}\n{body}", style)


def _digest(body: str) -> str:
    """What a formatter may change does not count."""
    bare = re.sub(r"[\s'\"\\;\ufeff]+", "", body)
    bare = re.sub(r",(?=[)\]}])", "", bare)
    bare = re.sub(r"\((\w+)\)=>", r"\1=>", bare)
    return hashlib.sha256(bare.encode()).hexdigest()[:16]


def policy_block(policy: Policy = POLICY) -> str:
    """The TypeScript constants, markers included, in canonical style."""
    numbers: list[tuple[str, float]] = [
        ("DELAY_MS", policy.transient.first * 1000),
        ("DELAY_CAP_MS", policy.transient.cap * 1000),
        ("HOLD_MS", policy.hold.first * 1000),
        ("HOLD_CAP_MS", policy.hold.cap * 1000),
        ("EXPIRY_CAP_MS", policy.expiry_cap * 1000),
        ("FACTOR", policy.transient.factor),
        ("JITTER", policy.transient.jitter),
        ("RESET_MS", policy.reset_after * 1000),
        ("BUDGET", policy.budget),
        ("BUDGET_MS", policy.budget_window * 1000),
        ("RESTARTS", policy.restarts),
        ("SETTLE_MS", policy.settle * 1000),
        ("UNFLUSHED_MS", policy.unflushed * 1000),
        ("UNWRITABLE_MS", policy.unwritable_wait * 1000),
        ("CORRUPT_LEVEL", policy.corrupt_level),
        ("AHEAD_MS", policy.ahead * 1000),
        ("DOWN_MS", policy.down_after * 1000),
        ("DOWN_DELAY_MS", policy.down_delay * 1000),
        ("PROBE_MS", policy.probe_after * 1000),
        ("LATE_MS", policy.late_after * 1000),
        ("UPTIME_MS", policy.uptime * 1000),
        ("RECHECK_MS", policy.recheck * 1000),
        ("VERSION", MEMORY_VERSION),
    ]
    lines = [BEGIN]
    lines += [f"const {name} = {_number(value)};" for name, value in numbers]
    deadlines = ", ".join(_number(seconds * 1000) for seconds in policy.deadlines)
    lines.append(f"const DEADLINES_MS = [{deadlines}];")
    kinds: dict[str, list[str]] = {}
    for code in policy.codes:
        if code.kind != "transient":
            kinds.setdefault(code.kind, []).append(f"'{code.code}'")
    meanings = {code.code: code.meaning for code in policy.codes}
    advice = {code.code: code.advice for code in policy.codes if code.advice}
    rows = [f"  {kind}: [{', '.join(sorted(codes))}]," for kind, codes in kinds.items()]
    lines += ["const KINDS: Partial<Record<Kind, string[]>> = {", *rows, "};"]
    lines += _table("MEANINGS: Record<string, string>", meanings)
    lines += _table("ADVICE: Record<string, string>", advice)
    lines.append(END)
    return "\n".join(lines)


def _number(value: float) -> str:
    return f"{int(value):_}" if value == int(value) else repr(value)


def _table(declaration: str, rows: Mapping[str, str]) -> list[str]:
    # Integer-like keys first, as JavaScript orders them anyway.
    ordered = sorted(rows.items(), key=lambda row: (not row[0].isdigit(), row[0]))
    return [f"const {declaration} = {{", *(f"  {key}: '{text}'," for key, text in ordered), "};"]


def convert(source: str, style: Style) -> str:
    """Canonical TypeScript in another style, token by token."""
    from ast_grep_py import SgRoot

    edits: list[tuple[int, int, str]] = []
    _collect(SgRoot(source, "typescript").root(), source, style, edits)
    for start, end, text in sorted(edits, reverse=True):
        source = source[:start] + text + source[end:]
    lines = [_reindent(line, style.indent) for line in source.split("\n")]
    return style.end_of_line.join(lines)


def _collect(node: SgNode, source: str, style: Style, edits: list[tuple[int, int, str]]) -> None:
    kind, span = node.kind(), node.range()
    start, end = span.start.index, span.end.index
    if kind == "string" and source[start] in "'\"":
        edits.append((start, end, _requoted(source[start:end], style.quote)))
        return
    ends = kind == ";" and not style.semicolons and _ends_line(source, end)
    if ends or (kind == "," and _trails(node, source, end, style)):
        edits.append((start, end, ""))
    elif kind == "formal_parameters" and not style.arrow_parens and _is_bare(node):
        edits += [(start, start + 1, ""), (end - 1, end, "")]
    elif kind in _SPACED and not style.bracket_spacing and "\n" not in source[start:end]:
        if source[start:].startswith("{ ") and end - start > 3:
            edits += [(start + 1, start + 2, ""), (end - 2, end - 1, "")]
    elif kind == "expression_statement" and not style.semicolons and source[start] in "([`+-/":
        # Without the semicolon before it, it would go on with the line above.
        edits.append((start, start, ";"))
    for child in node.children():
        _collect(child, source, style, edits)


_SPACED = {"object", "object_pattern", "object_type", "named_imports", "export_clause"}


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
