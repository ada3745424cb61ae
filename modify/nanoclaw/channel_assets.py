"""Companions of a patched channel in a skill: where its module lies, manifests and intents.

A NanoClaw skill brings files (``add/``) and whole-file copies that take the place of host
files (``modify/``). Its manifest lists what it adds and what it depends on: an added module
that is not listed is not copied, and a copy that imports it breaks without the skill that
brings it.
"""

from __future__ import annotations

import posixpath
import re
from typing import TYPE_CHECKING

from modify.rules import ids
from skill.edit import Edit, Patch
from skill.finding import Finding
from skill.host import Host
from skill.options import Options
from skill.source_paths import SKILL_ASSET

if TYPE_CHECKING:
    from modify.baileys.hold.module_home import Home
    from modify.baileys.patching import Rewritten
    from modify.kit.typescript.source import Source

ENGINE_BASE = ".nanoclaw/base/"
GATED = "new Reconnect("
SECTION = re.compile(rb"\r?\n## Reconnecting\r?\n(?:(?!## ).*(?:\n|\Z))*")
EARLIER = b".turn()`"
INTENT = """
## Reconnecting

- The socket is made by `{gate}.socket(makeWASocket, …)`: each attempt waits for its turn.
- The close branch reconnects by `{gate}.dial(…)` and asks `{gate}.terminal`.
- Must survive a merge: these lines, the import of `{module}`, and
  `{gate}.stop()` where the socket is ended.
"""
HELD_INTENT = """
## Reconnecting

- The socket is made by `reconnect.socket(makeWASocket, …)`, so that each attempt waits for
  its turn. Must survive a merge: that call, and the import of its module.
"""


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


def follow(host: Host, rewritten: list[Rewritten], held: dict[str, Home], patch: Patch) -> None:
    """Bring the manifest and the intent file of each patched copy along.

    held: the module of each file whose dial is held, by the file's path.
    """
    patched = [(made.source.path, made.module, intent_of(made)) for made in rewritten]
    patched += [(path, home.path, HELD_INTENT) for path, home in held.items()]
    for path, module, intent in patched:
        asset = SKILL_ASSET.match(path)
        if asset is not None and asset["part"] == "modify":
            depend(host, path, module, patch)
            intend(host, path, intent, patch)


def list_added(host: Host, paths: list[str], patch: Patch) -> None:
    """Enter the files that a skill gains in its manifest."""
    assets = [found for path in paths if (found := SKILL_ASSET.match(path))]
    if assets:
        manifest = f"{assets[0]['skill']}/manifest.yaml"
        list_in_manifest(host, manifest, "adds", [found["rest"] for found in assets], patch)


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
    word = rb"(^|[\s\[,'\"-])%s([\s\],'\"]|$)" % re.escape(entry.encode())
    return found is not None and re.search(word, found[1]) is not None


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
    items = [*re.finditer(rb"^([ \t]*)-[^\n]*(?:\n|$)", block[1], re.MULTILINE)] if block else []
    place, indent, head = len(content), b"  ", key.encode() + b":" + newline
    if block is not None and items:
        place, indent, head = block.start(1) + items[-1].end(), items[-1][1], b""
    before = content[:place]
    lead = b"" if not before or before.endswith(b"\n") else newline
    lines = (indent + b"- " + entry.encode() + newline for entry in entries)
    return Edit(place, place, lead + head + b"".join(lines), ids.STALE_SKILL_COPY)


def intend(host: Host, copy: str, text: str, patch: Patch) -> None:
    """Record in the intent file beside a copy what changed and which lines must survive."""
    path = copy + ".intent.md"
    if not host.exists(path):
        return
    content = host.read(path)
    start, end = len(content), len(content)
    if known := SECTION.search(content):
        if EARLIER not in known[0]:
            return
        start, end = known.span()
    newline = "\r\n" if b"\r\n" in content else "\n"
    lead = "" if content[:start].endswith(b"\n") else newline
    addition = (lead + text.replace("\n", newline)).encode()
    patch.add_edits(path, [Edit(start, end, addition, ids.STALE_SKILL_COPY)])


def intent_of(made: Rewritten) -> str:
    gate = "this.reconnect" if made.channel.scope == "class" else "reconnect"
    return INTENT.format(gate=gate, module=made.imported)


def engine_copies(host: Host, sources: list[Source], rewritten: list[Rewritten]) -> list[Finding]:
    """Unpatched files that NanoClaw's skills engine keeps of channels that are patched.

    ``.nanoclaw/base`` is its snapshot of the tree. A replay (``skills-engine/replay.ts`` of
    NanoClaw 1.1.6) puts each file that a skill touches back from there, then merges the skills.
    """
    now = {made.source.path for made in rewritten}
    message = "NanoClaw's skills engine keeps the unpatched file here and puts it back on replay"
    reason = "the engine's base is its own record of the tree"
    accept = "a new snapshot by the engine (npx tsx scripts/rebase.ts); "
    accept += "until then, the patch applied again after each replay"
    found = []
    for source in sources:
        path = f"{ENGINE_BASE}{source.path}"
        kept = host.aside(path)
        patched = source.path in now or GATED in source.text
        if kept is not None and GATED.encode() not in kept and patched:
            found.append(Finding(path, 1, 1, ids.STALE_SKILL_COPY, message, None, reason, accept))
    return found
