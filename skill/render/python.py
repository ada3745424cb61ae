"""add/channel/python -> the module and the test that a Python host gains.

The files in add/ are written so that black and ruff leave them alone at any width from
79 on. A host whose program only dials its own bridge gets the part for that, one that dials
WhatsApp through neonize the policy and the handlers of neonize's events.
"""

from __future__ import annotations

import hashlib
import io
import re
import tokenize
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from functools import cache, lru_cache
from importlib.resources import files
from types import MappingProxyType
from typing import Literal

from skill.policy import BRIDGE, MEMORY_VERSION, POLICY, Policy
from skill.render.join_python import WIDTH, Module, joined, kept, parse
from skill.render.python_parameters import keywords, without

Wiring = Mapping[str, Mapping[str, int]]
_WIRING = re.compile(r"^WIRING = \{$.*?^\}$", re.MULTILINE | re.DOTALL)
Profile = Literal["bridge", "full", "neonize", "both", "all"]
ROOTS: dict[Profile, tuple[str, ...]] = {
    "bridge": ("bridge",),
    "full": ("reconnect",),
    "neonize": ("neonize_client",),
    "both": ("bridge", "neonize_client"),
    "all": ("bridge", "reconnect", "neonize_client"),
}
"""The files in add/channel/python that hold what the hosts of each profile call."""

BEGIN = "# skillgen: policy begins (rendered from skill/policy.py; do not edit)"
END = "# skillgen: policy ends"
_PACKAGE = "add.channel.python"
_FUTURE = "from __future__ import annotations\n"
_INSIDE = ("memory", "policy")
"""Files whose names only the module itself calls."""


@dataclass(frozen=True)
class PythonStyle:
    """How a Python host writes its code; the defaults are black's, and how add/ is written."""

    indent: str = "    "
    quote: str = '"'
    end_of_line: str = "\n"


BLACK = PythonStyle()


def render_python_module(
    version: str,
    profile: Profile = "full",
    style: PythonStyle = BLACK,
    policy: Policy = POLICY,
    calls: Collection[str] = (),
) -> str:
    """The reconnect module as a host gets it, one file.

    policy: hosts get the one that is measured; tests in real time a shorter one.
    calls: the names of the functions and methods that the host calls; () for all.
    """
    return _rendered(version, profile, style, policy, frozenset(calls))


@lru_cache(maxsize=32)
def _rendered(
    version: str, profile: Profile, style: PythonStyle, policy: Policy, calls: frozenset[str]
) -> str:
    modules = _modules(profile, policy, calls)
    roots = [modules[name] for name in ROOTS[profile]]
    doc = "\n\n".join([modules["gate"].doc, *(root.doc for root in roots)])
    found = kept(modules.values(), roots, calls)
    return _finish(joined(doc, [*modules.values()], found, _PACKAGE), version, style)


@cache
def callable_names(profile: Profile) -> frozenset[str]:
    """Names that a host may use in calls: public functions, classes, methods, keywords."""
    roots = ROOTS[profile]
    found = {
        one.name
        for name, module in _modules(profile, POLICY).items()
        for definition in module.definitions
        for one in ((definition,) if name in roots else ()) + definition.methods
        if one.is_block and name not in _INSIDE
    }
    return frozenset(name for name in found if not name.startswith("_")) | _keywords(profile)


@cache
def _keywords(profile: Profile) -> frozenset[str]:
    return keywords("\n".join(_sources(profile).values()).replace(_FUTURE, ""))


@lru_cache(maxsize=32)
def _modules(
    profile: Profile, policy: Policy, calls: frozenset[str] = frozenset()
) -> dict[str, Module]:
    sources = _sources(profile)
    sources["policy"] = _with_policy(sources["policy"], policy)
    if calls:
        gone = _keywords(profile) - calls
        sources = {name: without(source, gone) for name, source in sources.items()}
    return {name: parse(source) for name, source in sources.items()}


def _sources(profile: Profile) -> dict[str, str]:
    """The files that a profile is made of, by name."""
    sources: dict[str, str] = {}
    for name in ROOTS[profile]:
        _collect(name, sources)
    return sources


def _collect(name: str, sources: dict[str, str]) -> None:
    """Read a file of add/channel/python, after those that it imports."""
    source = _source(name)
    for module in dict.fromkeys(parse(source).imports.values()):
        package, _, other = module.rpartition(".")
        if package == _PACKAGE and other not in sources:
            _collect(other, sources)
    sources[name] = source


def _with_policy(source: str, policy: Policy) -> str:
    begin, end = source.index(BEGIN), source.index(END) + len(END)
    return source[:begin] + python_policy_block(policy) + source[end:]


