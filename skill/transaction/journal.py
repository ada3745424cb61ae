"""The host's state folder: journal, record of what was applied, saved originals.

``HOST/.skillgen/``, kept out of git by its own ``.gitignore``:

- ``journal.json`` while a transaction runs (see ``Journal``), and after one was killed;
- ``state.json``: what is applied, as layers, oldest first, one for each apply;
- ``objects/SHA256``: the bytes of files before a change;
- ``conflicts/PATH``: merges that a person has to settle.

Every file in it is written beside its place and renamed, so it is whole at any moment.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field, replace
from typing import Any, Literal

from skill import __version__
from skill.errors import SkillgenError
from skill.transaction.tree import Tree

FOLDER = ".skillgen"
FORMAT = 1

Phase = Literal["staging", "committing", "undoing"]


@dataclass(frozen=True, slots=True)
class Entry:
    """One file of a layer. before: hash of its original bytes, None when it was added."""

    path: str
    before: str | None
    after: str
    rules: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Layer:
    """What one apply did. folders: those that it made."""

    skillgen: str
    entries: tuple[Entry, ...]
    folders: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Step:
    """One file of a transaction; before and after are hashes, None where there is no file.

    staged: the file beside it that takes its place, None when it is removed. mode, owner:
    of the file on either side of the step.
    """

    path: str
    before: str | None
    after: str | None
    staged: str | None
    mode: int
    owner: tuple[int, int]


@dataclass(frozen=True, slots=True)
class Journal:
    """A transaction under way.

    phase: ``staging`` (no file of the host has changed), ``committing`` (everything is
    staged; the renames can be finished), ``undoing``. made: folders that this made;
    emptied: folders that go at the end if they are empty.
    """

    verb: str
    phase: Phase
    steps: tuple[Step, ...]
    made: tuple[str, ...] = ()
    emptied: tuple[str, ...] = ()


@dataclass
class Store:
    """Reads and writes the state folder of one host. Raises SkillgenError and OSError."""

    tree: Tree
    _counter: int = field(default=0, repr=False)

    def exists(self) -> bool:
        return self.tree.is_folder(FOLDER)

    def prepare(self) -> None:
        self.tree.make_folder(FOLDER)
        if self.tree.read(f"{FOLDER}/.gitignore") is None:
            self._write(".gitignore", b"*\n")
        self.tree.make_folder(f"{FOLDER}/objects")

    def _write(self, name: str, content: bytes) -> None:
        new = f"{FOLDER}/{name}.new"
        self.tree.remove(new)
        self.tree.write_new(new, content, 0o644, self.tree.owner_of_folder(FOLDER))
        self.tree.rename(new, f"{FOLDER}/{name}")

    def _load(self, name: str) -> dict[str, Any] | None:
        held = self.tree.read(f"{FOLDER}/{name}")
        if held is None:
            return None
        try:
            data = json.loads(held.content)
            if data["format"] != FORMAT:
                raise SkillgenError(
                    f"{FOLDER}/{name}: written by skillgen {data['skillgen']}; use that version"
                )
        except (ValueError, KeyError, TypeError) as error:
            raise _damaged(name) from error
        return dict(data)

    # -- journal

    def journal(self) -> Journal | None:
        data = self._load("journal.json")
        if data is None:
            return None
        try:
            steps = tuple(
                Step(**{**step, "owner": (step["owner"][0], step["owner"][1])})
                for step in data["steps"]
            )
            made, emptied = tuple(data["made"]), tuple(data["emptied"])
            return Journal(data["verb"], data["phase"], steps, made, emptied)
        except (KeyError, TypeError) as error:
            raise _damaged("journal.json") from error

    def write_journal(self, journal: Journal) -> Journal:
        data = {"format": FORMAT, "skillgen": __version__, **asdict(journal)}
        self._write("journal.json", _as_json(data))
        return journal

    def set_phase(self, journal: Journal, phase: Phase) -> Journal:
        return self.write_journal(replace(journal, phase=phase))

    def remove_journal(self) -> None:
        self.tree.remove(f"{FOLDER}/journal.json")

    # -- what is applied

    def layers(self) -> tuple[Layer, ...]:
        data = self._load("state.json")
        if data is None:
            return ()
        try:
            return tuple(
                Layer(
                    layer["skillgen"],
                    tuple(
                        Entry(**{**entry, "rules": tuple(entry["rules"])})
                        for entry in layer["entries"]
                    ),
                    tuple(layer["folders"]),
                )
                for layer in data["layers"]
            )
        except (KeyError, TypeError) as error:
            raise _damaged("state.json") from error

    def stage_layers(self, layers: Iterable[Layer]) -> None:
        """Write the record as it will be; ``commit_layers`` puts it in place."""
        data = {
            "format": FORMAT,
            "skillgen": __version__,
            "layers": [asdict(layer) for layer in layers],
        }
        self._write("state.next", _as_json(data))

    def commit_layers(self) -> None:
        self.tree.rename(f"{FOLDER}/state.next", f"{FOLDER}/state.json")

    def has_staged_layers(self) -> bool:
        return self.tree.read(f"{FOLDER}/state.next") is not None

    def drop_staged_layers(self) -> None:
        self.tree.remove(f"{FOLDER}/state.next")

    # -- originals

    def save(self, content: bytes) -> str:
        name = hashlib.sha256(content).hexdigest()
        if self.tree.read(f"{FOLDER}/objects/{name}") is None:
            self._write(f"objects/{name}", content)
        return name

    def original(self, name: str) -> bytes:
        held = self.tree.read(f"{FOLDER}/objects/{name}")
        if held is None or hashlib.sha256(held.content).hexdigest() != name:
            raise SkillgenError(
                f"{FOLDER}/objects/{name}: a saved original is lost or damaged; "
                "take the change back with git"
            )
        return held.content

    def save_conflict(self, path: str, content: bytes) -> str:
        """Keep a merge for a person to settle; returns where."""
        folder = f"{FOLDER}/conflicts"
        self.tree.make_folder(folder)
        for part in path.split("/")[:-1]:
            folder = f"{folder}/{part}"
            self.tree.make_folder(folder)
        self._write(f"conflicts/{path}", content)
        return f"{FOLDER}/conflicts/{path}"

    # -- at the end

    def tidy(self) -> None:
        """Remove what nothing needs any more; the whole folder when nothing is applied."""
        layers = [layer for layer in self.layers() if layer.entries]
        needed = {
            name
            for layer in layers
            for entry in layer.entries
            for name in (entry.before, entry.after)
        }
        for name in self.tree.names(f"{FOLDER}/objects"):
            if name not in needed:
                self.tree.remove(f"{FOLDER}/objects/{name}")
        self._remove_settled({entry.path for layer in layers for entry in layer.entries})
        if not layers:
            self.tree.remove_folder(f"{FOLDER}/objects")
            self.tree.remove(f"{FOLDER}/state.json")
        self.remove_journal()
        if not layers:
            leftovers = (".gitignore", ".gitignore.new", "journal.json.new", "state.next.new")
            for name in leftovers:
                self.tree.remove(f"{FOLDER}/{name}")
            self.tree.remove_folder(FOLDER)

    def _remove_settled(self, open_paths: set[str], below: str = "") -> None:
        """Remove kept merges of files that are settled."""
        folder = f"{FOLDER}/conflicts/{below}".rstrip("/")
        for name in self.tree.names(folder):
            path = f"{below}{name}"
            if self.tree.is_folder(f"{folder}/{name}"):
                self._remove_settled(open_paths, f"{path}/")
            elif path not in open_paths:
                self.tree.remove(f"{folder}/{name}")
        self.tree.remove_folder(folder)


def _as_json(data: dict[str, Any]) -> bytes:
    return (json.dumps(data, indent=1) + "\n").encode()


def _damaged(name: str) -> SkillgenError:
    return SkillgenError(
        f"{FOLDER}/{name}: cannot be read; compare the host with git, then remove {FOLDER}"
    )
