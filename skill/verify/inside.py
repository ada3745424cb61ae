"""The last step before the host's own commands: what they may not write or reach; then run them.

A process of its own, started with PLAN, ``marshal``'s form of {writable, readable, temporary,
layers, uid, gid, fenced, cwd, command}, in hexadecimal. fenced: ``unshare`` has given it
namespaces of its own, so it makes the rest: every file system read-only but for the folder
``writable``; what ``/tmp`` shows is the folder ``temporary``, and ``/dev/shm`` is empty, with
``writable`` and ``readable`` where they were; in ``layers``, the folders of the host that are seen
in its copy and written into elsewhere; a loopback network. Then it gives its rights up. In any
case it ends with skillgen, and takes with it all that the command has started.
"""

from __future__ import annotations

import ctypes
import fcntl
import marshal
import os
import signal
import socket
import struct
import sys
import time
from typing import Any

from skill.storm.fence.inside import (
    AT_FDCWD,
    AT_RECURSIVE,
    CLONE_NEWUSER,
    LIBC,
    MS_BIND,
    MS_NODEV,
    MS_NOEXEC,
    MS_NOSUID,
    MS_PRIVATE,
    MS_RDONLY,
    MS_REC,
    SYS_MOUNT_SETATTR,
    call,
    give_up_rights,
    mount,
)

SIOCGIFFLAGS, SIOCSIFFLAGS, IFF_UP = 0x8913, 0x8914, 1


def main(plan: dict[str, Any]) -> None:
    if not plan["fenced"]:
        parent, child = os.getppid(), os.fork()
        if child:
            watch(parent, child)
        execute(plan)
    loopback_up()
    make_view(plan)
    if plan["uid"] is not None:
        become(plan["uid"], plan["gid"])
    give_up_rights()
    # The first process of its namespace reaps what the others leave, and its end ends them all.
    child = os.fork()
    if not child:
        execute(plan)
    while True:
        done, status = os.wait()
        if done == child:
            code = os.waitstatus_to_exitcode(status)
            os._exit(code if code >= 0 else 128 - code)


def watch(parent: int, child: int) -> None:
    """Without a fence: end with skillgen, and end what the command has left behind."""
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    while os.getppid() == parent:
        done, status = os.waitpid(child, os.WNOHANG)
        if done:
            os.killpg(0, signal.SIGTERM)
            code = os.waitstatus_to_exitcode(status)
            os._exit(code if code >= 0 else 128 - code)
        time.sleep(0.05)
    os.killpg(0, signal.SIGKILL)


def execute(plan: dict[str, Any]) -> None:
    for number in (signal.SIGPIPE, signal.SIGXFSZ):  # Python ignores them, and that is inherited
        signal.signal(number, signal.SIG_DFL)
    os.chdir(plan["cwd"])
    try:
        os.execv(plan["command"][0], plan["command"])
    except OSError as error:
        print(f"{plan['command'][0]}: {error.strerror}", file=sys.stderr, flush=True)
        os._exit(127)


def loopback_up() -> None:
    """Tests talk to servers of their own on 127.0.0.1; there is no other network."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        asked = struct.pack("16sH14x", b"lo", 0)
        flags = struct.unpack("16sH14x", fcntl.ioctl(any_socket, SIOCGIFFLAGS, asked))[1]
        fcntl.ioctl(any_socket, SIOCSIFFLAGS, struct.pack("16sH14x", b"lo", flags | IFF_UP))


def make_view(plan: dict[str, Any]) -> None:
    writable, readable = plan["writable"], plan["readable"]
    kept = [(opened(folder), folder) for folder in (writable, *readable)]
    mount("none", "/", "", MS_REC | MS_PRIVATE)
    for lower, upper, work, target in plan["layers"]:
        options = f"lowerdir={lower},upperdir={upper},workdir={work}"
        own = ",userxattr" if plan["uid"] is not None else ""
        mount("overlay", target, "overlay", MS_NOSUID | MS_NODEV, options + own)
    set_read_only("/", True)
    temporary = opened(plan["temporary"])  # before what it may lie below is covered
    if os.path.isdir("/dev/shm"):
        mount("tmpfs", "/dev/shm", "tmpfs", MS_NOSUID | MS_NODEV, "mode=1777,size=512m")
    show(temporary, "/tmp")
    set_read_only("/tmp", False)
    for descriptor, folder in kept:
        if folder == writable or folder.startswith(("/tmp/", "/dev/shm/")):
            os.makedirs(folder, exist_ok=True)
            show(descriptor, folder)
    for folder in (writable, *(target for *_, target in plan["layers"])):
        set_read_only(folder, False)
    mount("proc", "/proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC)


def opened(folder: str) -> int:
    """Leads to the folder also when another one is shown in its place."""
    return os.open(folder, os.O_PATH | os.O_DIRECTORY)


def show(descriptor: int, target: str) -> None:
    mount(f"/proc/self/fd/{descriptor}", target, "", MS_BIND | MS_REC)
    os.close(descriptor)


def set_read_only(target: str, wanted: bool) -> None:
    """Devices and what may be executed stay as they are, unlike in the storm's fence."""
    attributes = (MS_RDONLY, 0, 0, 0) if wanted else (0, MS_RDONLY, 0, 0)
    values = (ctypes.c_uint64 * 4)(*attributes)
    call(
        LIBC.syscall,
        *(SYS_MOUNT_SETATTR, AT_FDCWD, target.encode(), AT_RECURSIVE if wanted else 0),
        *(values, ctypes.c_size_t(ctypes.sizeof(values))),
    )


def become(uid: int, gid: int) -> None:
    """The user is itself again: ``unshare`` has made it root of a namespace."""
    call(LIBC.unshare, CLONE_NEWUSER)
    for name, text in (
        ("setgroups", "deny"),
        ("uid_map", f"{uid} 0 1"),
        ("gid_map", f"{gid} 0 1"),
    ):
        with open(f"/proc/self/{name}", "w") as file:
            file.write(text)


if __name__ == "__main__":
    try:
        main(marshal.loads(bytes.fromhex(sys.argv[1])))
    except OSError as error:
        print(f"the fence cannot be made: {error.strerror or error}", file=sys.stderr)
        sys.exit(125)
