"""Companions of a rewritten channel: the added module, and the books of skill assets.

A NanoClaw skill brings files (``add/``) and whole-file copies that take the place of host
files (``modify/``). Its manifest lists what it adds and what it depends on: an added module
that is not listed is not copied, and a copy that imports it breaks without the skill that
brings it.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from modify.kit.typescript.style import detect_style
from modify.rules import ids
from skill import __version__
from skill.edit import Addition, Edit, Patch
from skill.finding import Finding
from skill.host import Host
from skill.options import Options
from skill.package_json import package_at
from skill.render.style import ModuleSystem, Style
from skill.render.typescript import render_channel_module, render_channel_test
from skill.source_paths import SKILL_ASSET

if TYPE_CHECKING:
    from modify.baileys.hold.module_home import Home
    from modify.baileys.patching import Rewritten
    from modify.kit.typescript.source import Source
    from skill.render.typescript import Kind

ENGINE_BASE = ".nanoclaw/base/"
GATE = ".turn()"
REQUIRE = re.compile(r"\brequire\(\s*['\"]|^module\.exports\b|^exports\.\w+ =", re.MULTILINE)
INTENT = """
## Reconnecting

- Every attempt waits for `await {gate}.turn()`, the first statement of the function
  that connects.
- `{gate}.observe(…)` is the first statement of the `connection.update` handler.
{close}- Must survive a merge: these lines, the import of `{module}`, and
  `{gate}.stop()` where the socket is ended.
"""
HELD_INTENT = """
## Reconnecting

- The socket is made by `reconnect.socket(makeWASocket, …)`, so that each dial waits for its
  turn. Must survive a merge: that call, and the import of the module that it is from.
"""
CLOSE_INTENT = "- The close branch dials with `{gate}.dial(…)` and asks `{gate}.terminal`.\n"


def module_owner(host: Host, path: str, options: Options) -> str:
    """The file beside which the added module of a channel file lies.

    The file itself, but for a skill's ``modify/`` copy: there the file whose place it
    takes, in the tree or in the skill that adds it; else the copy's own skill adds it.
    """
    found = SKILL_ASSET.match(path)
    if found is None or found["part"] == "add":
        return path
    rest = found["rest"]
    if host.exists(rest) and not options.only_skill_assets:
        return rest
    bringer = adding_skill(host, rest)
    return f"{bringer or found['skill']}/add/{rest}"


def adding_skill(host: Host, rest: str) -> str | None:
    """The skill whose ``add/`` holds a file, by the file's path in the tree."""
    for path in host.files:
        found = SKILL_ASSET.match(path)
        if found is not None and found["part"] == "add" and found["rest"] == rest:
            return found["skill"]
    return None


def examine(
    host: Host,
    rewritten: list[Rewritten],
    held: dict[str, Home],
    patch: Patch,
    options: Options,
) -> None:
    """Add the modules, their tests and the manifests' entries to the patch.

    held: the module of each file whose dial is held, by the file's path.
    """
    uses = {made.module: made.style for made in rewritten}
    calls: dict[str, set[Kind]] = {made.module: {"loop"} for made in rewritten}
    for path, home in held.items():
        uses.setdefault(home.path, style_of(host, path, home))
        calls.setdefault(home.path, set()).add("held")
    for module, style in uses.items():
        add_module(host, module, style, calls[module] | kinds_there(host, module), patch)
    for made in rewritten:
        asset = SKILL_ASSET.match(made.source.path)
        if asset is not None and asset["part"] == "modify":
            depend(host, made.source.path, made.module, patch)
            intend(host, made.source.path, intent_of(made), patch)
    for path, home in held.items():
        asset = SKILL_ASSET.match(path)
        if asset is not None and asset["part"] == "modify":
            depend(host, path, home.path, patch)
            intend(host, path, HELD_INTENT, patch)


def style_of(host: Host, path: str, home: Home) -> Style:
    style = detect_style(host, path, host.read(path).decode("utf-8", "replace"))
    return replace(style, modules=home.modules)


