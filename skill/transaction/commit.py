"""All or nothing: the one way in which files of a host are replaced (promise 6).

1. *staging*: the journal names every step; originals are saved, new files written beside
   their places. No file of the host has changed: a kill here is undone.
2. *committing*: the journal says that all is staged, and only renames and removals are
   left, which need no disk space. Additions land before the files that import them, and
   are removed after them. A kill here is finished by the next command.
3. *undoing*: a step was refused (rights, or somebody changed a file meanwhile): what was
   done is put back.

Each step looks at what is there before it acts, so every phase can be repeated.
"""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Iterable
from dataclasses import dataclass

from skill import changed
from skill.errors import SkillgenError
from skill.transaction.journal import ForeignRecord, Journal, Layer, Step, Store, staged_name
from skill.transaction.paths import FOLDER, require_of_host
from skill.transaction.tree import Held, Tree


@dataclass(frozen=True, slots=True)
class Target:
    """The bytes of one file before and after; None: no file. mode: of a new file."""

    path: str
    before: bytes | None
    after: bytes | None
    mode: int = 0o644


@dataclass(frozen=True, slots=True)
class Recovery:
    """The result of cleaning up a killed command: the host is as ``before`` or ``after``
    that command (``verb``). kept: files changed by others meanwhile, left as they are."""

    verb: str
    outcome: str
    kept: tuple[str, ...] = ()


def commit(
    store: Store,
    verb: str,
    targets: Iterable[Target],
    layers: Iterable[Layer],
    emptied: Iterable[str] = (),
) -> None:
    """Make every change and the record of it, or nothing at all.

    The caller holds the lock. Raises SkillgenError with the host as it was before.
    """
    tree = store.tree
    ordered = sorted(targets, key=_rank)
    held = {target.path: require_unchanged(tree, target) for target in ordered}
    made = missing_folders(tree, [target.path for target in ordered if target.after is not None])
    token = uuid.uuid4().hex[:8]
    steps = tuple(
        _step(tree, target, held[target.path], staged_name(target.path, token, number))
        for number, target in enumerate(ordered)
    )
    journal = Journal(verb, "staging", token, steps, tuple(made), tuple(emptied))
    try:
        store.begin(journal)
        for target in ordered:
            for content in (target.before, target.after):
                if content is not None:
                    store.save(content)
        for folder in made:
            tree.make_folder(folder)
        for target, step in zip(ordered, steps, strict=True):
            if target.after is not None:
                tree.write_new(step.staged, target.after, step.mode, step.owner)
        store.stage_layers(layers)
        journal = store.set_phase(journal, "committing")
        finish(store, journal)
    except (OSError, SkillgenError) as error:
        raise _taken_back(store, journal, error) from error
    changed.note()


def _step(tree: Tree, target: Target, held: Held | None, staged: str) -> Step:
    return Step(
        path=target.path,
        before=_hash(target.before),
        after=_hash(target.after),
        staged=staged,
        mode=held.mode if held else target.mode,
        owner=held.owner if held else tree.owner_of_folder(target.path),
    )


def _taken_back(store: Store, journal: Journal, error: Exception) -> SkillgenError:
    """Undo the changes made and return why; at worst the journal stays for the next command."""
    if isinstance(error, ForeignRecord):
        return error
    reason = str(error)
    if isinstance(error, OSError):
        reason = f"{error.strerror or error}"
        name = error.filename2 or error.filename
        if isinstance(name, str) and not name.startswith((".skillgen-", ".skillgen.")):
            reason = f"{name}: {reason}"
    try:
        for leftover in store.leftovers():
            store.discard(leftover)
        found = store.exists()
        if found:
            journal = store.journal() or journal  # the last write may have landed all the same
        if journal.phase == "committing" and not (found and store.has_staged_layers()):
            changed.note()  # the record, too, which goes last where nothing is applied any more
            return SkillgenError(
                f"{journal.verb} is done, but not its clean-up ({reason}); run skillgen status"
            )
        if found:
            undo(store, journal)
    except (OSError, SkillgenError):
        changed.note()
        return SkillgenError(
            f"{journal.verb} was cut short ({reason}); mend that, then run skillgen status, "
            "which brings the host to before or after"
        )
    if isinstance(error, SkillgenError):
        return error
    return SkillgenError(f"{reason}; nothing was written")


def finish(store: Store, journal: Journal) -> None:
    """Make the renames and removals that are left. Raises SkillgenError and OSError."""
    if store.has_staged_layers():
        for step in journal.steps:
            _advance(store.tree, step)
        store.commit_layers()
    for folder in sorted(journal.emptied, reverse=True):
        store.tree.remove_folder(folder)
    store.tidy()


