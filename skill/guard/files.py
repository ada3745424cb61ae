"""Writes the guard's files: those in the host through its transaction, others one by one."""

from __future__ import annotations

import contextlib
import glob
import os
import tempfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from skill import __version__, changed
from skill.errors import SkillgenError
from skill.guard.render import guard_identity, render_guard
from skill.plan import Change, sha256
from skill.transaction.commit import Target, commit, missing_folders
from skill.transaction.journal import Entry, Layer, Store, layers_without
from skill.transaction.tree import Tree

RULE = "guard"


@dataclass(frozen=True)
class Wanted:
    """The planned change of one file: bytes before and after; None: no file."""

    path: Path
    before: bytes | None
    after: bytes | None
    mode: int = 0o644


def read(path: Path) -> bytes | None:
    """A regular file's bytes; None where there is nothing. Raises SkillgenError."""
    try:
        if path.is_symlink():
            raise SkillgenError(f"{path}: is a link; name the file that it leads to")
        return path.read_bytes()
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        raise SkillgenError(f"{path}: cannot be read ({error.strerror})") from error


def install_guard(path: Path, dry_run: bool) -> str:
    """Bring the guard at ``path`` to this version: what was done, in a word."""
    content, before = render_guard(), read(path)
    if before == content:
        return "is there"
    if before is not None and guard_identity(before) is None:
        raise SkillgenError(f"{path}: is not skillgen's own; name another --guard-file")
    if not dry_run:
        write_alone(Wanted(path, before, content))
    return "replaced" if before else "written"


def write(root: Path, wanted: Sequence[Wanted]) -> None:
    """All that lies in the host in one transaction, then each other file, whole or not at all."""
    inside = [item for item in wanted if is_inside(item.path, root)]
    if inside:
        in_host(root, inside)
    for item in wanted:
        if item not in inside:
            write_alone(item)


def is_inside(path: Path, root: Path) -> bool:
    return path.is_relative_to(root)


def in_host(root: Path, wanted: Iterable[Wanted]) -> None:
    """Write them, with their record, so that ``revert`` takes them back, too."""
    targets = [
        Target(item.path.relative_to(root).as_posix(), item.before, item.after, item.mode)
        for item in wanted
    ]
    paths = {target.path for target in targets}

    def is_own(entry: Entry) -> bool:
        return entry.path in paths and entry.rules == (RULE,)

    with Tree(root) as tree, tree.locked():
        store = Store(tree)
        known = store.layers()
        layers, emptied_folders = layers_without(known, is_own)
        made = missing_folders(tree, [t.path for t in targets if t.after])
        folders = [*made, *emptied_folders]
        earlier = filter(is_own, (e for layer in reversed(known) for e in layer.entries))
        first = {entry.path: entry.before for entry in earlier}
        own = tuple(
            Entry(t.path, first.get(t.path, sha256(t.before)), sha256(t.after) or "", (RULE,))
            for t in targets
            if t.after is not None and first.get(t.path, sha256(t.before)) != sha256(t.after)
        )
        emptied = [] if own else folders
        if own:
            layers.append(Layer(__version__, own, tuple(dict.fromkeys(folders))))
        commit(store, "guard", targets, tuple(layers), emptied)


def write_alone(item: Wanted) -> None:
    """One file outside of any host."""
    path = item.path
    prefix = f".{path.name}.skillgen-"
    try:
        for left in path.parent.glob(f"{glob.escape(prefix)}*"):  # by a kill
            left.unlink(missing_ok=True)
        if item.after is None:
            path.unlink(missing_ok=True)
            changed.note()
            # Only a folder that holds nothing else.
            if path.parent.name.endswith(".d"):
                with contextlib.suppress(OSError):
                    path.parent.rmdir()
            return
        path.parent.mkdir(parents=True, exist_ok=True)
        mode = path.stat().st_mode & 0o7777 if item.before is not None else item.mode
        handle, name = tempfile.mkstemp(prefix=prefix, dir=path.parent)
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(item.after)
                file.flush()
                os.fsync(file.fileno())
            os.chmod(name, mode)
            os.replace(name, path)
            changed.note()
        except BaseException:
            os.unlink(name)
            raise
    except OSError as error:
        raise SkillgenError(f"{path}: cannot be written ({error.strerror})") from error


def as_change(item: Wanted, root: Path) -> Change:
    """For the diff of a dry run."""
    inside = is_inside(item.path, root)
    path = item.path.relative_to(root).as_posix() if inside else str(item.path).lstrip("/")
    return Change(path, item.before, item.after, item.mode, (RULE,))
