"""Modules that skillgen added to a host before and that are gone, or whose policy was edited.

A patched file that imports a module which is not there ends its bot at the start, or, where
the import was taken out with it, lets it connect as before. It is added again.
"""

from __future__ import annotations

import ast
import posixpath
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from modify.baileys.model.startup import resolve_import
from modify.kit.typescript.packages import module_system
from modify.kit.typescript.source import Source
from modify.kit.typescript.style import detect_style
from modify.nanoclaw.channel_assets import ENGINE_BASE
from modify.rules import ids
from skill import __version__
from skill.edit import Addition, Patch
from skill.finding import Finding
from skill.host import Host
from skill.options import Options
from skill.render import typescript
from skill.render.typescript import policy_block, render_channel_module
from skill.source_paths import SCRIPTS, SKILL_ASSET, is_test_script

if TYPE_CHECKING:
    from skill.render.python import Profile
    from skill.render.typescript import Kind

RULE = ids.UNGATED_CONNECT
IMPORT = re.compile(
    r"(?:\bfrom\s*|\bimport\s*\(\s*|\brequire\s*\(\s*)(['\"])"
    r"(?P<module>\.{1,2}/(?:[^'\"\n]*/)?[\w.-]*reconnect(?:\.[cm]?[jt]s)?)\1"
)
PYTHON_IMPORT = re.compile(
    r"^[ \t]*from[ \t]+(?P<module>[\w.]*\bwhatsapp_reconnect)[ \t]+import[ \t]+"
    r"(?:\((?P<lines>[^)]*)\)|(?P<names>[^\n#(]+))",
    re.M,
)
LOOP = re.compile(r"\bnew\s+(?:\w+\.)?Reconnect\(")
# import * as reconnect from '…', const reconnect = require('…'): what is held imports the whole.
HELD = re.compile(
    r"\b(?:import\s*\*\s*as\s+[\w$]+\s+from\s*|(?:const|let|var)\s+[\w$]+\s*=\s*require\(\s*)"
    r"['\"][^'\"\n]*reconnect(?:\.[cm]?[jt]s)?['\"]"
)
CONSTANT = re.compile(r"^(?:export\s+)?(?:const\s+)?([A-Z][A-Z_]+)(?:\s*:[^=\n]+)?\s*=\s*", re.M)
HEADER = b"Added by skillgen "
BEGINS, ENDS = "skillgen: policy begins", "skillgen: policy ends"


@dataclass(frozen=True)
class Lost:
    """An import of an added module that is gone. path, line: of the import."""

    path: str
    line: int
    message: str


def examine(host: Host, options: Options, patch: Patch) -> None:
    """Add each missing module to the patch, with a finding."""
    if not options.wants(RULE) or options.only_skill_assets:
        return
    for path, text, is_added in candidates(host):
        for line, addition in missing(host, path, text):
            if addition.path in patch.additions:
                continue
            patch.additions[addition.path] = addition
            fix = "it is added again: without it the bot does not start"
            patch.findings.append(Finding(path, line, 1, RULE, message_of(addition.path), fix))
        if is_added:
            patch.findings += edited_policy(path, text)


def lost_modules(host: Host) -> list[Lost]:
    """The lost modules, for ``status``: where each is imported, with a message."""
    return [
        Lost(path, line, message_of(addition.path))
        for path, text, _is_added in candidates(host)
        for line, addition in missing(host, path, text)
    ]


def message_of(module: str) -> str:
    return f"imports {module}, which skillgen added and which is not there any more"


def candidates(host: Host) -> Iterator[tuple[str, str, bool]]:
    """Path and text of the files that may import or be an added module, and whether they are."""
    for file in host.with_suffix(*SCRIPTS, ".py"):
        content = host.read(file.path)
        is_added = HEADER in content[:4000]
        if is_added or b"econnect" in content:
            yield file.path, content.decode("utf-8", "replace"), is_added


def missing(host: Host, path: str, text: str) -> Iterator[tuple[int, Addition]]:
    """The line of each import whose module is gone, and the module as it is added again."""
    return (in_python if path.endswith(".py") else in_script)(host, path, text)


def line_at(text: str, index: int) -> int:
    return text.count("\n", 0, index) + 1


