"""The last step before a bot's code: fewer files, fewer rights, fewer calls, limits; then exec.

``python -I -S -B inside.py PLAN``, a program of its own with the standard library only. PLAN is
``marshal``'s form of {view, place, work, fenced, uid, limits, processes, answers, cwd, command}.
view: what the new root shows, None where bubblewrap has made it, or where there is no fence;
place: where it is put together. work: what the file system is limited to that the bot writes in,
where bubblewrap has made it. fenced: it must not go on without libseccomp. uid: the user to
become. processes: children are allowed. answers: a file descriptor that becomes number 3.
"""

from __future__ import annotations

import ctypes
import errno
import marshal
import os
import resource
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:  # each start of a bot pays for what is imported here
    from typing import Any

MS_RDONLY, MS_NOSUID, MS_NODEV, MS_NOEXEC = 1, 2, 4, 8
MS_REMOUNT = 1 << 5
MS_BIND, MS_MOVE, MS_REC, MS_PRIVATE = 1 << 12, 1 << 13, 1 << 14, 1 << 18
SYS_MOUNT_SETATTR, AT_FDCWD, AT_RECURSIVE = 442, -100, 0x8000
PR_SET_PDEATHSIG, PR_CAPBSET_DROP, PR_SET_NO_NEW_PRIVS, PR_CAP_AMBIENT = 1, 24, 38, 47
CAPABILITY_VERSION = 0x20080522
SIGKILL = 9

# Of libseccomp: its actions, and how an argument of a call is compared.
ALLOW, ERRNO = 0x7FFF0000, 0x00050000
NE, GT, MASKED_EQ = 1, 6, 7
CLONE_THREAD, CLONE_NEWUSER = 0x00010000, 0x10000000
MAP_SHARED_ANONYMOUS = 0x21
AF_INET6 = 10
# Ways to memory that no limit counts, to other processes, to the kernel's rarer parts.
DENIED = (
    *("memfd_create", "memfd_secret", "shmget", "msgget", "semget", "mq_open", "io_uring_setup"),
    *("userfaultfd", "bpf", "perf_event_open", "keyctl", "add_key", "request_key", "ptrace"),
    *("process_vm_readv", "process_vm_writev", "pidfd_open", "pidfd_getfd", "pidfd_send_signal"),
    *("mount", "umount2", "move_mount", "fsopen", "fsmount", "open_tree", "mount_setattr"),
    *("pivot_root", "chroot", "setns", "unshare", "open_by_handle_at", "kexec_load"),
    *("init_module", "finit_module", "swapon", "setsid", "setpgid"),
)
NETWORK = ["connect", "bind", "listen", "accept", "accept4", "sendmsg", "sendmmsg"]
PROCESSES = ["fork", "vfork", "kill", "tkill", "tgkill", "rt_sigqueueinfo", "rt_tgsigqueueinfo"]


LIBC = ctypes.CDLL(None, use_errno=True)


def main(plan: dict[str, Any]) -> None:
    if plan["answers"] != 3:
        os.dup2(plan["answers"], 3)
        os.close(plan["answers"])
    os.set_inheritable(3, True)
    linux = sys.platform == "linux"
    if not linux and os.fork():
        watch(os.getppid())
    if plan["view"] is not None:
        make_view(plan["view"], plan["place"])
    if plan["work"] is not None:
        mount("none", plan["cwd"], "", MS_REMOUNT | MS_NOSUID | MS_NODEV | MS_NOEXEC, plan["work"])
    if linux:
        for number in range(64):  # no capability is ever gained again
            LIBC.prctl(PR_CAPBSET_DROP, number, 0, 0, 0)
    if plan["uid"] is not None:
        os.setgroups([])
        os.setresgid(plan["uid"], plan["uid"], plan["uid"])
        os.setresuid(plan["uid"], plan["uid"], plan["uid"])
    set_limits(plan["limits"])
    if linux:
        give_up_rights()
        try:
            filter_calls(plan["processes"])
        except OSError:
            if plan["fenced"]:
                raise
    os.chdir(plan["cwd"])
    os.execv(plan["command"][0], plan["command"])


def watch(parent: int) -> None:
    """Where the kernel cannot tie a process to its parent: end with either."""
    import time

    while os.getppid() == parent:
        done, status = os.waitpid(-1, os.WNOHANG)
        if done:
            os._exit(os.waitstatus_to_exitcode(status) & 0xFF)
        time.sleep(0.05)
    os.killpg(0, SIGKILL)


def call(function: Any, *arguments: Any) -> None:
    if function(*arguments) != 0:
        code = ctypes.get_errno()
        raise OSError(code, f"{function.__name__}: {os.strerror(code)}")


def mount(source: str, target: str, kind: str, flags: int, data: str = "") -> None:
    named = source.encode(), target.encode(), kind.encode()
    call(LIBC.mount, *named, ctypes.c_ulong(flags), data.encode())


def read_only(target: str) -> None:
    attributes = (ctypes.c_uint64 * 4)(MS_RDONLY | MS_NOSUID | MS_NODEV, 0, 0, 0)
    call(
        LIBC.syscall,
        *(SYS_MOUNT_SETATTR, AT_FDCWD, target.encode(), AT_RECURSIVE),
        *(attributes, ctypes.c_size_t(ctypes.sizeof(attributes))),
    )


