"""A bot that means harm: the ways out of the runner, each tried and told in a line.

None changes the machine for longer than it runs, also where nothing holds it.
"""

import _posixsubprocess
import _socket
import ctypes
import errno
import os
import sqlite3
import time

from websockets.sync.client import connect

SECRET, SECRET_FILE = os.environ["SECRET"], os.environ["SECRET_FILE"]
OUTSIDE, PORT = os.environ["OUTSIDE"], int(os.environ["PORT"])
LIBC = ctypes.CDLL(None, use_errno=True)
MB = 1 << 20
KEPT = []
CAPABILITIES = ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb")


def fork_exec(*words):
    """subprocess without its audit event."""
    reading, writing = os.pipe()
    options = [-1] * 6 + [reading, writing, False, False, 0]
    rest = [None, None, None, -1, None, False]
    arguments = [word.encode() for word in words]
    return _posixsubprocess.fork_exec(
        arguments, [arguments[0]], True, (writing,), b"/", None, *options, *rest
    )


def fill(steps, step):
    for done in range(steps):
        try:
            step(done)
        except BaseException as error:
            return f"{done} of {steps}, then {type(error).__name__}"
    return f"REACHED {steps}"


def reads(path):
    with open(path, "rb") as file:
        return "REACHED" if SECRET.encode() in file.read() else "nothing"


def any_environment():
    found = "nothing"
    for name in os.listdir("/proc"):
        try:
            if name.isdigit() and reads(f"/proc/{name}/environ") == "REACHED":
                found = "REACHED"
        except OSError:
            continue
    return found


def shell():
    number = fork_exec("/bin/sh", "-c", f"echo x > {OUTSIDE}")
    return "REACHED" if number > 0 else "nothing"


def kill_parent():
    return "REACHED" if LIBC.kill(os.getppid(), 9) == 0 else "nothing"


def beside():
    folder = os.open(os.path.dirname(OUTSIDE), os.O_RDONLY)
    file = LIBC.openat(folder, os.path.basename(OUTSIDE).encode(), os.O_CREAT | os.O_WRONLY, 0o600)
    return "REACHED" if file >= 0 else "nothing"


def attach():
    link = sqlite3.connect(":memory:")
    link.execute("attach database ? as other", (OUTSIDE,))
    link.execute("create table other.a (b)")
    link.commit()
    return "REACHED"


def tcp():
    link = _socket.socket()
    address = (ctypes.c_uint8 * 16)(2, 0, PORT >> 8, PORT & 255, 127, 0, 0, 1)
    return "REACHED" if LIBC.connect(link.fileno(), address, 16) == 0 else "nothing"


def vsock():
    return "REACHED" if LIBC.socket(40, 1, 0) >= 0 else "nothing"


def namespace():
    return "REACHED" if LIBC.unshare(0x10000000) == 0 else "nothing"


def mount():
    # Of a kind that there is not, so that nothing is mounted even by one who may.
    LIBC.mount(b"x", b".", b"no-such-kind", 0, b"")
    return "nothing" if ctypes.get_errno() == errno.EPERM else "REACHED"


def memory_file(_):
    number = LIBC.memfd_create(b"x", 0)
    if number < 0:
        raise MemoryError
    for _ in range(64):
        os.write(number, bytes(MB))


def shared(_):
    LIBC.mmap.restype = ctypes.c_void_p
    place = LIBC.mmap(None, ctypes.c_size_t(128 * MB), 3, 0x21, -1, ctypes.c_long(0))
    if place in (None, ctypes.c_void_p(-1).value):
        raise MemoryError
    ctypes.memset(place, 1, 128 * MB)


def segment(_):
    number = LIBC.shmget(0, ctypes.c_size_t(128 * MB), 0o1600)
    if number < 0:
        raise MemoryError
    LIBC.shmat.restype = ctypes.c_void_p
    place = LIBC.shmat(number, None, 0)
    LIBC.shmctl(number, 0, None)  # IPC_RMID: it goes with the process
    ctypes.memset(place, 1, 128 * MB)


def fork(_):
    number = LIBC.fork()
    if number < 0:
        raise BlockingIOError
    if number == 0:
        LIBC.sleep(20)
        LIBC._exit(0)


def outlive():
    number = LIBC.fork()
    if number == 0:
        LIBC.setsid()
        LIBC.execl(b"/bin/sleep", b"hostile-orphan", b"60", None)
        LIBC._exit(0)
    return "REACHED" if number > 0 else "nothing"


def shm(at):
    file = LIBC.open(f"/dev/shm/hostile-{at}".encode(), os.O_CREAT | os.O_WRONLY, 0o600)
    if file < 0:
        raise PermissionError
    for _ in range(32):
        os.write(file, bytes(MB))


def large(_):
    with open("large", "ab") as file:
        file.write(bytes(32 * MB))


def many(at):
    open(f"many-{at}", "wb").close()


def sysctl():
    file = LIBC.open(b"/proc/sys/kernel/core_pattern", os.O_WRONLY)
    return "REACHED" if file >= 0 else "nothing"


def free_of_parent():
    return "REACHED" if LIBC.prctl(1, 0, 0, 0, 0) == 0 else "nothing"


def rights():
    with open("/proc/self/status") as file:
        seen = dict(line.split(":\t", 1) for line in file.read().splitlines() if ":\t" in line)
    kept = [name for name in CAPABILITIES if int(seen[name], 16)]
    return "nothing" if not kept and seen["NoNewPrivs"] == "1" else f"REACHED {kept}"


DOORS = {
    "rights": rights,
    "environment of the parent": lambda: reads(f"/proc/{os.getppid()}/environ"),
    "environment of any process": any_environment,
    "own environment": lambda: reads("/proc/self/environ"),
    "a file of the user": lambda: reads(SECRET_FILE),
    "a shell": shell,
    "a kill of the parent": kill_parent,
    "a write by a folder's number": beside,
    "a write by a database": attach,
    "tcp": tcp,
    "a socket to the machine": vsock,
    "a namespace of its own": namespace,
    "a mount": mount,
    "a setting of the kernel": sysctl,
    "the tie to the parent": free_of_parent,
    "an orphan": outlive,
    "forks": lambda: fill(20, fork),
    "memory": lambda: fill(24, lambda _: KEPT.append(b"x" * (128 * MB))),
    "shared memory": lambda: fill(24, shared),
    "memory in files": lambda: fill(24, memory_file),
    "memory in segments": lambda: fill(24, segment),
    "/dev/shm": lambda: fill(8, shm),
    "a large file": lambda: fill(8, large),
    "many files": lambda: fill(50_000, many),
    "another shape": lambda: os.write(3, b'{"attempts_at": {}, "notes": 7}\n'),
    "junk for the reader": lambda: os.write(3, b'{"attempts_at": [1e999]}\n'),
    "a line for the reader": lambda: fill(64, lambda _: os.write(3, b"x" * MB)),
}

for name in os.environ["DOORS"].split("; "):
    try:
        print(f"{name}: {DOORS[name]()}")
    except BaseException as error:
        print(f"{name}: nothing: {type(error).__name__}")
connect("ws://bridge")
time.sleep(5)
