"""add/guard/ and the held module -> the one CommonJS file that Node loads before a bot."""

from __future__ import annotations

import hashlib
import re
from functools import cache
from importlib.resources import files

from skill import __version__
from skill.policy import POLICY, Policy
from skill.render.join import join
from skill.render.typescript import with_policy

_CHANNEL = ("policy", "memory", "gate", "socket", "accounts")
_OWN = ("baileys", "wrap", "destination", "start")
_HEADER = re.compile(r"\A// Guard by skillgen (\S+) \(sha256 of the rest: ([0-9a-f]{16})\)\n")
_LAZY = re.compile(r"^const (\w+|\{ [\w, ]+ \}) = require\('(crypto|https?)'\);$", re.M)
"""Modules that Node is slow to load and that not every program needs."""
_MARK = "/* --- The guard --- "
"""The mark that the loader looks for in its own file."""


@cache
def render_guard(version: str = __version__, policy: Policy = POLICY) -> bytes:
    """The guard. policy: tests in real time have a shorter one than bots."""
    texts = _channel(policy) + [_source(f"guard/{name}.js") for name in _OWN]
    joined = (
        join(tuple(texts), "commonjs")
        .rpartition("\nmodule.exports = ")[0]
        .replace("GUARD_VERSION = '0.0.0'", f"GUARD_VERSION = '{version}'")
    )
    joined = _LAZY.sub(_lazily, joined)
    # Old versions of Node cannot parse it, so to them it is a comment.
    payload = re.sub(r"\*(\\*)/", r"*\\\1/", joined)
    body = f"{_source('guard/loader.cjs')}\n{_MARK}\n{payload}*/\n"
    return f"// Guard by skillgen {version} (sha256 of the rest: {_digest(body)})\n{body}".encode()


def _lazily(found: re.Match[str]) -> str:
    """The same names, whose library is loaded when they are used."""
    names, library = found.groups()
    if not names.startswith("{"):
        return f"const {names} = new Proxy({{}}, {{ get: (_, key) => require('{library}')[key] }});"
    return "\n".join(
        f"const {name} = (...all) => require('{library}').{name}(...all);"
        for name in names.strip("{ }").split(", ")
    )


def render_wrapping() -> str:
    """CommonJS that exports ``wrapExports(baileys)``: the guard without its hooks into Node."""
    texts = _channel(POLICY)
    texts += [_source("guard/wrap.js"), "exports.wrapExports = wrapExports;\n"]
    return join(tuple(texts), "commonjs").rpartition("\nmodule.exports = ")[0]


def _channel(policy: Policy) -> list[str]:
    """The sources of the held module, with that policy."""
    texts = [_source(f"channel/javascript/{name}.js") for name in _CHANNEL]
    texts[0] = with_policy(texts[0], policy, typed=False)
    return texts


def guard_identity(content: bytes) -> tuple[str, bool] | None:
    """The version that wrote a guard, and whether it is as it was written; None: not ours."""
    text = content.decode("utf-8", "replace")
    header = _HEADER.match(text)
    if header is None:
        return None
    return header[1], _digest(text[header.end() :]) == header[2]


def _digest(body: str) -> str:
    return hashlib.sha256(body.encode()).hexdigest()[:16]


def _source(name: str) -> str:
    return (files("add") / name).read_text(encoding="utf-8")