def render_python_test(
    version: str,
    profile: Profile = "full",
    style: PythonStyle = BLACK,
    module: str = "whatsapp_reconnect",
    calls: Collection[str] = (),
    wiring: Wiring = MappingProxyType({}),
) -> str:
    """The module's test as a host gets it; "" if none of it concerns the host's calls.

    module: how it imports the module. wiring: of each file that calls it, how often it names
    what at least.
    """
    tests = [parse(_source(f"test_{name}"), split=False) for name in ROOTS[profile]]
    if wiring:
        source = _WIRING.sub(lambda _: _listed(wiring), _source("test_wiring"))
        tests.append(parse(source, split=False))
    found = kept(tests, tests)
    if calls:
        modules = _modules(profile, POLICY, frozenset(calls))
        there = kept(modules.values(), [], calls).defined | (_keywords(profile) & set(calls))
        missing = callable_names(profile) - there
        names = [name for name in found.names if name.startswith("test_")]
        alone = {name: kept(tests, tests, [name]) for name in names}
        fit = [name for name in names if not missing & (alone[name].names | alone[name].methods)]
        if not fit:
            return ""
        found = kept(tests, tests, fit)
    return _finish(joined(tests[0].doc, tests, found, _PACKAGE, module), version, style)


def _listed(wiring: Wiring) -> str:
    lines = ["WIRING = {"]
    for name, least in wiring.items():
        counts = (f'        "{word}": {times},' for word, times in least.items())
        lines += [f'    "{name}": {{', *counts, "    },"]
    return "\n".join([*lines, "}"])


def _source(name: str) -> str:
    return (files("add") / "channel" / "python" / f"{name}.py").read_text(encoding="utf-8")


def _finish(body: str, version: str, style: PythonStyle) -> str:
    header = f"# Added by skillgen {version} (sha256 of the rest: {python_digest(body)})"
    return _styled(f"{header}\n{body}", style)


@lru_cache(maxsize=32)
def python_digest(body: str) -> str:
    """A hash that ignores a formatter's changes, but not indentation."""
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


def python_policy_block(policy: Policy = POLICY) -> str:
    """The constants of the policy as Python, markers included."""
    transient, hold = policy.transient, policy.hold
    first = transient.jitter if transient.first_jitter is None else transient.first_jitter
    numbers = {
        "BRIDGE_DELAY": BRIDGE.backoff.first,
        "BRIDGE_CAP": BRIDGE.backoff.cap,
        "BRIDGE_JITTER": BRIDGE.backoff.jitter,
        "BRIDGE_RESET": BRIDGE.reset_after,
        "FACTOR": transient.factor,
        "DELAY": transient.first,
        "DELAY_CAP": transient.cap,
        "HOLD": hold.first,
        "HOLD_CAP": hold.cap,
        "EXPIRY_CAP": policy.expiry_cap,
        "RESET": policy.reset_after,
        "BUDGET_WINDOW": policy.budget_window,
        "UNFLUSHED": policy.unflushed,
        "UNWRITABLE_WAIT": policy.unwritable_wait,
        "AHEAD": policy.ahead,
        "DOWN_AFTER": policy.down_after,
        "DOWN_DELAY": policy.down_delay,
        "PROBE_AFTER": policy.probe_after,
        "RECHECK": policy.recheck,
    }
    counts = {
        "BUDGET": policy.budget,
        "RESTARTS": policy.restarts,
        "CORRUPT_LEVEL": policy.corrupt_level,
        "VERSION": MEMORY_VERSION,
    }
    known = sorted(policy.codes, key=lambda code: (not code.code.isdigit(), code.code))
    lists = {
        "JITTER": [repr(float(first)), repr(float(transient.jitter))],
        "DEADLINES": [repr(float(seconds)) for seconds in policy.deadlines],
        "AUTH": [f'"{code.code}"' for code in known if code.kind == "auth"],
        "BLOCKED": [f'"{code.code}"' for code in known if code.kind == "blocked"],
    }
    lines = [f"{name} = {float(value)!r}" for name, value in numbers.items()]
    lines += [f"{name} = {count}" for name, count in counts.items()]
    for name, values in lists.items():
        lines += _tuple(name, values)
    rows = [f'    "{c.code}": "{c.meaning}: {c.advice}",' for c in known if c.advice]
    return "\n".join([BEGIN, "", *lines, "MEANINGS = {", *rows, "}", "", END])


def _tuple(name: str, values: list[str]) -> list[str]:
    line = f"{name} = ({', '.join(values)})"
    if len(line) <= WIDTH:
        return [line]
    return [f"{name} = (", *(f"    {value}," for value in values), ")"]
