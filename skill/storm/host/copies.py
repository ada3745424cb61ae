"""The host before and after the patch, as two copies in a temporary folder.

The host itself is only read. Left out of the copies: what is not the host's own source
(``skill.host``), credentials folders, ``.env`` files, and files too large to be source.
"""

from __future__ import annotations

import posixpath
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from modify.baileys.model.startup import asset_root
from skill import transaction
from skill.commands.added import added_modules
from skill.errors import SkillgenError
from skill.host import LARGEST_SOURCE, Host
from skill.options import Options
from skill.plan import Plan, make_plan
from skill.storm.folder import throw_away


@dataclass(frozen=True, slots=True)
class Copies:
    """before: None where nobody knows any more how the host was; why says it."""

    before: Path | None
    after: Path
    plan: Plan
    why: str = ""


@contextmanager
def copies(host: Host, options: Options, plan: Plan | None = None) -> Iterator[Copies]:
    """plan: the host's own, where it was made already. Raises SkillgenError when the host
    cannot be planned or copied.
    """
    plan = plan or make_plan(host, options)
    with throw_away("skillgen-simulate-") as folder:
        before, after = folder / "before", folder / "after"
        try:
            _copy(host, before)
            _copy(host, after)
            for change in plan.changes:
                target = after / change.path
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_bytes(change.after or b"")
        except OSError as error:
            raise SkillgenError(f"{host.root}: cannot be copied ({error.strerror})") from error
        why = ""
        if transaction.applied(host.root) is not None:
            why = _take_back(host, before)
        elif added_modules(host):
            why = "it is patched, and this copy has no record of how it was before"
        yield Copies(None if why else before, after, plan, why)


# What a host gives as an example of its settings holds none of its own.
_EXAMPLES = (".example", ".sample", ".template", ".dist", ".defaults")


def is_secret(path: str) -> bool:
    """Whether a file holds credentials or settings that no bot's code is given here."""
    name = posixpath.basename(path)
    return name == "creds.json" or (name.startswith(".env") and not name.endswith(_EXAMPLES))


def _copy(host: Host, target: Path) -> None:
    """Files too large to be source are there, and empty."""
    secret = {
        posixpath.dirname(path) + "/"
        for path in host.files
        if posixpath.basename(path) == "creds.json" and "/" in path
    }
    target.mkdir()
    for file in host.files.values():
        if is_secret(file.path) or file.path.startswith(tuple(secret)):
            continue
        copied = target / file.path
        copied.parent.mkdir(parents=True, exist_ok=True)
        copied.write_bytes(host.read(file.path) if file.size <= LARGEST_SOURCE else b"")
        copied.chmod(0o644 | (file.mode & 0o100))


def _take_back(host: Host, before: Path) -> str:
    """Revert the patch in the copy; why that is not possible, or nothing."""
    transaction.copy_record(host.root, before)
    reverted = transaction.revert(before)
    if reverted is None or reverted.conflicts:
        return "it was edited since it was patched, and the patch cannot be taken out of it"
    return ""


def laid_out(root: Path, path: str) -> Path:
    """The copy to run a channel in; one of a skill's assets with the skill applied.

    ``add/`` files of every skill come where the host has none (a ``modify/`` copy needs the
    skill that it depends on), then the files of the channel's own skill.
    """
    own = asset_root(path)
    if not own:
        return root
    target = root.parent / f"{root.name}-{own.replace('/', '-').strip('-.')}"
    if target.exists():
        return target
    shutil.copytree(root, target)
    host = Host(root)
    for file in host.files:
        asset = asset_root(file)
        place = target / file.removeprefix(asset)
        if asset and (asset == own or (asset.endswith("/add/") and not place.exists())):
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_bytes(host.read(file))
    return target
