"""The host's folder as the only place that can be written (promise 7).

Every operation goes down from the root folder one component at a time and follows no
link, so neither a symlink nor ``..`` leads out, whatever the tree becomes meanwhile.
Nothing is read or written in ``.git`` and other folders that are not the host's own
(``skill.transaction.paths``), nor written in a nested checkout.
Each write is on disk (fsync) before the call returns.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from skill.errors import SkillgenError
from skill.host import LARGEST_FILE
from skill.transaction.paths import require_inside

FOLDER_FLAGS = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
# Without O_NONBLOCK a pipe that took a file's place would wait for a writer.
READ_FLAGS = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
NO_SUCH_LOCK = (errno.EBADF, errno.ENOLCK, errno.ENOTSUP, errno.EINVAL)
WRITE_BITS = stat.S_IWUSR | stat.S_IWGRP | stat.S_IWOTH


@dataclass(frozen=True, slots=True)
class Held:
    """A regular file as it is on disk."""

    content: bytes
    mode: int
    owner: tuple[int, int]


class Tree:
    """Safe file operations below ``root``; paths are relative and POSIX.

    Use as a context manager. Every method raises SkillgenError where a path is a link,
    goes through one, or is no regular file, and OSError where the system refuses.
    """

    def __init__(self, root: Path) -> None:
        """Raises SkillgenError where the folder cannot be opened."""
        self.root = root
        try:
            self._fd = os.open(root, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        except OSError as error:
            raise SkillgenError(f"{root}: cannot be opened ({error.strerror})") from error

    def __enter__(self) -> Tree:
        return self

    def __exit__(self, *_error: object) -> None:
        os.close(self._fd)

    @contextlib.contextmanager
    def locked(self) -> Iterator[None]:
        """Hold this host. The kernel frees it when the process ends, however it ends.

        The lock is on the folder itself, so a look leaves no file behind. Where a file
        system knows no such lock (some network ones), there is none.
        """
        try:
            fcntl.flock(self._fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise SkillgenError(
                f"another skillgen is at work in {self.root}; wait for it, then try again"
            ) from None
        except OSError as error:
            if error.errno not in NO_SUCH_LOCK:
                raise
            yield
            return
        try:
            yield
        finally:
            fcntl.flock(self._fd, fcntl.LOCK_UN)

    @contextlib.contextmanager
    def _parent(self, path: str, write: bool = True) -> Iterator[tuple[int, str]]:
        """The open folder that holds ``path``, and the last component."""
        *folders, name = require_inside(path)
        fd = os.dup(self._fd)
        try:
            for folder in folders:
                try:
                    deeper = os.open(folder, FOLDER_FLAGS, dir_fd=fd)
                except OSError as error:
                    if error.errno in (errno.ELOOP, errno.ENOTDIR):
                        raise SkillgenError(
                            f"{path}: {folder} is a link or not a folder; skillgen follows no "
                            "links, nothing was written"
                        ) from None
                    raise
                os.close(fd)
                fd = deeper
                if write and _has(".git", fd):
                    raise SkillgenError(
                        f"{path}: {folder} is a checkout of its own; nothing was written"
                    )
            yield fd, name
        finally:
            os.close(fd)

    def read(self, path: str) -> Held | None:
        """The file, or None where there is nothing."""
        try:
            with self._parent(path, write=False) as (fd, name):
                # Looked at before it is opened: to open a device can do something.
                _require_regular(path, os.stat(name, dir_fd=fd, follow_symlinks=False))
                file = os.open(name, READ_FLAGS, dir_fd=fd)
        except FileNotFoundError:
            return None
        with open(file, "rb") as stream:
            status = os.fstat(file)
            _require_regular(path, status)
            content = stream.read(LARGEST_FILE)
        return Held(content, stat.S_IMODE(status.st_mode), (status.st_uid, status.st_gid))

    def is_folder(self, path: str) -> bool:
        """Whether a folder has the name. Raises SkillgenError for a link."""
        status = self.status(path)
        if status is not None and stat.S_ISLNK(status.st_mode):
            raise SkillgenError(f"{path}: is a link; skillgen follows no links")
        return status is not None and stat.S_ISDIR(status.st_mode)

    def status(self, path: str) -> os.stat_result | None:
        """The status of a path, not following a link; None where there is nothing."""
        try:
            with self._parent(path, write=False) as (fd, name):
                return os.stat(name, dir_fd=fd, follow_symlinks=False)
        except FileNotFoundError:
            return None

    def require_writable(self, path: str) -> None:
        """Raise SkillgenError unless the file (where there is one) and its folder are.

        A file without any write bit counts as read-only for root too: somebody meant it.
        """
        with self._parent(path) as (fd, name):
            if not os.fstat(fd).st_mode & WRITE_BITS or not _may_write(".", fd):
                folder = path.rpartition("/")[0] or "."
                raise SkillgenError(f"{folder}: this folder is read-only; nothing was written")
            try:
                mode = os.stat(name, dir_fd=fd, follow_symlinks=False).st_mode
            except FileNotFoundError:
                return
            if not mode & WRITE_BITS or not _may_write(name, fd):
                raise SkillgenError(
                    f"{path}: is read-only; nothing was written (chmod u+w, then try again)"
                )

    def write_new(self, path: str, content: bytes, mode: int, owner: tuple[int, int]) -> None:
        """Create a file that must not exist yet."""
        with self._parent(path) as (fd, name):
            flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
            file = os.open(name, flags, 0o600, dir_fd=fd)
            try:
                write_all(file, content)
                if owner != (os.geteuid(), os.getegid()):
                    # Only root may; for anybody else the file is simply theirs.
                    with contextlib.suppress(PermissionError):
                        os.fchown(file, *owner)
                os.fchmod(file, mode)
                os.fsync(file)
            finally:
                os.close(file)

    def rename(self, source: str, target: str) -> None:
        """Put ``source`` in the place of ``target``, whole or not at all."""
        with self._parent(source) as (fd, name), self._parent(target) as (to_fd, to_name):
            os.rename(name, to_name, src_dir_fd=fd, dst_dir_fd=to_fd)
            os.fsync(to_fd)

    def remove(self, path: str) -> None:
        """Remove a file, if there is one."""
        with contextlib.suppress(FileNotFoundError), self._parent(path) as (fd, name):
            os.unlink(name, dir_fd=fd)
            os.fsync(fd)

    def make_folder(self, path: str) -> None:
        """Make one folder, unless it is there; as root, it belongs to its parent's owner."""
        with contextlib.suppress(FileExistsError), self._parent(path) as (fd, name):
            os.mkdir(name, dir_fd=fd)
            above = os.fstat(fd)
            if (above.st_uid, above.st_gid) != (os.geteuid(), os.getegid()):
                # By its descriptor: who owns the folder above may have put another file there.
                made = os.open(name, FOLDER_FLAGS, dir_fd=fd)
                try:
                    if os.fstat(made).st_uid == os.geteuid():
                        with contextlib.suppress(PermissionError):
                            os.fchown(made, above.st_uid, above.st_gid)
                finally:
                    os.close(made)
            os.fsync(fd)

    def remove_folder(self, path: str) -> None:
        """Remove a folder if it is there and empty."""
        try:
            with self._parent(path) as (fd, name):
                os.rmdir(name, dir_fd=fd)
                os.fsync(fd)
        except FileNotFoundError:
            return
        except OSError as error:
            if error.errno not in (errno.ENOTEMPTY, errno.EEXIST):
                raise

    def owner_of_folder(self, path: str) -> tuple[int, int]:
        """Owner and group of the folder that holds ``path``, made or yet to be made."""
        while True:
            path = path.rpartition("/")[0]
            try:
                if not path:
                    status = os.fstat(self._fd)
                else:
                    with self._parent(path, write=False) as (fd, name):
                        status = os.stat(name, dir_fd=fd, follow_symlinks=False)
                return status.st_uid, status.st_gid
            except FileNotFoundError:
                continue

    def names(self, path: str = "") -> list[str]:
        """The names in a folder, by default the root; none where there is no folder."""
        if not path:
            return sorted(os.listdir(self._fd))
        try:
            with self._parent(path, write=False) as (fd, name):
                folder = os.open(name, FOLDER_FLAGS, dir_fd=fd)
        except FileNotFoundError:
            return []
        try:
            return sorted(os.listdir(folder))
        finally:
            os.close(folder)


def write_all(file: int, content: bytes) -> None:
    """Write to an open file, however little the system takes at once. Raises OSError."""
    view = memoryview(content)
    while view:
        view = view[os.write(file, view) :]


def _may_write(name: str, fd: int) -> bool:
    return os.access(name, os.W_OK, dir_fd=fd, effective_ids=os.access in os.supports_effective_ids)


def _has(name: str, fd: int) -> bool:
    try:
        os.stat(name, dir_fd=fd, follow_symlinks=False)
    except FileNotFoundError:
        return False
    return True


def _require_regular(path: str, status: os.stat_result) -> None:
    if not stat.S_ISREG(status.st_mode):
        raise SkillgenError(f"{path}: is a link or not a regular file, so nothing was written")
    if status.st_size > LARGEST_FILE:
        raise SkillgenError(f"{path}: is too large to be a source; nothing was written")