def make_view(view: list[list[str]], place: str) -> None:
    """A root of its own, read-only but for what is ``work``; the old one cannot be reached.

    The last chroot is into a folder of the new root, for then the kernel makes no further
    user namespaces, with which some of this could be taken back.
    """
    os.umask(0o022)
    mount("none", "/", "", MS_REC | MS_PRIVATE)
    mount("tmpfs", place, "tmpfs", MS_NOSUID | MS_NODEV, "mode=755,size=4m,nr_inodes=4096")
    root = f"{place}/root"
    for kind, source, target in view:
        there = root + target
        os.makedirs(os.path.dirname(there), exist_ok=True)
        if kind == "link":
            os.symlink(source, there)
        elif os.path.isdir(source) or kind != "bind":
            os.makedirs(there, exist_ok=True)
        else:
            open(there, "w").close()
        if kind == "bind":
            mount(source, there, "", MS_BIND | MS_REC)
            read_only(there)
        elif kind == "proc":
            mount("proc", there, "proc", MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC)
        elif kind == "work":
            mount("tmpfs", there, "tmpfs", MS_NOSUID | MS_NODEV | MS_NOEXEC, source)
        elif kind == "dev":
            for name in ("null", "zero", "full", "random", "urandom"):
                open(f"{there}/{name}", "w").close()
                mount(f"/dev/{name}", f"{there}/{name}", "", MS_BIND)
            os.symlink("/proc/self/fd", f"{there}/fd")
    attributes = MS_RDONLY | MS_NOSUID | MS_NODEV
    mount("none", place, "", MS_BIND | MS_REMOUNT | attributes)
    os.chdir(place)
    mount(place, "/", "", MS_MOVE)
    os.chroot(".")
    os.chroot("root")
    os.chdir("/")


def set_limits(limits: dict[str, int]) -> None:
    for name, most in limits.items():
        number = getattr(resource, f"RLIMIT_{name}", None)
        if number is None:
            continue
        _, hard = resource.getrlimit(number)
        least = most if hard == resource.RLIM_INFINITY else min(most, hard)
        try:
            resource.setrlimit(number, (least, least))
        except (OSError, ValueError):  # macOS refuses some
            continue


def give_up_rights() -> None:
    """No capability is left, none is gained by the exec, and the parent's end is ours."""
    header, none = (ctypes.c_uint32 * 2)(CAPABILITY_VERSION, 0), (ctypes.c_uint32 * 6)()
    call(LIBC.capset, header, none)
    LIBC.prctl(PR_CAP_AMBIENT, 4, 0, 0, 0)  # all of them; an old kernel knows none
    call(LIBC.prctl, PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
    call(LIBC.prctl, PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0)


class Compare(ctypes.Structure):
    """struct scmp_arg_cmp"""

    _fields_ = (
        ("arg", ctypes.c_uint),
        ("op", ctypes.c_int),
        ("a", ctypes.c_uint64),
        ("b", ctypes.c_uint64),
    )


def filter_calls(processes: bool) -> None:
    """Deny system calls that neither engine needs. processes: children are allowed.

    Raises OSError where libseccomp is missing or the kernel refuses.
    """
    library = ctypes.CDLL("libseccomp.so.2", use_errno=True)
    library.seccomp_init.restype = ctypes.c_void_p
    context = ctypes.c_void_p(library.seccomp_init(ctypes.c_uint32(ALLOW)))

    def deny(name: str, *compared: tuple[int, int, int, int], error: int = errno.EPERM) -> None:
        number = library.seccomp_syscall_resolve_name(name.encode())
        if number < 0:  # not of this kind of machine
            return
        given = (Compare * len(compared))(*(Compare(*one) for one in compared))
        action = ctypes.c_uint32(ERRNO | error)
        failed = library.seccomp_rule_add_array(context, action, number, len(compared), given)
        if failed:
            raise OSError(-failed, f"libseccomp refuses the rule for {name}")

    for name in DENIED:
        deny(name)
    for name in NETWORK:
        deny(name, error=errno.ECONNREFUSED)
    deny("sendto", (4, NE, 0, 0), error=errno.ECONNREFUSED)
    deny("socket", (0, GT, AF_INET6, 0), error=errno.EAFNOSUPPORT)  # vsock knows no namespace
    deny("prlimit64", (0, NE, 0, 0))
    deny("prctl", (0, MASKED_EQ, 0xFFFFFFFF, PR_SET_PDEATHSIG))
    deny("mmap", (3, MASKED_EQ, MAP_SHARED_ANONYMOUS, MAP_SHARED_ANONYMOUS), error=errno.ENOMEM)
    deny("clone3", error=errno.ENOSYS)  # its flags cannot be looked at; libc takes clone then
    deny("clone", (0, MASKED_EQ, CLONE_NEWUSER, CLONE_NEWUSER))
    if not processes:
        deny("clone", (0, MASKED_EQ, CLONE_THREAD, 0))
        for name in PROCESSES:
            deny(name)
    failed = library.seccomp_load(context)
    if failed:
        raise OSError(-failed, "the kernel takes no filter of system calls")


if __name__ == "__main__":
    try:
        main(marshal.loads(bytes.fromhex(sys.argv[1])))
    except OSError as error:
        print(f"{error.strerror or error}", file=sys.stderr)
        sys.exit(125)
