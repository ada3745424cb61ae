"""The host's state folder: journal, record of what was applied, saved originals.

``HOST/.skillgen/``, kept out of git by its own ``.gitignore``:

- ``journal.json`` while a transaction runs (see ``Journal``), and after one was killed;
- ``state.json``: what is applied, as layers, oldest first, one for each apply;
- ``objects/SHA256``: the bytes of files before a change;
- ``conflicts/PATH``: merges that a person has to settle.

Every file in it is written beside its place and renamed, so it is whole at any moment.
They are readable by the user alone, because a file before its change may have been.

Security (``skill.transaction.key`` says why so): the folder is acted on only when each of
the two JSON files in it carries the MAC of the user's key, one of them at least is there,
the folder is the user's or of the owner of the host, and git does not track it; else
``ForeignRecord``. So it must hold a sealed file at every moment: it is made, and removed,
under the name ``.skillgen.NONCE.MAC``, which itself proves that a leftover is ours. What
is read is checked all the same: paths a plan may name, staged files of our own form beside
their targets; originals and staged files are known by their hashes.
"""

from __future__ import annotations

import hashlib
import os
import re
import secrets
import stat
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass, field, replace
from typing import Any, Literal, get_args

from skill import __version__
from skill.errors import SkillgenError
from skill.transaction import key as keys
from skill.transaction.paths import FOLDER, require_of_host
from skill.transaction.tracked import is_tracked
from skill.transaction.tree import Tree

FORMAT = 2
# The kind each file is sealed as; state.next becomes state.json by a rename.
KINDS = {"journal.json": "journal", "state.json": "state", "state.next": "state"}
# Files that may be left in a state folder that is being made or removed.
LEFTOVERS = (*KINDS, *(f"{name}.new" for name in (*KINDS, ".gitignore")), ".gitignore", ".DS_Store")
PASSING = re.compile(r"\.skillgen\.([0-9a-f]{16})\.([0-9a-f]{64})")
OBJECT = re.compile(r"[0-9a-f]{64}(\.new)?")
# Errors of reading a sealed file whose shape is another version's.
MALFORMED = (AttributeError, LookupError, OverflowError, TypeError, ValueError)

Phase = Literal["staging", "committing", "undoing"]


class ForeignRecord(SkillgenError):
    """A state folder that is not proven to be this user's own; nothing in it is acted on.

    reason: what is amiss. way_on: what to do, in which skillgen has no part.
    """

    def __init__(self, reason: str, way_on: str = "") -> None:
        self.reason = reason
        self.way_on = way_on or (
            f"take skillgen's changes back with git, or move {FOLDER} away to go on without it"
        )
        super().__init__(f"{FOLDER}: {reason}; nothing in it is acted on: {self.way_on}")


NOT_YOURS = "is not a record of yours on this machine, or was changed since"


@dataclass(frozen=True, slots=True)
class Entry:
    """One file of a layer. before: hash of its original bytes, None when it was added."""

    path: str
    before: str | None
    after: str
    rules: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Layer:
    """The changes of one apply. folders: those that it made."""

    skillgen: str
    entries: tuple[Entry, ...]
    folders: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Step:
    """One file of a transaction; before and after are hashes, None where there is no file.

    staged: the file beside it that takes its place, on the way there and back. mode, owner:
    of the file on either side of the step.
    """

    path: str
    before: str | None
    after: str | None
    staged: str
    mode: int
    owner: tuple[int, int]


@dataclass(frozen=True, slots=True)
class Journal:
    """A transaction under way.

    phase: ``staging`` (no file of the host has changed), ``committing`` (everything is
    staged; the renames can be finished), ``undoing``. token: its own, part of the names of
    staged files. made: folders that this made; emptied: folders that go at the end if they
    are empty.
    """

    verb: str
    phase: Phase
    token: str
    steps: tuple[Step, ...]
    made: tuple[str, ...] = ()
    emptied: tuple[str, ...] = ()


def staged_name(path: str, token: str, number: int) -> str:
    """The file beside ``path`` that step ``number`` of a transaction puts in its place."""
    folder = path.rpartition("/")[0]
    name = f".skillgen-{token}-{number}"
    return f"{folder}/{name}" if folder else name


def layers_without(
    layers: Iterable[Layer], is_gone: Callable[[Entry], bool]
) -> tuple[list[Layer], list[str]]:
    """The layers without some entries; and the folders of those that are empty then."""
    left: list[Layer] = []
    folders: list[str] = []
    for layer in layers:
        entries = tuple(entry for entry in layer.entries if not is_gone(entry))
        if entries:
            left.append(Layer(layer.skillgen, entries, layer.folders))
        else:
            folders += layer.folders
    return left, folders


