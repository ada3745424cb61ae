"""The user's key, which proves that a record was made by this user on this machine.

Security. A clone, an archive or another user can put any file into a host, so nothing
there is believed by itself. Each record is sealed with a keyed MAC (HMAC-SHA256), and the
key lies where none of these reaches: ``$XDG_STATE_HOME/skillgen/key`` (by default below
``~/.local/state``, on macOS too), 32 random bytes, 0600, in a folder 0700 of the user's
own that is no link and does not lie in the host.

The record itself stays in the host and not beside the key, so that it moves with the
folder, shares its file system (renames stay atomic), and goes when the folder goes.

The seal covers the bytes of the file, and is checked before they are parsed. What it binds:
the kind of file, paths, phase, modes, owners, the hashes of originals and of staged files,
and the transaction. It does not bind the place of the host, which may move. A record that
the user published by mistake and a clone brings back is refused because git tracks it; were
it not, it could only turn the user's own published bytes into each other, at the paths of
that plan, which the clone could have shipped as well.

Root has a key of its own: what a user owns never makes a command of root's act.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import hashlib
import hmac
import json
import os
import pwd
import re
import secrets
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from skill.errors import SkillgenError
from skill.transaction.tree import FOLDER_FLAGS, NO_SUCH_LOCK, READ_FLAGS, write_all

NAME = "key"
SIZE = 32
ELSEWHERE = "set XDG_STATE_HOME to a folder of your own"
SEALED = re.compile(rb'\{\n "mac": "([0-9a-f]{64})",(\n.*)', re.S)


def load(root: Path) -> bytes | None:
    """The user's key; None where none was made yet. ``root`` is the host.

    Raises SkillgenError where it cannot be trusted or read.
    """
    folder = state_folder(root)
    try:
        with _opened(folder) as fd:
            return _read(folder, fd)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise _unusable(folder, error) from error


def load_or_make(root: Path) -> bytes:
    """The user's key, made on first use. Raises SkillgenError with nothing half-made.

    A kill leaves a whole key or none: it is written beside its place and renamed.
    """
    folder = state_folder(root)
    try:
        _make_folders(folder)
        with _opened(folder) as fd, _locked(fd):
            with contextlib.suppress(FileNotFoundError):
                return _read(folder, fd)
            return _make(fd)
    except OSError as error:
        raise _unusable(folder, error) from error


def state_folder(root: Path) -> Path:
    """The folder of this user's own records. Raises SkillgenError where it lies in the host."""
    named = os.environ.get("XDG_STATE_HOME", "")
    base = Path(named) if os.path.isabs(named) else _home() / ".local" / "state"
    folder = base / "skillgen"
    host = os.stat(root)
    real = Path(os.path.realpath(folder))
    for outer in (real, *real.parents):
        with contextlib.suppress(OSError):
            if os.path.samestat(outer.stat(), host):
                raise SkillgenError(
                    f"{folder}: lies in the host, and a clone could bring the key there; "
                    f"{ELSEWHERE} outside of it"
                )
    return folder


def _home() -> Path:
    home, user = os.environ.get("HOME", ""), os.geteuid()
    if os.path.isabs(home) and not (user == 0 and _owner(home) not in (0, None)):
        return Path(home)
    # Under sudo, HOME may be that of the user who called it.
    with contextlib.suppress(KeyError):
        home = pwd.getpwuid(user).pw_dir
    if not os.path.isabs(home):
        raise SkillgenError(
            f"skillgen keeps a key in the home folder, and none is known; {ELSEWHERE}"
        )
    return Path(home)


def _owner(path: str | Path) -> int | None:
    try:
        return os.stat(path).st_uid
    except OSError:
        return None


def _make_folders(folder: Path) -> None:
    missing = [folder]
    while not os.path.lexists(missing[-1].parent):
        missing.append(missing[-1].parent)
    if os.path.lexists(folder):
        return
    if os.geteuid() == 0 and _owner(missing[-1].parent) != 0:
        raise SkillgenError(f"{missing[-1].parent}: belongs to another user; {ELSEWHERE}")
    for made in reversed(missing):
        with contextlib.suppress(FileExistsError):
            os.mkdir(made, 0o700)
        above = os.open(made.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            os.fsync(above)
        finally:
            os.close(above)


@contextlib.contextmanager
def _opened(folder: Path) -> Iterator[int]:
    fd = os.open(folder, FOLDER_FLAGS)
    try:
        status = os.fstat(fd)
        if status.st_uid != os.geteuid():
            raise SkillgenError(f"{folder}: belongs to another user; {ELSEWHERE}")
        if status.st_mode & 0o022:
            raise SkillgenError(f"{folder}: others may write there; chmod 700 it")
        yield fd
    finally:
        os.close(fd)


@contextlib.contextmanager
def _locked(fd: int) -> Iterator[None]:
    """Only one process makes the key. The lock ends with the folder's descriptor."""
    try:
        fcntl.flock(fd, fcntl.LOCK_EX)
    except OSError as error:
        if error.errno not in NO_SUCH_LOCK:
            raise
    yield


def _read(folder: Path, fd: int) -> bytes:
    file = os.open(NAME, READ_FLAGS, dir_fd=fd)
    try:
        status = os.fstat(file)
        if not stat.S_ISREG(status.st_mode) or status.st_uid != os.geteuid():
            raise SkillgenError(f"{folder / NAME}: is not a file of yours; move it away")
        if status.st_mode & 0o077:
            raise SkillgenError(f"{folder / NAME}: others may read it; chmod 600 it")
        key = os.read(file, SIZE + 1)
    finally:
        os.close(file)
    if len(key) != SIZE:
        raise SkillgenError(f"{folder / NAME}: is damaged; move it away")
    return key


def _make(fd: int) -> bytes:
    key, new = secrets.token_bytes(SIZE), f"{NAME}.new"
    with contextlib.suppress(FileNotFoundError):
        os.unlink(new, dir_fd=fd)
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    file = os.open(new, flags, 0o600, dir_fd=fd)
    try:
        write_all(file, key)
        os.fsync(file)
    finally:
        os.close(file)
    os.rename(new, NAME, src_dir_fd=fd, dst_dir_fd=fd)
    os.fsync(fd)
    return key


def _unusable(folder: Path, error: OSError) -> SkillgenError:
    reason = error.strerror or str(error)
    if error.errno in (errno.ELOOP, errno.ENOTDIR):
        reason = "a link or no folder"
    return SkillgenError(f"{folder}: cannot hold skillgen's key ({reason}); {ELSEWHERE}")


def mac(key: bytes, kind: str, content: bytes) -> str:
    """The MAC of content of that kind, in hexadecimal."""
    return hmac.new(key, f"skillgen {kind}\0".encode() + content, hashlib.sha256).hexdigest()


def seal(key: bytes, kind: str, data: dict[str, Any]) -> bytes:
    """A JSON file that carries the MAC of all that follows it."""
    body = json.dumps(data, indent=1)[1:].encode() + b"\n"
    return f'{{\n "mac": "{mac(key, kind, body)}",'.encode() + body


def unseal(key: bytes, kind: str, content: bytes) -> dict[str, Any] | None:
    """The sealed data; None without a seal of this key and kind, and then not parsed."""
    found = SEALED.fullmatch(content)
    if found is None or not hmac.compare_digest(mac(key, kind, found[2]).encode(), found[1]):
        return None
    return dict(json.loads(content))
