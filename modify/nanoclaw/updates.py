"""What NanoClaw copies anew, and a patch with it.

Its channels lie on a branch of their own: a skill fetches them, and each update copies those of
every installed skill once more (``scripts/update-skills.ts``, read in November 2026). It knows a
skill as installed by the import that the skill appends to the list of channels.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from modify.nanoclaw.channel_assets import ENGINE_BASE
from modify.nanoclaw.directives import destination, directives
from skill.host import Host, fact

PAGE = re.compile(r"\.claude/skills/(?P<name>[\w.-]+)/SKILL\.md")
PATCH_SKILL = re.compile(r"\.claude/skills/add-[a-z0-9-]*reconnect/SKILL\.md")
UPDATER = ".claude/skills/update-nanoclaw/SKILL.md"
# As the skills had it in prose, until summer 2026.
SHOWN = re.compile(r"^\s*git show \S+?:\S+\s*>\s*(\S+)\s*$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Payload:
    """The files that a skill copies from a branch.

    files: their paths in the tree. imports: (path, line) of the imports that it appends.
    by_update: whether an update copies them anew by itself; else a person runs the skill again.
    """

    skill: str
    files: tuple[str, ...]
    imports: tuple[tuple[str, str], ...] = ()
    by_update: bool = True


@fact
def payloads(host: Host) -> tuple[Payload, ...]:
    """The payload of each skill that copies files from a branch."""
    return tuple(found for path in host.files if (found := payload_at(host, path)) is not None)


def payload_at(host: Host, path: str) -> Payload | None:
    page = PAGE.fullmatch(path)
    if page is None:
        return None
    text = host.read(path).decode("utf-8", "replace")
    steps = directives(text)
    files = [
        destination(line)
        for step in steps
        if step.kind == "copy" and "from-branch" in step.attributes
        for line in step.body
    ]
    imports = [
        (step.attributes["to"], line)
        for step in steps
        if step.kind == "append" and "to" in step.attributes
        for line in step.body
    ]
    if files:
        return Payload(page["name"], tuple(files), tuple(imports))
    shown = tuple(SHOWN.findall(text))
    return Payload(page["name"], shown, by_update=False) if shown else None


@dataclass(frozen=True, slots=True)
class Undoing:
    """A command of NanoClaw's that puts a file back as it was.

    can_be_kept: whether a patch skill keeps the change; is_kept: whether there is one.
    """

    path: str
    command: str
    can_be_kept: bool = False
    is_kept: bool = False


def undone_by(host: Host, paths: Iterable[str]) -> Iterator[Undoing]:
    """The commands that would undo a change of these files."""
    updater = "/update-nanoclaw" if host.exists(UPDATER) else "an update"
    for path in paths:
        if host.aside(f"{ENGINE_BASE}{path}") is not None:
            yield Undoing(path, "NanoClaw's skills engine, with each skill it applies or removes,")
        for payload in payloads(host):
            if path in payload.files:
                command = updater if payload.by_update else f"/{payload.skill}"
                can = payload.by_update and bool(payload.imports)
                yield Undoing(
                    path, command, can, can and any(map(PATCH_SKILL.fullmatch, host.files))
                )