@dataclass
class Store:
    """Reads and writes the state folder of one host.

    Raises ForeignRecord where it is not this user's own, SkillgenError and OSError.
    """

    tree: Tree
    _held_key: bytes | None = field(default=None, repr=False)
    _untracked: bool = field(default=False, repr=False)

    def _key(self) -> bytes | None:
        if self._held_key is None:
            self._held_key = keys.load(self.tree.root)
        return self._held_key

    def exists(self) -> bool:
        """Whether there is a record. Raises ForeignRecord unless this user made it, here."""
        status = self.tree.status(FOLDER)
        if status is None:
            return False
        if not stat.S_ISDIR(status.st_mode):
            raise ForeignRecord("is a link or not a folder")
        if status.st_uid not in (os.geteuid(), self.tree.owner_of_folder(FOLDER)[0]):
            raise ForeignRecord("belongs to another user")
        sealed = [name for name in KINDS if self._load(name) is not None]
        if not sealed:
            raise ForeignRecord(NOT_YOURS)
        self._untracked = self._untracked or not is_tracked(self.tree.root, FOLDER)
        if not self._untracked:
            raise ForeignRecord(
                "is tracked by git, so a pull may have changed it",
                f"take it out with: git rm -r --cached {FOLDER}",
            )
        return True

    def begin(self, journal: Journal) -> None:
        """Write the journal, in a new state folder unless there is one."""
        folder = FOLDER
        if not self.exists():
            folder = self.make_passing()
        if self.tree.read(f"{folder}/.gitignore") is None:
            self._write(".gitignore", b"*\n", folder, 0o644)
        self.tree.make_folder(f"{folder}/objects")
        self._seal("journal.json", asdict(journal), folder)
        if folder != FOLDER:
            self.tree.rename(folder, FOLDER)

    def _write(self, name: str, content: bytes, folder: str = FOLDER, mode: int = 0o600) -> None:
        new = f"{folder}/{name}.new"
        self.tree.remove(new)
        self.tree.write_new(new, content, mode, (os.geteuid(), os.getegid()))
        self.tree.rename(new, f"{folder}/{name}")

    def _seal(self, name: str, data: dict[str, Any], folder: str = FOLDER) -> None:
        key = self._key()
        if key is None:
            raise SkillgenError("skillgen's key is gone; run the command again")
        data = {"format": FORMAT, "skillgen": __version__, **data}
        self._write(name, keys.seal(key, KINDS[name], data), folder)

    def _load(self, name: str) -> dict[str, Any] | None:
        """The content of a sealed file, or None. Raises ForeignRecord if it is not ours."""
        try:
            held = self.tree.read(f"{FOLDER}/{name}")
            if held is None:
                return None
            key = self._key()
        except SkillgenError as error:
            raise ForeignRecord(f"cannot be trusted ({error})") from error
        except OSError as error:  # readable by another user alone, for one
            raise ForeignRecord(f"cannot be read ({error.strerror})") from error
        data = keys.unseal(key, KINDS[name], held.content) if key else None
        if data is None:
            raise ForeignRecord(NOT_YOURS)
        if data.get("format") != FORMAT:
            version = data.get("skillgen", "of another version")
            raise SkillgenError(f"{FOLDER}/{name}: written by skillgen {version}; use that version")
        return data

    # -- leftovers of a command that was killed while it made or removed the folder

    def make_passing(self) -> str:
        """Make a folder whose name proves that a leftover of it is ours, and return the name."""
        key = self._held_key = keys.load_or_make(self.tree.root)
        nonce = secrets.token_hex(8)
        folder = f"{FOLDER}.{nonce}.{keys.mac(key, 'folder', nonce.encode())}"
        self.tree.make_folder(folder)
        return folder

    def leftovers(self) -> list[str]:
        """State folders on their way in or out, each proven by its name."""
        found = [match for name in self.tree.names() if (match := PASSING.fullmatch(name))]
        try:
            key = self._key() if found else None
        except SkillgenError:
            return []
        return [
            match[0]
            for match in found
            if key and match[2] == keys.mac(key, "folder", match[1].encode())
            if self.tree.is_folder(match[0]) and not is_tracked(self.tree.root, match[0])
        ]

    def discard(self, folder: str) -> None:
        """Remove such a folder; files that are not skillgen's stay in it."""
        for name in LEFTOVERS:
            self.tree.remove(f"{folder}/{name}")
        self.tree.remove_folder(f"{folder}/objects")
        self.tree.remove_folder(folder)

    # -- journal

    def journal(self) -> Journal | None:
        data = self._load("journal.json")
        if data is None:
            return None
        try:
            return _as_journal(data)
        except MALFORMED as error:
            raise _damaged("journal.json") from error

    def write_journal(self, journal: Journal) -> Journal:
        self._seal("journal.json", asdict(journal))
        return journal

    def set_phase(self, journal: Journal, phase: Phase) -> Journal:
        return self.write_journal(replace(journal, phase=phase))

    def remove_journal(self) -> None:
        self.tree.remove(f"{FOLDER}/journal.json")

    # -- what is applied

    def layers(self) -> tuple[Layer, ...]:
        if not self.exists():
            return ()
        data = self._load("state.json")
        if data is None:
            return ()
        try:
            return tuple(_as_layer(layer) for layer in data["layers"])
        except MALFORMED as error:
            raise _damaged("state.json") from error

    def stage_layers(self, layers: Iterable[Layer]) -> None:
        """Write the record as it will be; ``commit_layers`` puts it in place."""
        self._seal("state.next", {"layers": [asdict(layer) for layer in layers]})

    def commit_layers(self) -> None:
        self.tree.rename(f"{FOLDER}/state.next", f"{FOLDER}/state.json")

    def has_staged_layers(self) -> bool:
        return self.tree.read(f"{FOLDER}/state.next") is not None

    def drop_staged_layers(self) -> None:
        self.tree.remove(f"{FOLDER}/state.next")

    # -- originals

    def save(self, content: bytes) -> str:
        """Store the bytes readable by the user alone, as the file itself may have been."""
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

    def copy(self, other: Store) -> None:
        """Give a copy of the host the record and the originals that it names."""
        layers, held = self.layers(), self.tree.read(f"{FOLDER}/state.json")
        if held is None:
            return
        other.tree.make_folder(FOLDER)
        other.tree.make_folder(f"{FOLDER}/objects")
        for layer in layers:
            for entry in layer.entries:
                for name in (entry.before, entry.after):
                    if name is not None:
                        other.save(self.original(name))
        other._write("state.json", held.content)

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
        """Remove files that nothing needs any more; the whole folder when nothing is applied."""
        layers = [layer for layer in self.layers() if layer.entries]
        needed = {
            name
            for layer in layers
            for entry in layer.entries
            for name in (entry.before, entry.after)
        }
        for name in self.tree.names(f"{FOLDER}/objects"):
            if name not in needed and OBJECT.fullmatch(name):
                self.tree.remove(f"{FOLDER}/objects/{name}")
        self._remove_settled({entry.path for layer in layers for entry in layer.entries})
        if layers:
            self.remove_journal()
        else:
            self._go()

    def _go(self) -> None:
        """Remove the folder, under a name that proves that a leftover of it is ours."""
        key = self._key()
        if key is not None:
            nonce = secrets.token_hex(8)
            folder = f"{FOLDER}.{nonce}.{keys.mac(key, 'folder', nonce.encode())}"
            self.tree.rename(FOLDER, folder)
            self.discard(folder)

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


