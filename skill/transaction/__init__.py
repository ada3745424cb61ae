"""The only writer of a host: applies a plan all or nothing, and takes it back.

Promises 3, 6 and 7 live here. ``recover`` runs first in every command; ``apply`` and
``revert`` hold the host's lock, so two of them never write at once. Nothing that lies in a
host is believed: ``skill.transaction.key`` and ``journal`` say what is, and why.
"""

from __future__ import annotations

import contextlib
import hashlib
import uuid
from collections.abc import Callable, Collection
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from skill import __version__, changed
from skill.errors import SkillgenError
from skill.host import Host
from skill.plan import Plan
from skill.transaction.commit import Recovery, Target, commit, missing_folders, require_unchanged
from skill.transaction.commit import recover as _recover
from skill.transaction.importers import importers
from skill.transaction.journal import Entry, ForeignRecord, Layer, Store
from skill.transaction.revert import Conflict, Reverted
from skill.transaction.revert import revert as _revert
from skill.transaction.tree import Held, Tree

__all__ = [
    "Applied",
    "Conflict",
    "ForeignRecord",
    "Recovery",
    "Reverted",
    "applied",
    "apply",
    "copy_record",
    "preflight",
    "recover",
    "revert",
    "rewrite_file",
]


def recover(root: Path) -> Recovery | None:
    """Bring the host to before or after a command that was killed; None: nothing to do.

    Raises ForeignRecord, a SkillgenError, where the record is not this user's own.
    """
    with Tree(root) as tree:
        return _recover(tree)


def preflight(plan: Plan) -> None:
    """Raise SkillgenError where ``apply`` would, as far as is known without writing."""
    with Tree(plan.root) as tree:
        for target in _targets(plan):
            require_unchanged(tree, target)


def _targets(plan: Plan) -> list[Target]:
    return [
        Target(change.path, change.before, change.after, change.mode) for change in plan.changes
    ]


def apply(plan: Plan) -> None:
    """Make the plan's changes, all or none. Raises SkillgenError with nothing written."""
    if not plan.changes:
        return
    with Tree(plan.root) as tree, tree.locked():
        store = Store(tree)
        entries = tuple(
            Entry(change.path, _hash(change.before), _hash(change.after) or "", change.rules)
            for change in plan.changes
        )
        folders = tuple(missing_folders(tree, [change.path for change in plan.changes]))
        layers = (*store.layers(), Layer(__version__, entries, folders))
        commit(store, "apply", _targets(plan), layers)


def revert(root: Path, keep: Collection[str] = ()) -> Reverted | None:
    """Take back what was applied; None when this copy of the host has no record of any.

    Raises ForeignRecord, a SkillgenError, where the record is not this user's own.
    """
    with Tree(root) as tree:
        if not Store(tree).layers():
            return None
        return _revert(tree, partial(importers, Host(root)), keep)


def copy_record(root: Path, target: Path) -> None:
    """Copy a host's record to a copy of the host, with what ``revert`` needs there."""
    with Tree(root) as tree, Tree(target) as copied:
        Store(tree).copy(Store(copied))


@dataclass(frozen=True, slots=True)
class Applied:
    """The record of a host. changed, missing: files no longer as we left them."""

    versions: tuple[str, ...]
    files: tuple[str, ...]
    changed: tuple[str, ...]
    missing: tuple[str, ...]


def applied(root: Path) -> Applied | None:
    """The record, compared with the files, or None where this user has made none."""
    with Tree(root) as tree:
        try:
            layers = Store(tree).layers()
        except ForeignRecord:
            return None
        last = {entry.path: entry.after for layer in layers for entry in layer.entries}
        if not last:
            return None
        held = {path: tree.read(path) for path in last}
    missing = tuple(sorted(path for path, file in held.items() if file is None))
    changed = tuple(
        sorted(
            path
            for path, file in held.items()
            if file is not None and _hash(file.content) != last[path]
        )
    )
    versions = tuple(dict.fromkeys(layer.skillgen for layer in layers))
    return Applied(versions, tuple(sorted(last)), changed, missing)


def rewrite_file(root: Path, path: str, rewrite: Callable[[bytes], bytes]) -> None:
    """Replace one file that is no part of a plan, whole or not at all (``reset``).

    Raises SkillgenError with nothing written.
    """
    with Tree(root) as tree, tree.locked():
        try:
            tree.require_writable(path)
            held = tree.read(path)
            if held is None:
                return
            _replace(tree, path, held, rewrite(held.content))
        except OSError as error:
            raise SkillgenError(f"{path}: cannot be written ({error.strerror})") from error


def _replace(tree: Tree, path: str, held: Held, content: bytes) -> None:
    """Put the content in the file's place, by a folder that the next command can clean up.

    Without a place for a key there is no such folder: a reset needs none.
    """
    store = Store(tree)
    try:
        folder = store.make_passing()
        staged = f"{folder}/state.next"
    except SkillgenError:
        folder, staged = "", f"{path}.{uuid.uuid4().hex[:8]}.new"
    try:
        tree.write_new(staged, content, held.mode, held.owner)
        tree.rename(staged, path)
        changed.note()
        if folder:
            store.discard(folder)
    except OSError as error:
        with contextlib.suppress(OSError):
            tree.remove(staged)
            if folder:
                store.discard(folder)
        now = tree.read(path)
        if now is None or now.content != content:
            raise
        changed.note()
        raise SkillgenError(
            f"{path}: is written, but perhaps not on the disk yet ({error.strerror})"
        ) from error


def _hash(content: bytes | None) -> str | None:
    return None if content is None else hashlib.sha256(content).hexdigest()