def kinds_there(host: Host, module: str) -> set[Kind]:
    """The kinds of use that the module already in place supports."""
    text = host.read(module).decode("utf-8", "replace") if host.exists(module) else ""
    found: set[Kind] = set()
    if re.search(r"^(export )?class Reconnect\b", text, re.M):
        found.add("loop")
    if re.search(r"^(export )?function socket\b", text, re.M):
        found.add("held")
    return found


def add_module(host: Host, module: str, style: Style, kinds: set[Kind], patch: Patch) -> None:
    rules = (ids.UNGATED_CONNECT,)
    stem, ending = posixpath.splitext(module)
    kind: Kind = "both" if len(kinds) > 1 else next(iter(kinds))
    text = render_channel_module(style, __version__, ending, kind=kind)
    patch.additions[module] = Addition(module, text.encode(), rules)
    added = [module]
    if "loop" in kinds and has_vitest(host, module):
        test = f"{stem}.test{test_ending(ending, style)}"
        text = render_channel_test(style, __version__, posixpath.basename(stem), ending)
        patch.additions[test] = Addition(test, text.encode(), rules)
        added.append(test)
    asset = SKILL_ASSET.match(module)
    if asset is not None:
        manifest = f"{asset['skill']}/manifest.yaml"
        entries = [found["rest"] for path in added if (found := SKILL_ASSET.match(path))]
        list_in_manifest(host, manifest, "adds", entries, patch)


def test_ending(ending: str, style: Style) -> str:
    """Of the module's test: vitest can only be imported, so a CommonJS module's is an ES module."""
    if ending in (".js", ".cjs") and style.modules == "commonjs":
        return ".mjs"
    return {".cts": ".mts"}.get(ending, ending)


def has_vitest(host: Host, path: str) -> bool:
    """Whether a package.json around ``path`` brings vitest: the package's or the workspace's."""
    return any("vitest" in dependencies(package) for package in packages_around(host, path))


def dependencies(package: dict[str, Any]) -> set[str]:
    groups = (package.get(key) for key in ("dependencies", "devDependencies"))
    return {name for group in groups if isinstance(group, dict) for name in group}


def packages_around(host: Host, path: str) -> Iterator[dict[str, Any]]:
    """The package.json files of the folders around ``path``, nearest first, parsed.

    A skill's assets belong to the package that they are copied into: the host's own.
    """
    asset = SKILL_ASSET.match(path)
    folder = posixpath.dirname(asset["rest"] if asset is not None else path)
    while True:
        if host.exists(posixpath.join(folder, "package.json")):
            yield package_at(host, folder)
        if not folder:
            return
        folder = posixpath.dirname(folder)


def module_system(host: Host, source: Source) -> ModuleSystem:
    """How a file's modules are imported: as it does it itself, else as Node.js takes the file."""
    kinds = {child.kind() for child in source.root.children()}
    if kinds & {"import_statement", "export_statement"}:
        return "esm"
    if source.path.endswith((".mjs", ".mts")):
        return "esm"
    if source.path.endswith((".cjs", ".cts")) or REQUIRE.search(source.text):
        return "commonjs"
    nearest = next(packages_around(host, source.path), {})
    return "esm" if nearest.get("type") == "module" else "commonjs"


def depend(host: Host, path: str, module: str, patch: Patch) -> None:
    """A copy that imports the module needs the skill that brings it."""
    own, bringer = SKILL_ASSET.match(path), SKILL_ASSET.match(module)
    if own is None or bringer is None or own["skill"] == bringer["skill"]:
        return
    name = skill_name(host, bringer["skill"])
    list_in_manifest(host, f"{own['skill']}/manifest.yaml", "depends", [name], patch)


def skill_name(host: Host, skill: str) -> str:
    """The name that a skill's manifest gives it, else its folder's."""
    manifest = f"{skill}/manifest.yaml"
    if host.exists(manifest):
        found = re.search(rb"^skill:\s*[\"']?([\w-]+)", host.read(manifest), re.MULTILINE)
        if found:
            return found.group(1).decode()
    return posixpath.basename(skill)


def list_in_manifest(host: Host, path: str, key: str, entries: list[str], patch: Patch) -> None:
    """Append entries to a list of a manifest; comments, order and style stay."""
    if not host.exists(path):
        return
    content = host.read(path)
    edit = list_edit(content, key, [e for e in entries if not listed(content, key, e)])
    if edit is not None:
        patch.add_edits(path, [edit])


