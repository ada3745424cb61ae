"""``skillgen install``: the skill where an agent at work in a host finds it.

``.claude/skills/harden-whatsapp/`` gains SKILL.md and a launcher that runs just this
version. Each carries the version and a hash of itself, so that a later install or removal
also knows them in a fresh clone, and a file that somebody edited is never lost. Both are
part of the host's record: journal, lock and ``revert`` hold for them.
"""

from __future__ import annotations

import hashlib
import re
import shutil
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from skill import __version__
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
STAMP = re.compile(
    r'^(?:# Added by skillgen|  skillgen:) "?(\S+?)"? \(sha256 of the rest: (\w{16})\)"?$', re.M
)
STAMP_TEXT = "{version} (sha256 of the rest: {digest})"
RUNNERS = ("skillgen", "uvx", "pipx")
NO_RUNNER = (
    "the launcher needs skillgen on PATH, uvx or pipx, and none is here; run pipx install FOLDER, "
    "where FOLDER is skillgen's checkout"
)

SCRIPT = """\
#!/bin/sh
# Runs skillgen {version}, the version that this skill was written for: one on PATH, else by
# uvx or pipx, which fetch it once.
spec={distribution}=={version}
say() {{
  printf 'skillgen: %s\\n' "$1" >&2
  exit 2
}}
# This file may itself be what PATH finds.
[ -z "$SKILLGEN_LAUNCHER" ] || exit 2
found=$(SKILLGEN_LAUNCHER=1 skillgen --version 2>/dev/null)
[ "$found" = "skillgen {version}" ] && exec skillgen "$@"
hint="run pipx install FOLDER, where FOLDER is its checkout"
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
    """Content and mode of the files that ``install`` adds, by path."""
    return {PAGE: (_page(), 0o644), LAUNCHER: (_launcher(), 0o755)}


def _page() -> bytes:
    source = next((source for source in SOURCES if source.is_file()), None)
    if source is None:
        raise SkillgenError("SKILL.md is not part of this installation; install skillgen anew")
    text = source.read_text(encoding="utf-8")
    # Commands as they work in the host's root, whatever is on PATH.
    text = re.sub(
        r"(?<=```sh\n).*?(?=```)",
        lambda block: re.sub(r"^skillgen ", f"{LAUNCHER} ", block[0], flags=re.M),
        text,
        flags=re.S,
    )
    stamp = STAMP_TEXT.format(version=__version__, digest=_digest(text))
    front, end, rest = text.partition("\n---\n")
    return f'{front}\nmetadata:\n  skillgen: "{stamp}"{end}{rest}'.encode()


def _launcher() -> bytes:
    text = SCRIPT.format(version=__version__, distribution=DISTRIBUTION)
    stamp = STAMP_TEXT.format(version=__version__, digest=_digest(text))
    first, end, rest = text.partition("\n")
    return f"{first}{end}# Added by skillgen {stamp}\n{rest}".encode()


def _digest(text: str) -> str:
    """A hash that ignores the changes of a Markdown formatter: white space, table rules."""
    bare = re.sub(r"\s+", "", STAMP.sub("", text.replace("\nmetadata:\n", "\n")))
    return hashlib.sha256(re.sub(r"-+", "-", bare).encode()).hexdigest()[:16]


def identity(content: bytes) -> tuple[str, bool] | None:
    """The version that wrote the file, and whether it is as written; None: not ours."""
    text = content.decode("utf-8", "replace").replace("\r\n", "\n")
    stamp = STAMP.search(text)
    return (stamp[1], stamp[2] == _digest(text)) if stamp else None


def install(host: Host) -> Installed:
    """Add the skill, or bring it to this version. Raises SkillgenError, nothing written."""
    done, targets = Installed(), []
    with Tree(host.root) as tree, tree.locked():
        for path, (content, mode) in assets().items():
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
        if targets:
            store = Store(tree)
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
        for path in (PAGE, LAUNCHER):
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
        gone = {PAGE, LAUNCHER} - set(done.kept)
        left, folders = layers_without(layers, lambda entry: entry.path in gone)
        if targets or list(layers) != left:
            commit(store, "install --remove", targets, left, {*folders, FOLDER})
    return done


def held(host: Host) -> list[dict[str, str | bool]]:
    """The skill's files in a host, each with its version and whether it is as installed."""
    known = {path: identity(host.read(path)) for path in (PAGE, LAUNCHER) if host.exists(path)}
    return [
        {"path": path, "version": found[0], "intact": found[1]}
        for path, found in known.items()
        if found
    ]


def has_runner() -> bool:
    """Whether the launcher has anything to run skillgen with on this machine."""
    return any(shutil.which(name) for name in RUNNERS)