def in_script(host: Host, path: str, text: str) -> Iterator[tuple[int, Addition]]:
    kinds: list[Kind] = ["loop"] if LOOP.search(text) else []
    if HELD.search(text):
        kinds.append("held")
    if not kinds or is_test_script(path) or SKILL_ASSET.match(path) or path.startswith(ENGINE_BASE):
        return
    for found in IMPORT.finditer(text):
        if resolve_import(host, path, found["module"]) is not None:
            continue
        module = module_path(path, found["module"])
        kind: Kind = "both" if len(kinds) > 1 else kinds[0]
        ending = posixpath.splitext(module)[1]
        modules = module_system(host, Source.read(host, path))
        style = replace(detect_style(host, path, text), modules=modules)
        body = render_channel_module(style, __version__, ending, kind=kind)
        yield line_at(text, found.start()), Addition(module, body.encode(), (RULE,))


def module_path(path: str, module: str) -> str:
    """The path that an import names; TypeScript imports its own files as .js."""
    target = posixpath.normpath(posixpath.join(posixpath.dirname(path), module))
    stem, ending = posixpath.splitext(target)
    own = posixpath.splitext(path)[1].replace("x", "")
    if ending not in SCRIPTS:
        return target + own
    return stem + (ending.replace("js", "ts") if "ts" in own else ending)


def in_python(host: Host, path: str, text: str) -> Iterator[tuple[int, Addition]]:
    """It lies beside the first file that imports it."""
    # Lazy: a TypeScript host never imports libcst
    from modify.kit.python.source import Source
    from modify.kit.python.style import style_of
    from skill.render.python import render_python_module

    if posixpath.basename(path).startswith("test_"):
        return
    for found in PYTHON_IMPORT.finditer(text):
        module = posixpath.join(posixpath.dirname(path), "whatsapp_reconnect.py")
        dotted = found["module"].strip(".").replace(".", "/") + ".py"
        if host.exists(module) or any(known.endswith(dotted) for known in host.files):
            continue
        named = (found["lines"] or found["names"]).replace("\n", ",").split(",")
        names = {name.split(" as ")[0].strip() for name in named} - {""}
        profile = profile_of(names)
        if profile is None:
            continue
        style = style_of(Source.parse(path, host.read(path)))
        body = render_python_module(__version__, profile, style)
        yield line_at(text, found.start()), Addition(module, body.encode(), (RULE,))


def profile_of(names: set[str]) -> Profile | None:
    """The smallest module that has all these names."""
    # Lazy: a TypeScript host never imports libcst
    from skill.render.python import ROOTS, render_python_module

    for profile in ROOTS:
        text = render_python_module(__version__, profile)
        if all(re.search(rf"^(?:class |def |async def )?{name}\b", text, re.M) for name in names):
            return profile
    return None


def edited_policy(path: str, text: str) -> Iterator[Finding]:
    """A finding for each number of the policy that is another one than skillgen added."""
    # Lazy: a TypeScript host never imports libcst
    from skill.render.python import python_policy_block

    identity = typescript.module_identity(text)
    if identity is None or identity == (__version__, True) or identity[0] != __version__:
        return  # as it was added, or by another version, which has numbers of its own
    read = python_constants if path.endswith(".py") else script_constants
    block = python_policy_block() if path.endswith(".py") else policy_block()
    wanted = {name: value for name, value, _line in read(block)}
    for name, value, line in read(text):
        known = wanted.get(name, value)
        if value != known:
            message = f"{name} is {value} here, and {known} in the policy that is measured"
            reason = "the file was edited since it was added, and is left as it is"
            accept = f"{known}; or remove the file, and skillgen apply adds it again"
            yield Finding(path, line, 1, RULE, message, None, reason, accept)


def script_constants(text: str) -> Iterator[tuple[str, str, int]]:
    """Each name of a policy, its value without layout, and its line."""
    begin = max(text.find(BEGINS), 0)
    end = text.find(ENDS, begin)
    block = text[begin : end if end > 0 else len(text)]
    found = list(CONSTANT.finditer(block))
    ends = [each.start() for each in found[1:]] + [len(block)]
    for each, last in zip(found, ends, strict=True):
        bare = re.sub(r"//.*|\bas const\b|[\s;'\"_]+", "", block[each.end() : last])
        yield each[1], re.sub(r",(?=[)\]}])", "", bare), line_at(text, begin + each.start())


def python_constants(text: str) -> Iterator[tuple[str, str, int]]:
    """The same of a Python module, where they stand among the rest."""
    try:
        body = ast.parse(text).body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return
    for statement in body:
        if isinstance(statement, ast.Assign) and isinstance(statement.targets[0], ast.Name):
            yield statement.targets[0].id, ast.unparse(statement.value), statement.lineno
