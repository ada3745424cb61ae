"""What the host's code may not do here: reach the network, start programs, write elsewhere.

An audit hook (PEP 578) sees every such call of CPython's own modules and cannot be taken back.
It keeps a bot's code from doing by accident what it does for a living; it is no jail for code
that means harm, which goes around it: that is what the fence is for (``skill.storm.fence``).
Packages outside the host are not imported at all.
"""

from __future__ import annotations

import errno
import fcntl
import os
import socket
import sys
from collections.abc import Callable
from typing import Any

REFUSED = ("socket.connect", "socket.bind", "socket.sendto", "socket.sendmsg")
LOOKED_UP = ("socket.getaddrinfo", "socket.gethostbyname", "socket.gethostbyaddr")
CHILDREN = (
    "subprocess.Popen",
    "os.system",
    "os.exec",
    "os.posix_spawn",
    "os.spawn",
    "os.fork",
    "os.forkpty",
    "pty.spawn",
    "os.startfile",
    "os.kill",
    "os.killpg",
    "signal.pthread_kill",
    "sqlite3.enable_load_extension",
    "sqlite3.load_extension",
)
# Events that change paths: where each path stands among their arguments, and the folder that it
# is relative to (a file descriptor, -1 for the working folder), if they have one.
CHANGES: dict[str, tuple[tuple[int, int | None], ...]] = {
    "os.remove": ((0, 1),),
    "os.rename": ((0, 2), (1, 3)),
    "os.mkdir": ((0, 2),),
    "os.rmdir": ((0, 1),),
    "os.symlink": ((1, 2),),  # what is written through one is seen by its real path
    "os.link": ((0, 2), (1, 3)),
    "os.chmod": ((0, 2),),
    "os.chown": ((0, 3),),
    "os.truncate": ((0, None),),
    "os.utime": ((0, 3),),
    "os.setxattr": ((0, None),),
    "os.removexattr": ((0, None),),
    "sqlite3.connect": ((0, None),),
}
_WRITES = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
_ALWAYS = frozenset({os.devnull, "/dev/tty", ":memory:", ""})


def _path_of(folder: int) -> str:
    """The path of an open folder. Raises OSError."""
    if sys.platform == "darwin":
        found = fcntl.fcntl(folder, fcntl.F_GETPATH, b"\0" * 1024)
        return os.fsdecode(found.rstrip(b"\0"))
    return os.readlink(f"/proc/self/fd/{folder}")


def install(folders: tuple[str, ...], note: Callable[[str], object]) -> None:
    """From now on: writes below ``folders`` only. note: told of each kind of refusal once."""
    told: set[str] = set()

    def tell(text: str) -> None:
        if text not in told:
            told.add(text)
            note(text)

    def inside(path: Any, beside: Any = -1) -> bool:
        if isinstance(path, int) or path is None:
            return True
        text = os.fsdecode(path)
        if isinstance(beside, int) and beside >= 0 and not os.path.isabs(text):
            try:
                text = os.path.join(_path_of(beside), text)
            except OSError:
                return False
        if text in _ALWAYS or text.startswith(("file::memory:", "/dev/fd/", "/proc/self/fd/")):
            return True
        text = text.removeprefix("file:").partition("?")[0]
        real = os.path.realpath(text)
        return any(real == folder or real.startswith(folder + os.sep) for folder in folders)

    def hook(event: str, arguments: tuple[Any, ...]) -> None:
        if event == "open":
            path, mode, flags = (*arguments, None, None, None)[:3]
            writes = (
                any(letter in mode for letter in "wax+")
                if isinstance(mode, str)
                else bool(flags and flags & _WRITES)
            )
            if writes and not inside(path):
                raise PermissionError(errno.EACCES, "not in the throw-away folder", str(path))
        elif event in CHANGES:
            for place, relative_to in CHANGES[event]:
                path = arguments[place]
                if not inside(path, -1 if relative_to is None else arguments[relative_to]):
                    raise PermissionError(errno.EACCES, "not in the throw-away folder", str(path))
        elif event in REFUSED:
            tell("the host asked for the network: refused")
            raise ConnectionRefusedError(errno.ECONNREFUSED, "no network here")
        elif event in LOOKED_UP:
            tell("the host asked for the network: refused")
            raise socket.gaierror(socket.EAI_AGAIN, "Temporary failure in name resolution")
        elif event in CHILDREN:
            tell(f"the host asked for {event}: denied")
            raise PermissionError(errno.EPERM, f"{event} is denied here")
        elif event == "ctypes.dlopen" and arguments and arguments[0]:
            tell("the host asked for a native library: denied")
            raise PermissionError(errno.EPERM, "native libraries are denied here")

    def connection(address: Any, *_: Any, **__: Any) -> Any:
        # Hosts look whether their bridge listens: a port of this machine answers, and says nothing.
        if str(address[0]) in ("localhost", "127.0.0.1", "::1"):
            return socket.socket()
        return refuse()

    def refuse(*_: Any, **__: Any) -> Any:
        tell("the host asked for the network: refused")
        raise ConnectionRefusedError(errno.ECONNREFUSED, "no network here")

    real_open = os.open

    def open_file(path: Any, flags: int, mode: int = 0o777, *, dir_fd: int | None = None) -> int:
        # The audit event of os.open() does not tell the folder.
        if dir_fd is not None and flags & _WRITES and not inside(path, dir_fd):
            raise PermissionError(errno.EACCES, "not in the throw-away folder", str(path))
        return real_open(path, flags, mode, dir_fd=dir_fd)

    system: Any = os
    system.open = open_file
    changed: Any = socket
    changed.create_connection = connection
    changed.create_server = changed.fromfd = refuse
    sys.addaudithook(hook)
