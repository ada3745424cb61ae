"""``skillgen install``: the skill where an agent at work in a host finds it.

``.claude/skills/harden-whatsapp/`` gains SKILL.md and a launcher that runs just this
version; a host whose updates copy the patched channel anew also gains the skill that patches it
again (``skill.commands.patch_skill``). All of it is part of the host's record: journal, lock and
``revert`` hold for it.
"""

from __future__ import annotations

import re
import shlex
import shutil
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from skill import __version__
from skill.commands.patch_skill import (
    files_there,
    folders_of,
    patch_skill,
    registrations,
    unregistered,
)
from skill.commands.stamps import identity, stamped
from skill.errors import SkillgenError
from skill.host import Host
from skill.plan import sha256
from skill.transaction.commit import Target, commit, missing_folders
from skill.transaction.journal import Entry, ForeignRecord, Layer, Store, layers_without
from skill.transaction.tree import Tree

NAME = "harden-whatsapp"
FOLDER = f".claude/skills/{NAME}"
PAGE, LAUNCHER = f"{FOLDER}/SKILL.md", f"{FOLDER}/skillgen"
DISTRIBUTION = "skillgen-whatsapp"
# An installed skillgen carries the page as package data.
SOURCES = tuple(Path(__file__).parents[above] / "SKILL.md" for above in (1, 2))
RUNNERS = ("skillgen", "uvx", "pipx")
CHECKOUT = Path(__file__).resolve().parents[2]
NO_RUNNER = (
    "the launcher needs skillgen on PATH, uvx or pipx, and none is here; run pipx install FOLDER, "
    "where FOLDER is skillgen's checkout"
)

SCRIPT = """\
#!/bin/sh
# Runs skillgen {version}, the version that this skill was written for: one on PATH, else the
# checkout that this file came from, else by uvx or pipx, which fetch it once.
spec={distribution}=={version}
checkout={checkout}
say() {{
  printf 'skillgen: %s\\n' "$1" >&2
  exit 2
}}
# This file may itself be what PATH finds.
[ -z "$SKILLGEN_LAUNCHER" ] || exit 2
found=$(SKILLGEN_LAUNCHER=1 skillgen --version 2>/dev/null)
[ "$found" = "skillgen {version}" ] && exec skillgen "$@"
hint="run pipx install FOLDER, where FOLDER is its checkout"
if [ -n "$checkout" ] && [ -x "$checkout/skillgen" ]; then
  hint="run pipx install '$checkout'"
  found=$("$checkout/skillgen" --version 2>/dev/null)
  [ "$found" = "skillgen {version}" ] && exec "$checkout/skillgen" "$@"
fi
if command -v uvx >/dev/null 2>&1; then
  SKILLGEN_LAUNCHER=1 uvx --quiet --from "$spec" skillgen --version >/dev/null 2>&1 ||
    say "uvx cannot get $spec (offline, or not in its index); $hint"
  exec uvx --quiet --from "$spec" skillgen "$@"
fi
if command -v pipx >/dev/null 2>&1; then
  SKILLGEN_LAUNCHER=1 pipx run --spec "$spec" skillgen --version >/dev/null 2>&1 ||
    say "pipx cannot get $spec (offline, or not in its index); $hint"
  exec pipx run --spec "$spec" skillgen "$@"
fi
say "version {version} is not on PATH, and neither uvx nor pipx is; $hint"
"""


@dataclass(slots=True)
class Installed:
    """Paths by what became of them. kept: edited since, or not ours; left as they are."""

    added: list[str] = field(default_factory=list)
    changed: list[str] = field(default_factory=list)
    removed: list[str] = field(default_factory=list)
    kept: list[str] = field(default_factory=list)


def assets() -> dict[str, tuple[bytes, int]]:
    """Content and mode of the files that every host gains, by path."""
    checkout = shlex.quote(str(CHECKOUT)) if _is_checkout() else ""
    names = {"version": __version__, "distribution": DISTRIBUTION, "checkout": checkout}
    texts = {PAGE: _page(), LAUNCHER: SCRIPT.format(**names)}
    return {
        path: (stamped(path, text, __version__).encode(), 0o755 if path == LAUNCHER else 0o644)
        for path, text in texts.items()
    }


