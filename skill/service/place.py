"""What a command of this machine starts: this host's bot, another program of it, or neither.

Units that are *installed* name real paths, so nothing is taken by the end of a path or by a name,
as it must be for units in a source tree (``modify.units.started_program``): a path counts when it
leads into the host's folder, links followed, and a relative one from the working directory.
"""

from __future__ import annotations

import os
import posixpath
import re
from dataclasses import replace
from pathlib import Path

from modify.units.bot_project import BotProject
from modify.units.started import Started
from modify.units.started_program import (
    FOLDER_OPTIONS,
    MANAGERS,
    SHELLS,
    Reader,
    program_name,
)
from skill.host import Host
from skill.source_paths import SCRIPTS

PATH = re.compile(r"/[^\s'\"`;&|<>()=:]+")
CHANGES_FOLDER = re.compile(r"(?:^|[;&|\n({])\s*cd\s+(?:--\s+)?(\"[^\"\n]*\"|'[^'\n]*'|[^\s;&|]+)")
LOOP = re.compile(r"\b(while|until|for)\b[\s\S]*\bdo\b|[^&>]&\s*$", re.MULTILINE)
LARGEST_SCRIPT = 65_536
MARK_OF_SCRIPT = b"#!"


class InstalledProject(BotProject):
    """The host where it lies: a path is one of its files when it leads to it.

    base: the working directory of relative paths, absolute.
    """

    def __init__(self, host: Host, base: str = "") -> None:
        super().__init__(host)
        self.base = base

    def inside(self, path: str, folder: str = "") -> str | None:
        """A path in the host, relative to it; ``""`` is the host itself, None another place."""
        joined = posixpath.join(str(self.host.root), folder, path)
        if not os.path.isabs(path) and not folder and self.base:
            joined = posixpath.join(self.base, path)
        try:
            real = Path(os.path.realpath(joined))
        except (OSError, ValueError):
            return None
        if not real.is_relative_to(self.host.root):
            return None
        found = real.relative_to(self.host.root).as_posix()
        return "" if found == "." else found

    def own_file(self, path: str, folder: str = "") -> str | None:
        found = self.inside(path, folder)
        if not found:
            return None
        return found if found in self.entries or self.source_of(found) else None


def started_here(words: list[str], folder: str, host: Host) -> Started | None:
    """What a command line with this working directory starts; None: nothing of this host.

    folder: absolute, or nothing where it is not known.
    """
    if not words:
        return None
    project = InstalledProject(host, folder or "/")
    where = project.inside(folder) if folder else None
    named = [path for word in words for path in PATH.findall(word) if leads_in(path, project)]
    what = " ".join(words)
    script = script_elsewhere(words, project)
    if script is not None and not named and where is None:
        return by_script(script, what, project)
    if not named and where is None:
        return None
    moved = folder_changed(words, project)
    if moved is not None:
        where, project.base = moved, str(host.root / moved)
    if program_name(words[0]) in MANAGERS:
        words, given = folder_given(words)
        inside = project.inside(given) if given else where
        if inside is None:
            return None
        where, project.base = inside, str(host.root / inside)
    found = Reader(project, folder=where or "").command(words)
    unseen = unseen_program(words, where, project) if found.kind == "side" else ""
    if unseen:
        why = f"{unseen} lies in the bot's folder, and its source is not known"
        return Started("unknown", what, why)
    return replace(found, what=what)


def unseen_program(words: list[str], where: str | None, project: InstalledProject) -> str:
    """The built or obfuscated file of the host that a command runs, or nothing."""
    for word in words:
        if not word.endswith((*SCRIPTS, ".py")) or word.startswith("-"):
            continue
        inside = project.inside(word, where or "")
        if inside is None or "node_modules/" in inside or project.host.exists(inside):
            continue
        if project.source_of(inside) is None and os.path.isfile(project.host.root / inside):
            return inside
    return ""


def leads_in(path: str, project: InstalledProject) -> bool:
    return project.inside(path) is not None


def folder_given(words: list[str]) -> tuple[list[str], str]:
    """``npm --prefix /opt/bot start``: the other words, and the folder that they are meant for."""
    for position, word in enumerate(words):
        option, sign, value = word.partition("=")
        if option not in FOLDER_OPTIONS:
            continue
        end = position + (1 if sign else 2)
        given = value if sign else "".join(words[position + 1 : end])
        return [*words[:position], *words[end:]], given
    return words, ""


def folder_changed(words: list[str], project: InstalledProject) -> str | None:
    """Where ``sh -c 'cd /opt/bot && npm start'`` runs it, if that is in the host."""
    if not any(program_name(word) in SHELLS for word in words):
        return None
    for word in words:
        for found in CHANGES_FOLDER.findall(word):
            inside = project.inside(found.strip("'\""))
            if inside is not None:
                return inside
    return None


def script_elsewhere(words: list[str], project: InstalledProject) -> Path | None:
    """A script outside of the host that a command runs: one that may start the bot."""
    for word in words[:3]:
        path = Path(word)
        if path.is_absolute() and os.path.isfile(path) and not leads_in(word, project):
            try:
                with path.open("rb") as stream:
                    if stream.read(2) == MARK_OF_SCRIPT:
                        return path
            except OSError:
                continue
    return None


def by_script(path: Path, what: str, project: InstalledProject) -> Started | None:
    """What a script that lies elsewhere starts; it is read, never run."""
    try:
        content = path.read_bytes()[:LARGEST_SCRIPT]
    except OSError:
        return None
    text = re.sub(r"^\s*#.*$", "", content.decode("utf-8", "replace"), flags=re.MULTILINE)
    text = text.replace("\\\n", " ")
    if not any(leads_in(found, project) for found in PATH.findall(text)):
        return None
    moved = folder_changed(["sh", text], project)
    if moved is not None:
        project.base = str(project.host.root / moved)
    found = Reader(project, folder=moved or "").shell(text)
    if found.is_host and LOOP.search(text):
        why = f"{path} runs it in a loop or in the background: mend that script first"
        return Started("unknown", what, why)
    if found.kind == "side":
        return Started("unknown", what, f"{path} names this folder, but not what it starts there")
    return replace(found, what=what)