def block_of(content: bytes, key: str) -> re.Match[bytes] | None:
    return re.search(
        rb"^%s:[ \t]*(?:#[^\n]*)?\r?\n((?:[ \t]*(?:-[^\n]*|#[^\n]*)?\r?\n)*(?:[ \t]*-[^\n]*)?)"
        % key.encode(),
        content,
        re.MULTILINE,
    )


def listed(content: bytes, key: str, entry: str) -> bool:
    found = block_of(content, key) or re.search(
        rb"^%s:[ \t]*(\[[^\]]*\])" % key.encode(), content, re.MULTILINE
    )
    if found is None:
        return False
    return (
        re.search(rb"(^|[\s\[,'\"-])%s([\s\],'\"]|$)" % re.escape(entry.encode()), found.group(1))
        is not None
    )


def list_edit(content: bytes, key: str, entries: list[str]) -> Edit | None:
    if not entries:
        return None
    newline = b"\r\n" if b"\r\n" in content else b"\n"
    flow = re.search(rb"^%s:[ \t]*\[([^\]]*)\]" % key.encode(), content, re.MULTILINE)
    if flow is not None:
        inner = flow.group(1).strip()
        text = b", ".join([*([inner] if inner else []), *(e.encode() for e in entries)])
        return Edit(flow.start(1), flow.end(1), text, ids.STALE_SKILL_COPY)
    block = block_of(content, key)
    items = (
        list(re.finditer(rb"^([ \t]*)-[^\n]*(?:\n|$)", block.group(1), re.MULTILINE))
        if block
        else []
    )
    if block is not None and items:
        indent = items[-1].group(1)
        place = block.start(1) + items[-1].end()
        lead = b"" if content[:place].endswith(b"\n") else newline
        text = lead + b"".join(indent + b"- " + e.encode() + newline for e in entries)
        return Edit(place, place, text, ids.STALE_SKILL_COPY)
    lead = b"" if not content or content.endswith(b"\n") else newline
    text = (
        lead
        + key.encode()
        + b":"
        + newline
        + b"".join(b"  - " + e.encode() + newline for e in entries)
    )
    return Edit(len(content), len(content), text, ids.STALE_SKILL_COPY)


def intend(host: Host, copy: str, text: str, patch: Patch) -> None:
    """Record in the intent file beside a copy what changed and which lines must survive."""
    path = copy + ".intent.md"
    if not host.exists(path):
        return
    content = host.read(path)
    if b"## Reconnecting" in content:
        return
    newline = "\r\n" if b"\r\n" in content else "\n"
    lead = "" if content.endswith(b"\n") else newline
    addition = (lead + text.replace("\n", newline)).encode()
    patch.add_edits(path, [Edit(len(content), len(content), addition, ids.STALE_SKILL_COPY)])


def intent_of(made: Rewritten) -> str:
    gate = "this.reconnect" if made.channel.scope == "class" else "reconnect"
    close = CLOSE_INTENT.format(gate=gate)
    return INTENT.format(gate=gate, close=close, module=made.imported)


def engine_copies(host: Host, sources: list[Source], rewritten: list[Rewritten]) -> list[Finding]:
    """Unpatched files that NanoClaw's skills engine keeps of channels that are patched.

    ``.nanoclaw/base`` is its snapshot of the tree. A replay (``skills-engine/replay.ts`` of
    NanoClaw 1.1.6) puts each file that a skill touches back from there, then merges the skills.
    """
    now = {made.source.path for made in rewritten}
    found = []
    for source in sources:
        path = f"{ENGINE_BASE}{source.path}"
        kept = host.aside(path)
        patched = source.path in now or GATE in source.text
        if kept is None or GATE.encode() in kept or not patched:
            continue
        found.append(
            Finding(
                path,
                1,
                1,
                ids.STALE_SKILL_COPY,
                "NanoClaw's skills engine keeps the unpatched file here and puts it back on replay",
                reason="the engine's base is its own record of the tree",
                accept="a new snapshot by the engine (npx tsx scripts/rebase.ts); "
                "until then, the patch applied again after each replay",
            )
        )
    return found
