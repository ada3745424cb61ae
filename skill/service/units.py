"""The files of an installed systemd unit, read as systemd reads them: itself, then its drop-ins.

systemd.unit(5): drop-ins of every folder are read in the order of their names; a later assignment
wins. The syntax is the matter of ``modify.units.managers.systemd``.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from modify.units.managers import systemd
from modify.units.managers.systemd import SystemdUnit
from modify.units.model import UnitText
from modify.units.started_program import split

SYSTEM_FOLDERS = tuple(
    Path(folder)
    for folder in (
        "/etc/systemd/system",
        "/run/systemd/system",
        "/usr/local/lib/systemd/system",
        "/lib/systemd/system",
        "/usr/lib/systemd/system",
    )
)
LARGEST_UNIT = 1_000_000
# Of systemd.unit(5), "Specifiers", those that stand in paths.
SPECIFIER = re.compile(r"%([%a-zA-Z])")


@dataclass(frozen=True)
class Piece:
    """One file of a unit."""

    path: Path
    content: bytes

    @cached_property
    def parsed(self) -> SystemdUnit:
        return systemd.parse(unit_text(self.path, self.content))


@dataclass(frozen=True)
class Files:
    """A unit's files in the order in which they count. unread: those that cannot be read."""

    pieces: tuple[Piece, ...]
    unread: tuple[Path, ...] = ()

    @cached_property
    def merged(self) -> SystemdUnit:
        """All of them as one unit."""
        path = self.pieces[0].path if self.pieces else Path("unit.service")
        return systemd.parse(unit_text(path, self.content))

    @property
    def content(self) -> bytes:
        return b"".join(ended(piece.content) for piece in self.pieces)

    def place(self, line: int) -> tuple[Path, int]:
        """The file and the line in it of a line of ``merged``."""
        for piece in self.pieces:
            count = ended(piece.content).count(b"\n")
            if line <= count:
                return piece.path, line
            line -= count
        return self.pieces[-1].path, 1

    def last(self, section: str, name: str) -> tuple[Path, int, str] | None:
        """The file, the line and the value of the assignment that counts."""
        found = self.merged.last(section, name)
        if found is None:
            return None
        return (*self.place(self.merged.text.place(found.start)[0]), found.value)


def ended(content: bytes) -> bytes:
    """With a line end, so that what follows begins a line; a backslash at the end joins nothing."""
    return (
        content.rstrip(b"\\\n") + b"\n"
        if content.endswith((b"\\", b"\\\n"))
        else (content if content.endswith(b"\n") else content + b"\n")
    )


def unit_text(path: Path, content: bytes) -> UnitText:
    return UnitText(str(path), content, 0, len(content), "systemd")


def read_files(paths: Sequence[Path]) -> Files:
    pieces, unread = [], []
    for path in paths:
        try:
            with path.open("rb") as stream:
                pieces.append(Piece(path, stream.read(LARGEST_UNIT)))
        except OSError:
            unread.append(path)
    return Files(tuple(pieces), tuple(unread))


def user_folders() -> tuple[Path, ...]:
    """Where units of this user's own manager lie; none where no home is known."""
    home = os.path.expanduser("~")
    config = os.environ.get("XDG_CONFIG_HOME") or f"{home}/.config"
    data = os.environ.get("XDG_DATA_HOME") or f"{home}/.local/share"
    named = [f"{config}/systemd/user", "/etc/systemd/user", f"{data}/systemd/user"]
    named += ["/usr/local/lib/systemd/user", "/usr/lib/systemd/user"]
    return tuple(Path(folder) for folder in named if folder.startswith("/"))


def installed(folders: Sequence[Path]) -> Iterator[tuple[str, Path]]:
    """The units of these folders, name and file; the first folder that has a name counts."""
    seen = set()
    for folder in folders:
        try:
            names = sorted(os.listdir(folder))
        except OSError:
            continue
        for name in names:
            if name.endswith(".service") and name not in seen:
                seen.add(name)
                yield name, folder / name


def drop_ins(name: str, folders: Sequence[Path]) -> list[Path]:
    """Its drop-ins in these folders, in the order in which they are read."""
    found: dict[str, Path] = {}
    for folder in folders:
        for path in sorted((folder / f"{name}.d").glob("*.conf")):
            found.setdefault(path.name, path)
    return [found[key] for key in sorted(found)]


def command_words(unit: SystemdUnit, resolved: str = "", name: str = "") -> list[str]:
    """The words of ``ExecStart=``.

    resolved: how systemd itself shows them, specifiers filled in, blanks within words and between
    them alike; it counts where the unit's own text does not come to the same.
    """
    command = unit.command
    own = split(command.value.lstrip("-@:+!|")) if command else []
    own = [filled(word, name) for word in own]
    return own if own and (not resolved or " ".join(own) == resolved) else resolved.split()


def filled(text: str, name: str) -> str:
    """The text with the specifiers that name folders and the unit itself."""
    prefix, _, instance = name.removesuffix(".service").partition("@")
    known = {
        "%": "%",
        "h": os.path.expanduser("~"),
        "n": name,
        "N": name.removesuffix(".service"),
        "p": prefix,
        "i": instance,
        "I": instance.replace("-", "/"),
    }
    return SPECIFIER.sub(lambda found: known.get(found[1], found[0]), text)


def with_variables(words: list[str], variables: dict[str, str]) -> list[str]:
    """``${BOT}/dist/index.js`` as systemd fills it in from the unit's environment."""
    pattern = re.compile(r"\$\{(\w+)\}|^\$(\w+)$")
    return [
        pattern.sub(lambda found: variables.get(found[1] or found[2], found[0]), word)
        for word in words
    ]
