"""The host before and after the patch, as two whole copies of what is on the disk.

Not a git worktree: what is not committed is part of the host as it is, and what is installed
(``node_modules``) is in no commit; and git would run what a repository's own settings name
(``skill.transaction.tracked``). So files are copied. ``node_modules`` is seen in the copy as it
is, where the fence can keep what is written there elsewhere, for a large one takes minutes to
copy; or else it is copied, too: through a link a build or a test could write into the real one.

Left out: credentials and ``.env`` files, as for ``simulate``; Python environments, which know
their own place (the real one is used, and not written into); what skillgen keeps; single files
above 64 MB that are not installed ones, which are data. ``.git`` is copied without its hooks and
settings, so that a build can ask for its commit and nothing that they name is run.
"""

from __future__ import annotations

import contextlib
import errno
import os
import shutil
import stat
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from skill.errors import SkillgenError
from skill.host import LARGEST_FILE
from skill.plan import Plan
from skill.storm.host.copies import is_secret

INSTALLED = "node_modules"
ENVIRONMENTS = frozenset({".venv", "venv", "env", ".tox", ".nox"})
STATE = frozenset({".skillgen", "__pycache__", ".pytest_cache", ".mypy_cache", ".ruff_cache"})
OF_GIT = frozenset({"hooks", "config", "config.worktree", "worktrees", "modules", "lfs"})
GIT_SETTINGS = "[core]\n\trepositoryformatversion = 0\n\tbare = false\n"
# A larger history is left out; a build that asks for its commit then finds no repository.
LARGEST_HISTORY = 512 << 20
ROOM_LEFT = 512 << 20
_CHUNK = 1 << 24


@dataclass(slots=True)
class Contents:
    """Folders, files and links of the host to copy, by relative path; size: of the files.

    installed: folders whose content is not listed yet. private: a file that is left out.
    """

    folders: list[str] = field(default_factory=list)
    files: list[str] = field(default_factory=list)
    links: list[str] = field(default_factory=list)
    installed: list[str] = field(default_factory=list)
    size: int = 0
    private: str = ""

    def outside(self, root: Path) -> set[Path]:
        """The folders outside of the host that its links lead to."""
        found = (Path(os.path.realpath(root / path)) for path in self.links)
        return {there for there in found if there.is_dir() and not there.is_relative_to(root)}


def contents_of(root: Path) -> Contents:
    """All of a host that is to be copied but for what is in its ``node_modules``.

    What cannot be read is left out.
    """
    found = Contents()
    _collect(root, "", found)
    history = root / ".git"
    if history.is_dir() and not history.is_symlink():
        git = Contents()
        _collect(root, ".git", git)
        if git.size <= LARGEST_HISTORY:
            found.folders += [".git", *git.folders]
            found.files += git.files
            found.links += git.links
            found.size += git.size
    return found


def add_installed(root: Path, folder: str, found: Contents) -> None:
    """Have one of the ``node_modules`` copied, too."""
    found.folders.append(folder)
    _collect(root, folder, found)


def leads_back(root: Path, folder: str) -> bool:
    """Whether an absolute link in a ``node_modules`` leads into the host, not into its copy."""
    for place in (folder, *(f"{folder}/{name}" for name in _names(root / folder))):
        for name in _names(root / place):
            with contextlib.suppress(OSError):
                if os.readlink(root / place / name).startswith(str(root)):
                    return True
    return False


def _names(folder: Path) -> list[str]:
    try:
        return os.listdir(folder) if not folder.is_symlink() else []
    except OSError:
        return []


def _collect(root: Path, start: str, found: Contents) -> None:
    waiting = [start]
    while waiting:
        prefix = waiting.pop()
        try:
            entries = sorted(os.scandir(root / prefix), key=lambda entry: entry.name)
        except OSError:
            continue
        installed = INSTALLED in prefix.split("/")
        if not installed and any(entry.name == "creds.json" for entry in entries) and prefix:
            found.private = found.private or f"{prefix}/creds.json"
            continue
        for entry in entries:
            path = f"{prefix}/{entry.name}" if prefix else entry.name
            if entry.is_symlink():
                found.links.append(path)
            elif entry.is_dir():
                if entry.name == INSTALLED and not installed:
                    found.installed.append(path)
                elif not _is_left_out(entry, prefix, installed):
                    found.folders.append(path)
                    waiting.append(path)
            elif entry.is_file():
                size = entry.stat().st_size
                if not (installed or prefix.startswith(".git")) and _is_private(entry.name, size):
                    if entry.name.startswith(".env"):
                        found.private = found.private or path
                    continue
                found.files.append(path)
                found.size += size