def _is_checkout() -> bool:
    """Whether this program runs from a checkout, and not as an installed package."""
    return (CHECKOUT / "pyproject.toml").is_file() and (CHECKOUT / "skillgen").is_file()


def _page() -> str:
    source = next((source for source in SOURCES if source.is_file()), None)
    if source is None:
        raise SkillgenError("SKILL.md is not part of this installation; install skillgen anew")
    # Commands as they work in the host's root, whatever is on PATH.
    return re.sub(
        r"(?<=```sh\n).*?(?=```)",
        lambda block: re.sub(r"^skillgen ", f"{LAUNCHER} ", block[0], flags=re.M),
        source.read_text(encoding="utf-8"),
        flags=re.S,
    )


def install(host: Host) -> Installed:
    """Add the skill, or bring it to this version. Raises SkillgenError, nothing written."""
    done, targets = Installed(), []
    with Tree(host.root) as tree, tree.locked():
        store = Store(tree)
        patching = patch_skill(host, store, LAUNCHER, __version__)
        for path, (content, mode) in (assets() | patching.files).items():
            held = tree.read(path)
            before = held.content if held else None
            if before == content:
                continue
            if before is not None:
                known = identity(before)
                if known is None:
                    raise SkillgenError(
                        f"{path}: is not skillgen's own; move it away, then run the command again"
                    )
                if not known[1]:
                    done.kept.append(path)
                    continue
            (done.added if before is None else done.changed).append(path)
            targets.append(Target(path, before, content, mode))
        if not any(path in done.kept for path in patching.files):
            for path, content in patching.edited.items():
                done.changed.append(path)
                targets.append(Target(path, host.read(path), content))
        if targets:
            commit(store, "install", targets, _recorded(store, targets))
    return done


def _recorded(store: Store, targets: Iterable[Target]) -> tuple[Layer, ...]:
    """The layers with one for the skill at the end, which takes the place of an older one."""
    layers = store.layers()
    first = {entry.path: entry.before for layer in reversed(layers) for entry in layer.entries}
    entries = tuple(
        Entry(
            target.path, first.get(target.path, sha256(target.before)), sha256(target.after) or ""
        )
        for target in targets
    )
    known = [entry.path for entry in entries]
    left, folders = layers_without(layers, lambda entry: entry.path in known)
    folders += missing_folders(store.tree, known)
    return (*left, Layer(__version__, entries, tuple(dict.fromkeys(folders))))


def remove(host: Host) -> Installed:
    """Take the skill back; a file that was edited stays, with its record."""
    done, targets = Installed(), []
    with Tree(host.root) as tree, tree.locked():
        registered = registrations(host)
        paths = [PAGE, LAUNCHER, *files_there(host)]
        for path in paths:
            held = tree.read(path)
            if held is None:
                continue
            if (identity(held.content) or ("", False))[1]:
                done.removed.append(path)
                targets.append(Target(path, held.content, None))
            else:
                done.kept.append(path)
        store = Store(tree)
        try:
            layers = store.layers()
        except ForeignRecord:
            if targets:
                raise
            return done
        for path, line in registered.items():
            content = host.read(path)
            done.changed.append(path)
            targets.append(Target(path, content, unregistered(store, path, content, line)))
        gone = {*paths, *registered} - set(done.kept)
        left, folders = layers_without(layers, lambda entry: entry.path in gone)
        if targets or list(layers) != left:
            emptied = {*folders, FOLDER, *folders_of(path for path in gone if path in done.removed)}
            commit(store, "install --remove", targets, left, emptied)
    return done


def held(host: Host) -> list[dict[str, str | bool]]:
    """The skill's files in a host, each with its version and whether it is as installed."""
    paths = [path for path in (PAGE, LAUNCHER) if host.exists(path)]
    paths += [path for path in files_there(host) if not path.endswith(".ts")]
    known = {path: identity(host.read(path)) for path in paths}
    return [
        {"path": path, "version": found[0], "intact": found[1]}
        for path, found in known.items()
        if found
    ]


def has_runner() -> bool:
    """Whether the launcher has anything to run skillgen with on this machine."""
    return _is_checkout() or any(shutil.which(name) for name in RUNNERS)
