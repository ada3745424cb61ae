"""add/channel/reconnect.py -> the module and the test that a Python host gains.

The files in add/ are written so that black and ruff leave them alone at any width from
79 on. A host whose program only dials its own bridge gets the part for that, one that dials
WhatsApp through neonize the policy and what hears neonize's events.
"""

from __future__ import annotations

import ast
import hashlib
import io
import re
import tokenize
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.resources import files
from typing import Literal

from skill.policy import BRIDGE, MEMORY_VERSION, POLICY, BridgeProfile, Policy

Profile = Literal["bridge", "full", "neonize", "all"]
# The sections of the sources in add/ that each profile keeps; what is in none, all do.
SECTIONS: dict[Profile, frozenset[str]] = {
    "bridge": frozenset({"bridge"}),
    "full": frozenset({"bridge", "full profile"}),
    "neonize": frozenset({"full profile", "neonize"}),
    "all": frozenset({"bridge", "full profile", "neonize"}),
}

BEGIN = "# skillgen: policy begins (rendered from skill/policy.py; do not edit)"
END = "# skillgen: policy ends"
_SECTION = re.compile(
    r"^# skillgen: (bridge|full profile|neonize) begins\n(.*?)^# skillgen: \1 ends\n", re.M | re.S
)
_MODULE = "add.channel.reconnect"
_WIDTH = 79

# What the policy says to users of Baileys, for those of neonize.
_ADVICE = {"405": "Update the WhatsApp library."}


@dataclass(frozen=True)
class PythonStyle:
    """How a Python host writes its code; the defaults are black's, and how add/ is written."""

    indent: str = "    "
    quote: str = '"'
    end_of_line: str = "\n"


BLACK = PythonStyle()


def render_python_module(
    version: str, profile: Profile = "full", style: PythonStyle = BLACK
) -> str:
    """reconnect.py as a host gets it."""
    source = _profiled(_source("reconnect.py"), profile)
    begin, end = source.index(BEGIN), source.index(END) + len(END)
    head, tail = source[:begin], source[end:]
    block = python_policy_block(only=_names(head + tail))
    return _finish(_without_unused_imports(head + block + tail), version, style)


def render_python_test(
    version: str,
    profile: Profile = "full",
    style: PythonStyle = BLACK,
    module: str = "whatsapp_reconnect",
) -> str:
    """test_reconnect.py as a host gets it; ``module`` is how it imports the module."""
    source = _profiled(_source("test_reconnect.py"), profile)
    source = source.replace(f"from {_MODULE} import", f"from {module} import")
    return _finish(_without_unused_imports(source), version, style)


def _source(name: str) -> str:
    return (files("add") / "channel" / name).read_text(encoding="utf-8")


def _profiled(source: str, profile: Profile) -> str:
    """Without the marks of the sections, and without the sections of other profiles."""
    kept = SECTIONS[profile]
    text = _SECTION.sub(lambda found: found[2] if found[1] in kept else "", source)
    return text.rstrip("\n") + "\n"


def _names(source: str) -> set[str]:
    return {node.id for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Name)}


def _without_unused_imports(source: str) -> str:
    used = _names(source)
    lines = source.splitlines(keepends=True)
    for node in ast.parse(source).body:
        if not isinstance(node, ast.Import | ast.ImportFrom):
            continue
        if isinstance(node, ast.ImportFrom) and node.module == "__future__":
            continue
        names = [alias.name for alias in node.names]
        kept = [name for name in names if name in used]
        if kept == names:
            continue
        start = node.lineno - 1
        for number in range(start, node.end_lineno or node.lineno):
            lines[number] = ""
        if kept and isinstance(node, ast.ImportFrom):
            line = f"from {node.module} import {', '.join(kept)}"
            if len(line) > _WIDTH:
                listed = "".join(f"    {name},\n" for name in kept)
                line = f"from {node.module} import (\n{listed})"
            lines[start] = line + "\n"
    return "".join(lines)


def _finish(source: str, version: str, style: PythonStyle) -> str:
    body = source.partition("\n")[2]
    header = f"# Added by skillgen {version} (sha256 of the rest: {python_digest(body)})"
    return _styled(f"{header}\n{body}", style)


def python_digest(body: str) -> str:
    """What a formatter may change does not count; indentation does."""
    try:
        bare = "".join(_bare(body))
    except (tokenize.TokenError, SyntaxError):  # no Python any more
        bare = body
    bare = re.sub(r"[\s'\"\\]+", "", bare)
    bare = re.sub(r",(?=[)\]}])", "", bare)
    return hashlib.sha256(bare.encode()).hexdigest()[:16]


def _bare(body: str) -> Iterator[str]:
    for token in _tokens(body.lstrip("\ufeff")):
        if token.type == tokenize.NEWLINE:
            yield ";"
        elif token.type in (tokenize.INDENT, tokenize.DEDENT):
            yield "{" if token.type == tokenize.INDENT else "}"
        else:
            yield token.string


