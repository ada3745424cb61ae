"""The patch skill of a NanoClaw fork, as ``skillgen install`` lays it and takes it back.

What it holds is made by ``modify.nanoclaw.patch_skill``; here it meets the record, which knows
the channel as it was before the patch.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterable
from dataclasses import dataclass, field

from modify.nanoclaw.directives import directives
from modify.nanoclaw.patch_skill import IMPORT, Commands, Patched, files_of, patched_channel
from modify.nanoclaw.patch_skill import PATCH as NAME
from skill.commands.stamps import identity, stamped
from skill.host import Host
from skill.package_json import package_at
from skill.plan import Change, sha256
from skill.report.diff import diff
from skill.report.next_steps import package_manager
from skill.transaction.journal import ForeignRecord, Store
from skill.transaction.merge import git_program, merge

OWN = re.compile(r"\.claude/skills/add-[a-z0-9-]*reconnect/.+")


@dataclass(frozen=True, slots=True)
class PatchSkill:
    """files: content and mode, by path. edited: the host's own files as they become."""

    files: dict[str, tuple[bytes, int]] = field(default_factory=dict)
    edited: dict[str, bytes] = field(default_factory=dict)


def patch_skill(host: Host, store: Store, launcher: str, version: str) -> PatchSkill:
    """The skill for a host whose channel is patched and copied anew by updates; else nothing."""
    patched = patched_channel(host)
    if patched is None:
        return PatchSkill()
    patch = patch_of(host, store, patched)
    files = {
        path: content if path.endswith(".ts") else stamp(path, content, version)
        for path, content in files_of(host, patched, patch, commands(host, launcher)).items()
    }
    content = host.read(patched.barrel)
    edited = registered(content, patched.line)
    return PatchSkill(
        {
            path: (content, 0o755 if content.startswith(b"#!") else 0o644)
            for path, content in files.items()
        },
        {patched.barrel: edited} if edited != content else {},
    )


def stamp(path: str, content: bytes, version: str) -> bytes:
    text = content.decode("utf-8", "surrogateescape")
    return stamped(path, text, version).encode("utf-8", "surrogateescape")


def commands(host: Host, launcher: str) -> Commands:
    package = package_at(host)
    scripts = package.get("scripts")
    manager = package_manager(host, package)
    build = f"{manager} run build" if isinstance(scripts, dict) and "build" in scripts else None
    run = {"npm": "npx", "bun": "bunx"}.get(manager, f"{manager} exec")
    return Commands(launcher, build, f"{run} vitest run")


# --- the patch ----------------------------------------------------------------------------


def patch_of(host: Host, store: Store, patched: Patched) -> bytes | None:
    """What git applies to the channel as it is copied; None where that is not known."""
    content = host.read(patched.channel)
    before = unpatched(host, store, patched, content)
    if before is not None:
        return diff(Change(patched.channel, before, content, host.files[patched.channel].mode))
    path = f"{patched.folder}/{NAME}"
    there = host.read(path) if host.exists(path) else b""
    known = identity(there)
    return there.partition(b"\n")[2] if known and known[1] else None


def unpatched(host: Host, store: Store, patched: Patched, content: bytes) -> bytes | None:
    """The channel without the patch, by the record of when it was patched."""
    try:
        layers = store.layers()
    except ForeignRecord:
        return None
    called = patched.line.encode().partition(b"./")[2].partition(b".js")[0]
    entries = (entry for layer in reversed(layers) for entry in layer.entries)
    for entry in entries:
        if entry.path != patched.channel or entry.before is None:
            continue
        before = store.original(entry.before)
        if called in before:
            continue  # patched by an earlier version
        if entry.after == sha256(content):
            return before
        git = git_program(host.root)
        merged = git and merge(git, content, store.original(entry.after), before, patched.channel)
        if merged and not merged.conflicts and called not in merged.content:
            return merged.content
        return None
    return None


# --- the import that registers it ---------------------------------------------------------


def registered(content: bytes, line: str) -> bytes:
    """The list of channels with the import at its end, as NanoClaw appends it."""
    if line in (each.strip() for each in content.decode("utf-8", "replace").split("\n")):
        return content
    end = b"\r\n" if b"\r\n" in content else b"\n"
    lead = b"" if not content or content.endswith(b"\n") else end
    return content + lead + line.encode() + end


def unregistered(store: Store, path: str, content: bytes, line: str) -> bytes:
    """The list without the import: as it was, where nothing but that has changed."""
    for layer in store.layers():
        for entry in layer.entries:
            if entry.path == path and entry.before and entry.after == sha256(content):
                return store.original(entry.before)
    kept = (each for each in content.split(b"\n") if each.strip() != line.encode())
    return b"\n".join(kept)


def registrations(host: Host) -> dict[str, str]:
    """The imports that register an installed patch skill: (line) by path."""
    found = {}
    for path in files_there(host):
        if not path.endswith("/SKILL.md") or not (identity(host.read(path)) or ("", False))[1]:
            continue
        for step in directives(host.read(path).decode("utf-8", "replace")):
            barrel = step.attributes.get("to", "") if step.kind == "append" else ""
            lines = [line for line in step.body if IMPORT.fullmatch(line)]
            if (
                host.exists(barrel)
                and lines
                and registered(host.read(barrel), lines[0]) == (host.read(barrel))
            ):
                found[barrel] = lines[0]
    return found


def files_there(host: Host) -> list[str]:
    """The files in the folder of an installed patch skill that are skillgen's own."""
    return [
        path for path in host.files if OWN.fullmatch(path) and identity(host.read(path)) is not None
    ]


def folders_of(paths: Iterable[str]) -> set[str]:
    """The folders of these files, up to that of their skill."""
    found = set()
    for path in paths:
        while (path := posixpath.dirname(path)).count("/") >= 2:
            found.add(path)
    return found