def _advance(tree: Tree, step: Step) -> None:
    staged = hash_of(tree.read(step.staged))
    if step.after is not None and staged is None:
        return  # its rename is done
    now = hash_of(tree.read(step.path))
    if step.after is None and now is None:
        return  # its removal is done
    if now != step.before:
        raise SkillgenError(overtaken(step.path))
    if step.after is None:
        tree.remove(step.path)
    elif staged != step.after:
        raise SkillgenError(f"{step.staged}: changed since it was written; nothing was written")
    else:
        tree.rename(step.staged, step.path)


def undo(store: Store, journal: Journal) -> list[str]:
    """Put the changes back; return the files that somebody changed meanwhile.

    Such a file stays as it is, and its original is put beside it.
    """
    tree = store.tree
    if journal.phase == "committing":
        journal = store.set_phase(journal, "undoing")
    kept = []
    for step in reversed(journal.steps):
        now = hash_of(tree.read(step.path))
        if journal.phase != "staging" and now == step.after:
            _put_back(store, step)
        elif journal.phase != "staging" and now != step.before:
            kept.append(step.path)
            _put_beside(store, step)
        tree.remove(step.staged)
    for folder in reversed(journal.made):
        tree.remove_folder(folder)
    store.drop_staged_layers()
    store.tidy()
    return kept


def _put_back(store: Store, step: Step) -> None:
    tree = store.tree
    if step.before is None:
        tree.remove(step.path)
        return
    tree.remove(step.staged)
    tree.write_new(step.staged, store.original(step.before), step.mode, step.owner)
    tree.rename(step.staged, step.path)


def _put_beside(store: Store, step: Step) -> None:
    if step.before is not None:
        beside = f"{step.path}.skillgen-original"
        store.tree.remove(beside)
        store.tree.write_new(beside, store.original(step.before), step.mode, step.owner)


def recover(tree: Tree) -> Recovery | None:
    """Clean up after a command that was killed; None when there is nothing to clean.

    Every command calls this first. Takes the lock only when there is something to do.
    Raises SkillgenError when it cannot, with the host as it was found: ForeignRecord where
    what lies there is not this user's own.
    """
    store = Store(tree)
    if not store.leftovers() and (not store.exists() or store.journal() is None):
        return None
    with tree.locked():
        journal = None
        try:
            for leftover in store.leftovers():
                store.discard(leftover)
            journal = store.journal() if store.exists() else None
            if journal is None:
                return None
            changed.note()
            return _settle(store, journal)
        except OSError as error:
            raise SkillgenError(
                f"{tree.root}: an earlier {journal.verb if journal else 'command'} was cut short "
                f"and cannot be cleaned up ({error.strerror}); mend that, then run skillgen status"
            ) from error


def _settle(store: Store, journal: Journal) -> Recovery:
    if journal.phase == "committing":
        try:
            finish(store, journal)
            return Recovery(journal.verb, "after")
        except (OSError, SkillgenError):
            if not store.has_staged_layers():
                raise
    return Recovery(journal.verb, "before", tuple(undo(store, journal)))


def require_unchanged(tree: Tree, target: Target) -> Held | None:
    """The file as it is. Raises SkillgenError unless it is as planned, and may be written."""
    require_of_host(target.path)
    try:
        held = tree.read(target.path)
        folder = _first_missing(tree, target.path)
        tree.require_writable(folder or target.path)
    except OSError as error:
        raise SkillgenError(f"{target.path}: {error.strerror}; nothing was written") from error
    if (held.content if held else None) != target.before:
        raise SkillgenError(overtaken(target.path))
    return held


def overtaken(path: str) -> str:
    return f"{path}: changed since the plan was made; nothing was written, run the command again"


def missing_folders(tree: Tree, paths: Iterable[str]) -> list[str]:
    """The folders that do not exist yet, outer ones first."""
    missing: dict[str, None] = {}
    for path in paths:
        parts = path.split("/")[:-1]
        for depth in range(1, len(parts) + 1):
            folder = "/".join(parts[:depth])
            if folder not in missing and not tree.is_folder(folder):
                missing[folder] = None
    return list(missing)


def _first_missing(tree: Tree, path: str) -> str | None:
    missing = missing_folders(tree, [path])
    return missing[0] if missing else None


def hash_of(held: Held | None) -> str | None:
    return _hash(held.content if held else None)


def _hash(content: bytes | None) -> str | None:
    return None if content is None else hashlib.sha256(content).hexdigest()


def _rank(target: Target) -> tuple[int, str]:
    """Additions first, then rewrites, then removals."""
    kind = 0 if target.before is None else 2 if target.after is None else 1
    return kind, target.path


__all__ = ["FOLDER", "Recovery", "Target", "commit", "recover"]
