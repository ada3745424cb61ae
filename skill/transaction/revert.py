"""Takes back an apply; changes that the host's people have made since stay.

The layers are undone last to first. A file that is as we left it becomes its original
byte for byte. One that has changed since is merged three-way, whatever the change is.
Where that conflicts, the file stays as it is with its record, so that nothing is lost and
the revert can go on later; files that we added stay too then, because a file that stays may
import them, and so does one that another file of the host imports.

Where no file is as we left it, in a git repository, a stash or another branch may hold the
patch, and bring it back: its record is kept.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field

from skill.errors import SkillgenError
from skill.render.typescript import is_same_added
from skill.transaction.commit import Target, commit
from skill.transaction.journal import Entry, Layer, Store
from skill.transaction.merge import git_program, merge
from skill.transaction.tracked import is_repository
from skill.transaction.tree import Tree

Importers = Callable[[str, Mapping[str, bytes | None]], Iterable[str]]
"""Who imports a file, when some files hold what is given here (None: no file)."""


@dataclass(frozen=True, slots=True)
class Conflict:
    """A file that a person has to settle. merge: where the merge with markers lies."""

    path: str
    reason: str
    merge: str | None = None


@dataclass(slots=True)
class Reverted:
    """restored, merged, removed, kept: paths by what became of them.

    away: as they were before, or gone, with nothing taken back; their record is kept.
    rules: of each file that was taken back, those that had changed it.
    """

    restored: list[str] = field(default_factory=list)
    merged: list[str] = field(default_factory=list)
    removed: list[str] = field(default_factory=list)
    kept: list[str] = field(default_factory=list)
    away: list[str] = field(default_factory=list)
    rules: dict[str, tuple[str, ...]] = field(default_factory=dict)
    conflicts: list[Conflict] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _Undone:
    content: bytes | None
    merged: bool = False
    conflict: str = ""
    with_markers: bytes | None = None


def revert(tree: Tree, importers: Importers, keep: Collection[str] = ()) -> Reverted:
    """Take back every layer; ``keep`` names files that stay and are forgotten.

    Raises SkillgenError with nothing written.
    """
    store = Store(tree)
    with tree.locked():
        layers = store.layers()
        known = {entry.path for layer in layers for entry in layer.entries}
        for path in keep:
            if path not in known:
                raise SkillgenError(f"{path}: nothing is recorded for it; see skillgen status")
        return _revert(store, layers, known, set(keep), importers)


def _revert(
    store: Store, layers: tuple[Layer, ...], known: set[str], keep: set[str], importers: Importers
) -> Reverted:
    tree, report = store.tree, Reverted(kept=sorted(keep))
    now = {path: tree.read(path) for path in sorted(known - keep)}
    results = {
        path: _undo_all(store, path, held.content if held else None, layers)
        for path, held in now.items()
    }
    added = _added(layers)
    instead = {path: result.content for path, result in results.items() if not result.conflict}
    for path in added & instead.keys():
        if now[path] is not None and instead[path] is None:
            by = next(iter(sorted(importers(path, instead))), "")
            if by:
                results[path] = _Undone(None, conflict=f"still imported by {by}")
    stuck = {path for path, result in results.items() if result.conflict}
    staying = stuck | (added & set(results) if stuck - added else set())
    targets = []
    for path, result in results.items():
        held = now[path]
        before = held.content if held else None
        if path in stuck:
            report.conflicts.append(Conflict(path, result.conflict))
        elif path not in staying and result.content != before:
            targets.append(Target(path, before, result.content))
            kind = "removed" if result.content is None else "merged" if result.merged else ""
            getattr(report, kind or "restored").append(path)
    if not targets and not keep and is_repository(tree.root):
        report.away = sorted(results.keys() - staying)
    elif stuck & added:
        # Their importers may have been renamed, and be renamed back.
        staying |= {path for path in results if now[path] is None}
    asked = {entry.path: entry.rules for layer in layers for entry in layer.entries}
    report.rules = {target.path: asked[target.path] for target in targets}
    left = _left(layers, staying | set(report.away))
    folders = sorted({folder for layer in layers for folder in layer.folders})
    if layers:
        commit(store, "revert", targets, left, folders)
    report.conflicts = [
        _with_merge(store, conflict, results[conflict.path]) for conflict in report.conflicts
    ]
    return report


def _undo_all(store: Store, path: str, content: bytes | None, layers: tuple[Layer, ...]) -> _Undone:
    merged = False
    for layer in reversed(layers):
        for entry in layer.entries:
            if entry.path == path:
                result = _undo(store, entry, content)
                if result.conflict:
                    return result
                content, merged = result.content, merged or result.merged
    return _Undone(content, merged)


def _undo(store: Store, entry: Entry, content: bytes | None) -> _Undone:
    after = store.original(entry.after)
    before = None if entry.before is None else store.original(entry.before)
    if content is None or content in (before, after):
        # A file that the host's people removed stays removed.
        return _Undone(None if content is None else before)
    if before is None and is_same_added(content, after):
        return _Undone(None)
    if before is None:
        return _Undone(content, conflict="added by skillgen and edited since")
    git = git_program(store.tree.root)
    if git is None:
        return _Undone(content, conflict="edited since, and merging needs git: install it")
    result = merge(git, content, after, before, entry.path)
    if result.conflicts:
        return _Undone(content, False, "edited since in the same lines", result.content)
    return _Undone(result.content, merged=True)


def _with_merge(store: Store, conflict: Conflict, result: _Undone) -> Conflict:
    if result.with_markers is None:
        return conflict
    where = store.save_conflict(conflict.path, result.with_markers)
    return Conflict(conflict.path, conflict.reason, where)


def _added(layers: tuple[Layer, ...]) -> set[str]:
    return {entry.path for layer in layers for entry in layer.entries if entry.before is None}


def _left(layers: tuple[Layer, ...], staying: set[str]) -> list[Layer]:
    left = []
    for layer in layers:
        entries = tuple(entry for entry in layer.entries if entry.path in staying)
        if entries:
            left.append(Layer(layer.skillgen, entries, layer.folders))
    return left