def _as_journal(data: dict[str, Any]) -> Journal:
    """Raises ValueError and the like where a journal cannot be one that we wrote."""
    token, phase = data["token"], data["phase"]
    _require(re.fullmatch(r"[0-9a-f]{8}", token) and phase in get_args(Phase))
    steps = []
    for number, step in enumerate(data["steps"]):
        path = require_of_host(step["path"])
        _require(step["staged"] == staged_name(path, token, number))
        _require(_is_hash(step["before"]) and _is_hash(step["after"]))
        _require(0 <= step["mode"] <= 0o7777)
        owner = int(step["owner"][0]), int(step["owner"][1])
        steps.append(Step(**{**step, "owner": owner}))
    made, emptied = (tuple(map(require_of_host, data[name])) for name in ("made", "emptied"))
    _require(isinstance(data["verb"], str))
    return Journal(data["verb"], phase, token, tuple(steps), made, emptied)


def _as_layer(data: dict[str, Any]) -> Layer:
    entries = []
    for entry in data["entries"]:
        require_of_host(entry["path"])
        _require(_is_hash(entry["before"]) and _is_hash(entry["after"] or ""))
        entries.append(Entry(**{**entry, "rules": tuple(entry["rules"])}))
        _require(all(isinstance(rule, str) for rule in entry["rules"]))
    _require(isinstance(data["skillgen"], str))
    return Layer(data["skillgen"], tuple(entries), tuple(map(require_of_host, data["folders"])))


def _is_hash(value: str | None) -> bool:
    return value is None or re.fullmatch(r"[0-9a-f]{64}", value) is not None


def _require(true: object) -> None:
    if not true:
        raise ValueError


def _damaged(name: str) -> SkillgenError:
    return SkillgenError(
        f"{FOLDER}/{name}: cannot be read; compare the host with git, then remove {FOLDER}"
    )