def _is_left_out(entry: os.DirEntry[str], prefix: str, installed: bool) -> bool:
    if prefix == ".git":
        return entry.name in OF_GIT
    if entry.name == ".git":
        return True
    if installed:
        return entry.name == ".cache"
    is_environment = entry.name in ENVIRONMENTS and os.path.exists(f"{entry.path}/pyvenv.cfg")
    return entry.name in STATE or is_environment


def _is_private(name: str, size: int) -> bool:
    return is_secret(name) or name == ".git" or size > LARGEST_FILE


@dataclass(frozen=True, slots=True)
class Sides:
    before: Path
    after: Path


def sides_in(folder: Path, root: Path) -> Sides:
    """Where the copies of a host are made."""
    return Sides(folder / "before" / root.name, folder / "after" / root.name)


def fill(sides: Sides, root: Path, contents: Contents, plan: Plan, folder: Path) -> None:
    """Copy the host twice, and make the plan's changes in the second copy.

    Raises SkillgenError where there is no room, or a copy fails.
    """
    free = shutil.disk_usage(folder).free
    if free < 2 * contents.size + ROOM_LEFT:
        raise SkillgenError(
            f"{root}: two copies of it, to verify the patch in, take {_size(2 * contents.size)}, "
            f"and {folder.parent} has {_size(free)}; name another folder with TMPDIR"
        )
    try:
        for side in (sides.before, sides.after):
            _copy(root, contents, side)
        for change in plan.changes:
            target = sides.after / change.path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(change.after or b"")
            target.chmod(change.mode)
    except OSError as error:
        raise SkillgenError(f"{root}: cannot be copied ({error.strerror})") from error


def _size(number: int) -> str:
    return f"{number / 1e9:.1f} GB"


def _copy(root: Path, contents: Contents, side: Path) -> None:
    side.mkdir(parents=True, exist_ok=True)
    for path in contents.folders:
        (side / path).mkdir(parents=True, exist_ok=True)
    for path in contents.files:
        _copy_file(root / path, side / path)
    for path in contents.links:
        (side / path).symlink_to(_target(root, path))
    if ".git" in contents.folders:
        (side / ".git/config").write_text(GIT_SETTINGS, "utf-8")


def _target(root: Path, path: str) -> str:
    """The target of a link as the copy needs it: inside it stays inside, outside is absolute."""
    link = root / path
    target = os.readlink(link)
    there = os.path.normpath(os.path.join(link.parent, target))
    if there != str(root) and not there.startswith(f"{root}{os.sep}"):
        return there
    return os.path.relpath(there, link.parent)


def _copy_file(source: Path, target: Path) -> None:
    """The file's bytes, its mode and times; one that is gone or cannot be read is left out."""
    try:
        reading = os.open(source, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as error:
        if error.errno in (errno.ENOENT, errno.EACCES, errno.EPERM, errno.ELOOP):
            return
        raise
    try:
        status = os.fstat(reading)
        if not stat.S_ISREG(status.st_mode):
            return
        mode = stat.S_IMODE(status.st_mode) & 0o777 | stat.S_IWUSR
        writing = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, mode)
        try:
            _copy_bytes(reading, writing, status.st_size)
            os.fchmod(writing, mode)
        finally:
            os.close(writing)
        os.utime(target, ns=(status.st_atime_ns, status.st_mtime_ns))
    finally:
        os.close(reading)


def _copy_bytes(reading: int, writing: int, size: int) -> None:
    with contextlib.suppress(OSError, AttributeError):  # not on macOS, not in every file system
        while size > 0:
            copied = os.copy_file_range(reading, writing, min(size, _CHUNK))
            if not copied:
                return
            size -= copied
        return
    os.lseek(reading, 0, os.SEEK_SET)
    os.lseek(writing, 0, os.SEEK_SET)
    for part in _parts(reading):
        view = memoryview(part)
        while view:
            view = view[os.write(writing, view) :]


def _parts(reading: int) -> Iterator[bytes]:
    while part := os.read(reading, _CHUNK):
        yield part