def _tokens(source: str) -> Iterator[tokenize.TokenInfo]:
    return tokenize.generate_tokens(io.StringIO(source).readline)


def _styled(source: str, style: PythonStyle) -> str:
    """Canonical Python in another style: indentation, quotes, line ends."""
    if style.quote == "'":
        source = _requoted(source)
    lines = [_reindented(line, style.indent) for line in source.split("\n")]
    return style.end_of_line.join(lines)


def _requoted(source: str) -> str:
    lines = source.split("\n")
    # From the end, so that the columns before it stay right.
    for node in reversed(list(_strings(source))):
        (row, start), (end_row, end) = node
        text = lines[row - 1][start:end]
        if row == end_row and not re.search(r'''"""$|'|\\"''', text):
            line = lines[row - 1]
            lines[row - 1] = line[:start] + text.replace('"', "'") + line[end:]
    return "\n".join(lines)


def _strings(source: str) -> Iterator[tuple[tuple[int, int], tuple[int, int]]]:
    """Where string literals are, f-strings as a whole."""
    start: list[tuple[int, int]] = []
    for token in _tokens(source):
        name = tokenize.tok_name[token.type]
        if name == "FSTRING_START":
            start.append(token.start)
        elif name == "FSTRING_END":
            begun = start.pop()
            if not start:
                yield begun, token.end
        elif name == "STRING" and not start:
            yield token.start, token.end


def _reindented(line: str, indent: str) -> str:
    bare = line.lstrip(" ")
    levels, odd = divmod(len(line) - len(bare), 4)
    return indent * levels + " " * odd + bare if bare else ""


def python_policy_block(
    policy: Policy = POLICY, bridge: BridgeProfile = BRIDGE, only: set[str] | None = None
) -> str:
    """The Python constants, markers included; ``only`` those, if given."""
    numbers: list[tuple[str, float]] = [
        ("BRIDGE_DELAY", bridge.backoff.first),
        ("BRIDGE_CAP", bridge.backoff.cap),
        ("BRIDGE_RESET", bridge.reset_after),
        ("FACTOR", policy.transient.factor),
        ("JITTER", policy.transient.jitter),
        ("DELAY", policy.transient.first),
        ("DELAY_CAP", policy.transient.cap),
        ("HOLD", policy.hold.first),
        ("HOLD_CAP", policy.hold.cap),
        ("EXPIRY_CAP", policy.expiry_cap),
        ("RESET", policy.reset_after),
        ("BUDGET_WINDOW", policy.budget_window),
        ("UNFLUSHED", policy.unflushed),
        ("UNWRITABLE_WAIT", policy.unwritable_wait),
        ("AHEAD", policy.ahead),
        ("DOWN_AFTER", policy.down_after),
        ("DOWN_DELAY", policy.down_delay),
        ("PROBE_AFTER", policy.probe_after),
        ("RECHECK", policy.recheck),
    ]
    counts = [
        ("BUDGET", policy.budget),
        ("RESTARTS", policy.restarts),
        ("CORRUPT_LEVEL", policy.corrupt_level),
        ("VERSION", MEMORY_VERSION),
    ]
    deadlines = ", ".join(repr(float(seconds)) for seconds in policy.deadlines)
    known = sorted(policy.codes, key=lambda code: (not code.code.isdigit(), code.code))
    kinds: dict[str, list[str]] = {}
    for code in known:
        if code.kind != "transient":
            kinds.setdefault(code.kind, []).append(f'"{code.code}"')
    meanings = {code.code: code.meaning for code in known}
    advice = {code.code: _ADVICE.get(code.code, code.advice) for code in known if code.advice}
    parts = {name: [f"{name} = {float(value)!r}"] for name, value in numbers}
    parts |= {name: [f"{name} = {count}"] for name, count in counts}
    parts["DEADLINES"] = [f"DEADLINES = ({deadlines})"]
    rows = {kind: f"[{', '.join(codes)}]" for kind, codes in sorted(kinds.items())}
    parts["KINDS"] = _table("KINDS", rows)
    parts["MEANINGS"] = _table("MEANINGS", {key: f'"{text}"' for key, text in meanings.items()})
    parts["ADVICE"] = _table("ADVICE", {key: f'"{text}"' for key, text in advice.items()})
    wanted = [lines for name, lines in parts.items() if only is None or name in only]
    return "\n".join([BEGIN, *(line for lines in wanted for line in lines), END])


def _table(name: str, rows: dict[str, str]) -> list[str]:
    lines = [f"{name} = {{"]
    for key, text in rows.items():
        line = f'    "{key}": {text},'
        if len(line) > _WIDTH and text.startswith("["):
            inner = [f"        {item}," for item in text[1:-1].split(", ")]
            lines += [f'    "{key}": [', *inner, "    ],"]
        else:
            lines.append(line)
    return [*lines, "}"]
