"""One command line in a process of its own, and a fault in one system call of it.

The fault is strace's (``-e inject=``), so that it is the kernel's answer and not a patched
function's. Three things about strace that decide how this works:

- ``when=N`` counts the calls of *one name*, in *one process*: not those of a set. So the
  point is a name and its number, taken from a run without a fault. ``openat`` counts also
  where it only reads.
- with ``--seccomp-bpf`` a kill is dropped silently. So it is not used.
- whether a fault happened is in its log alone: ``(INJECTED)``, or the killed call without a
  result. ``Fault.proven`` reads it there, and that it hit the call that was meant.

The process is a fork of this one, which has everything imported. strace is attached once it is
prepared, and it waits for that: what is counted is the command's own, the same in each run.
"""

from __future__ import annotations

import importlib
import os
import pkgutil
import re
import signal
import subprocess
import sys
import traceback
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from skill.guard.render import render_guard

KILL = "KILL"
ERRORS = ("ENOSPC", "EIO", "EACCES")
# Everything that can change a file. ``?``: a name that not every architecture has.
CALLS = (
    "?open,?creat,openat,?openat2,write,pwrite64,writev,pwritev,?pwritev2,fsync,"
    "fdatasync,?rename,?renameat,renameat2,?unlink,unlinkat,?mkdir,mkdirat,?rmdir,"
    "?chmod,fchmod,fchmodat,?fchmodat2,?chown,fchown,?lchown,fchownat,truncate,"
    "ftruncate,?link,linkat,?symlink,symlinkat,?mknod,mknodat,fallocate,"
    "copy_file_range,sendfile,utimensat,setxattr,fsetxattr"
)
OPENS = ("open", "openat", "openat2", "creat")
CHANGES = re.compile(r"O_CREAT|O_TRUNC|O_WRONLY|O_RDWR")
CALL = re.compile(r"^(\w+)\((.*)")
# Names that differ from run to run: tokens, nonces, and those of ``tempfile``.
RANDOM = re.compile(
    r"[0-9a-f]{8,}|(?<=\.)(?!skillgen)[a-z0-9_]{8}\b|(?<=[/-])[a-z0-9_]{8}(?=[\"/>])"
    r"|tmp[a-z0-9_]{8}|(?<=<)[^>]*/|(?<=\")(?:current|base|other)(?=\")"
)
SLOWEST = 120


@dataclass(frozen=True)
class Point:
    """A call that changes a file: the ``number``-th of its name. what: its arguments."""

    call: str
    number: int
    what: str

    def __str__(self) -> str:
        return f"{self.call} {self.number}"


@dataclass(frozen=True)
class Ran:
    """code: the exit status, -9 for a kill. log: strace's."""

    code: int
    out: str
    err: str
    log: str = ""


@dataclass(frozen=True)
class Fault:
    """What happens at a point: a kill before it, or an error, once or ``lasting``."""

    point: Point
    kind: str
    lasting: bool = False

    def __str__(self) -> str:
        return f"{self.kind}{' from' if self.lasting else ''} at {self.point}"

    @property
    def option(self) -> str:
        what = "signal=KILL" if self.kind == KILL else f"error={self.kind}"
        return f"inject={self.point.call}:{what}:when={self.point.number}{'+' * self.lasting}"

    def proven(self, ran: Ran) -> bool:
        """Whether the log shows this fault, at this very call."""
        for line in ran.log.splitlines():
            if self.kind == KILL:
                hit = line.startswith(f"{self.point.call}(") and line.endswith("= ?")
            else:
                hit = "(INJECTED)" in line and f" {self.kind} " in line
            if hit:
                killed = self.kind != KILL or "+++ killed by SIGKILL +++" in ran.log
                return killed and _what(CALL.match(line)) == self.point.what
        return False


def run(
    arguments: Sequence[str],
    environment: Mapping[str, str],
    scratch: Path,
    fault: Fault | None = None,
    trace: bool = False,
) -> Ran:
    """Run ``skillgen ARGUMENTS`` as its entry does; what it prints goes to files in scratch."""
    out, err, log = (scratch / name for name in ("out", "err", "log"))
    log.unlink(missing_ok=True)
    ready, go = os.pipe()
    told, prepared = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(go)
        os.close(told)
        _become(arguments, environment, (prepared, ready), out, err)
    os.close(ready)
    os.close(prepared)
    os.read(told, 1)
    os.close(told)
    tracer = _traced(child, log, fault) if trace or fault else None
    os.write(go, b".")
    os.close(go)
    code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    if tracer is not None:
        tracer.wait(timeout=SLOWEST)
        assert tracer.stderr is not None
        tracer.stderr.close()
    text = [path.read_text("utf-8", "replace") if path.exists() else "" for path in (out, err, log)]
    return Ran(code, *text)


def import_all() -> None:
    """Import what any command may, so that a child's calls are its work and no imports."""
    for package in ("skill", "modify"):
        found = importlib.import_module(package)
        for module in pkgutil.walk_packages(found.__path__, f"{package}."):
            if not module.name.endswith("__main__") and ".runner" not in module.name:
                importlib.import_module(module.name)
    render_guard()  # and keep it


def _traced(child: int, log: Path, fault: Fault | None) -> subprocess.Popen[bytes]:
    options = [f"trace={CALLS}", "signal=KILL"] + ([fault.option] if fault else [])
    words = ["strace", "-y", "-p", str(child), "-o", str(log)]
    for option in options:
        words += ["-e", option]
    tracer = subprocess.Popen(words, stderr=subprocess.PIPE)
    assert tracer.stderr is not None
    line = tracer.stderr.readline()
    if b"attached" not in line:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        raise RuntimeError(f"strace: {line.decode(errors='replace').strip()}")
    return tracer


def _become(
    arguments: Sequence[str],
    environment: Mapping[str, str],
    pipes: tuple[int, int],
    out: Path,
    err: Path,
) -> None:
    """In the child: the command, with its streams in files. Never returns."""
    code = 99
    try:
        for number, path in ((1, out), (2, err)):
            fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644)
            os.dup2(fd, number)
            os.close(fd)
        sys.stdout = os.fdopen(1, "w", closefd=False)
        sys.stderr = os.fdopen(2, "w", closefd=False)
        os.environ.clear()
        os.environ.update(environment)
        sys.argv = ["skillgen", *arguments]
        from skill.__main__ import main

        prepared, ready = pipes
        os.close(prepared)  # its end is what the parent waits for
        os.read(ready, 1)
        os.close(ready)
        try:
            main()
        except SystemExit as end:
            code = end.code if isinstance(end.code, int) else 1
        sys.stdout.flush()
        sys.stderr.flush()
    except BaseException:
        os.write(2, traceback.format_exc().encode())
    finally:
        os._exit(code)


def points_of(log: str) -> list[Point]:
    """The calls of a run that change a file, in their order; what it prints does not count."""
    counted: dict[str, int] = {}
    found = []
    for match in filter(None, map(CALL.match, log.splitlines())):
        call, rest = match[1], match[2]
        counted[call] = counted.get(call, 0) + 1
        only_reads = call in OPENS and not CHANGES.search(rest)
        if not only_reads and not rest.startswith(("1<", "2<")) and "/dev/null" not in rest:
            found.append(Point(call, counted[call], _what(match)))
    return found


def _what(match: re.Match[str] | None) -> str:
    """A call's arguments without what differs from run to run."""
    if match is None:
        return ""
    arguments = RANDOM.sub("*", re.sub(r"\)? += .*", "", match[2]))
    arguments = re.sub(r"\b\d+<", "<", arguments)
    return arguments.partition(",")[0] if "write" in match[1] else arguments
