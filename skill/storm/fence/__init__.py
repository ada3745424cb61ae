"""The fence that a bot's code runs in: what the system has, and the command line of it.

Linux: bubblewrap where it is installed, or else ``unshare`` of util-linux, both with libseccomp;
macOS: ``sandbox-exec``. A container often lets none of them work, so a fence counts only after
a trivial command was run in it. Without one ``inside.py`` still sets limits, and the command
line says that this stops accidents, not malice.
"""

from __future__ import annotations

import itertools
import json
import marshal
import os
import platform
import re
import shutil
import subprocess
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import cache, lru_cache
from pathlib import Path
from typing import Literal

from skill.storm.folder import throw_away

INSIDE = Path(__file__).with_name("inside.py")
MIB = 1 << 20
# What a bot writes lives in memory; so much of it, in so many files.
WORK_SIZE, WORK_FILES = 128 * MIB, 20_000
_WORK = f"size={WORK_SIZE},nr_inodes={WORK_FILES}"
NO_FENCE = "no fence here: this stops accidents, not malice"
# What is in force; the command line, the README and the tests quote it.
FENCED = (
    "it sees no network, no other process, and of the files only its copy and what runs it, "
    "read-only; memory, files, processes, output and time are limited, and it ends with skillgen"
)
FENCED_MACOS = (
    "no network, no other program, nothing written outside a throw-away folder, nothing of your "
    "home folder read but what runs it; files and time are limited"
)
_SYSTEM = (
    *("/usr/lib", "/usr/lib32", "/usr/lib64", "/lib", "/lib32", "/lib64"),
    *("/usr/share/nodejs", "/usr/share/zoneinfo", "/nix/store", "/gnu/store"),
    *("/etc/ld.so.cache", "/etc/ld.so.conf", "/etc/ld.so.conf.d"),
)
_PROBE = "import os; os.write(3, b'fenced')"
_PROBE_S = 20.0
_numbers = itertools.count()

Kind = Literal["bubblewrap", "unshare", "sandbox-exec", ""]


@dataclass(frozen=True, slots=True)
class Limits:
    """In bytes and seconds; None: not limited. children: whether it may start programs."""

    memory: int
    cpu_s: int
    threads: int
    addresses: int | None = None
    stack: int | None = None
    children: bool = False


@dataclass(frozen=True, slots=True)
class Fence:
    """kind: "" for none, and then ``why`` says why. tool: the program that makes it.

    options: what ``unshare`` is started by, to end with skillgen.
    """

    kind: Kind
    tool: str = ""
    why: str = ""
    options: tuple[str, ...] = ()

    @property
    def words(self) -> str:
        """What it does, for the line that is printed before anything runs."""
        if not self.kind:
            return f"{NO_FENCE} ({self.why})" if self.why else NO_FENCE
        what = FENCED_MACOS if self.kind == "sandbox-exec" else FENCED
        return f"in a fence ({self.kind}): {what}"

    @property
    def other_user(self) -> bool:
        """Whether the code runs as another user than skillgen: files must be readable to all."""
        return self.kind in ("bubblewrap", "unshare") and os.geteuid() == 0

    def command(
        self,
        command: Sequence[str],
        *,
        reads: Iterable[Path | str],
        place: Path,
        work: Path,
        limits: Limits,
        answers: int,
    ) -> list[str]:
        """The command line that runs ``command`` in this fence, in the folder ``work``.

        reads: files and folders that it sees, beside itself and Python. place: a folder of
        this run's own, above ``work``. answers: a file descriptor that becomes its number 3.
        """
        linux = self.kind in ("bubblewrap", "unshare")
        root = os.geteuid() == 0
        # A user that nothing else runs as, so that the limit of processes counts these only.
        uid = 1_900_000_000 + os.getpid() * 64 + next(_numbers) % 64 if linux and root else None
        shown = _view([command[0], sys.executable], [*reads, INSIDE], work) if linux else []
        if linux:
            seen_as = uid or 0  # a user is root in a namespace of its own, without rights
            shown.append(["bind", _passwd(place, work, seen_as), "/etc/passwd"])
        plan = {
            "view": shown if self.kind == "unshare" else None,
            "place": str(_folder(place / "fence")) if self.kind == "unshare" else "",
            "work": _WORK if self.kind == "bubblewrap" else None,
            "fenced": linux,
            "uid": uid,
            "limits": _limits(limits, linux),
            "processes": limits.children,
            "answers": answers,
            "cwd": str(work),
            "command": list(command),
        }
        inside = [sys.executable, "-I", "-S", "-B", str(INSIDE), marshal.dumps(plan).hex()]
        if self.kind == "bubblewrap":
            return [self.tool, *_bubblewrap(shown, root), "--", *inside]
        if self.kind == "unshare":
            user = () if root else ("--user", "--map-root-user")
            spaces = ("--mount", "--pid", "--net", "--ipc", "--uts", "--fork", "--kill-child")
            return [*self.options, self.tool, *user, *spaces, "--", *inside]
        if self.kind == "sandbox-exec":
            return [self.tool, "-p", _profile([*reads, command[0], INSIDE], work), *inside]
        return inside


NONE = Fence("")


@cache
def find() -> Fence:
    """The best fence that works here, tried out once; or the one of kind "", and why."""
    reasons: list[str] = []
    for fence in candidates():
        wrong = problem(fence)
        if not wrong:
            return fence
        reasons.append(f"{fence.kind}: {wrong}")
    return Fence("", why="; ".join(dict.fromkeys(reasons)) or "neither bwrap nor unshare is there")


def candidates() -> list[Fence]:
    if sys.platform == "darwin":
        tool = shutil.which("sandbox-exec")
        return [Fence("sandbox-exec", tool)] if tool else []
    found: list[Fence] = []
    if sys.platform != "linux":
        return found
    tool = shutil.which("bwrap")
    if tool:
        found.append(Fence("bubblewrap", tool))
    tool, tie = shutil.which("unshare"), shutil.which("setpriv")
    if tool and tie:
        found.append(Fence("unshare", tool, options=(tie, "--pdeathsig", "KILL")))
    return found


def problem(fence: Fence) -> str:
    """Why a trivial command does not run in this fence; nothing if it does."""
    with throw_away("fence-") as place:
        work = _folder(place / "work")
        reading, writing = os.pipe()
        command = fence.command(
            [sys.executable, "-I", "-S", "-c", _PROBE],
            reads=(),
            place=place,
            work=work,
            limits=Limits(memory=512 * MIB, cpu_s=10, threads=64),
            answers=writing,
        )
        try:
            done = subprocess.run(
                command,
                cwd="/",
                env=environment(work),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.PIPE,
                pass_fds=(writing,),
                timeout=_PROBE_S,
                check=False,
            )
            os.close(writing)
            writing = -1
            if done.returncode == 0 and os.read(reading, 16) == b"fenced":
                return ""
            lines = done.stderr.decode("utf-8", "replace").strip().splitlines()
            return lines[-1][:200] if lines else f"status {done.returncode}"
        except (OSError, subprocess.TimeoutExpired) as error:
            return str(error).partition("\n")[0][:200]
        finally:
            os.close(reading)
            if writing >= 0:
                os.close(writing)


def environment(work: Path) -> dict[str, str]:
    """All that the child knows of ours."""
    return {
        "PATH": "/usr/bin:/bin",
        "HOME": str(work / "home"),
        "TMPDIR": str(work),
        "TZ": "UTC",
        "LANG": "C.UTF-8",
        "MALLOC_ARENA_MAX": "2",
    }


def _limits(limits: Limits, fenced: bool) -> dict[str, int]:
    found = {
        "CORE": 0,
        "CPU": limits.cpu_s,
        "DATA": limits.memory,
        "FSIZE": 64 * MIB,
        "NOFILE": 256,
        "MSGQUEUE": 0,
    }
    if limits.addresses is not None:
        found["AS"] = limits.addresses
    if limits.stack is not None:
        found["STACK"] = limits.stack
    # Before Linux 5.14 all processes of the user counted, not those of the namespace.
    if fenced and (os.geteuid() == 0 or _kernel() >= (5, 14)):
        found["NPROC"] = limits.threads
    return found


def _kernel() -> tuple[int, ...]:
    return tuple(int(part) for part in re.findall(r"\d+", platform.release())[:2])


# --- what it sees -----------------------------------------------------------------------------


def _view(programs: Iterable[str], reads: Iterable[Path | str], work: Path) -> list[list[str]]:
    """(kind, source, target): "bind" read-only, "link", and the fresh "proc", "dev", "work"."""
    view = _View()
    for path in _SYSTEM:
        view.show(path)
    for program in programs:
        for path in _needs(program):
            view.show(path)
    for read in reads:
        view.show(str(read))
    fresh = [["proc", "", "/proc"], ["dev", "", "/dev"]]
    # /dev is first, for what is shown may lie below /dev/shm.
    return [*fresh, *view.items, ["work", f"mode=1777,{_WORK}", str(work)], ["tmp", "", "/tmp"]]


@dataclass(slots=True)
class _View:
    items: list[list[str]] = field(default_factory=list)
    _seen: set[str] = field(default_factory=set)

    def show(self, path: str) -> None:
        """A path as it is outside: each link on the way, and in the end the file or folder."""
        parts = Path(os.path.abspath(path)).parts
        here = "/"
        for number, part in enumerate(parts[1:], 1):
            here = os.path.join(here, part)
            if any(here == seen or here.startswith(seen + os.sep) for seen in self._seen):
                real = os.path.realpath(path)
                if real != os.path.abspath(path):
                    self.show(real)
                return
            if os.path.islink(here):
                self._seen.add(here)
                self.items.append(["link", os.readlink(here), here])
                target = os.path.normpath(os.path.join(os.path.dirname(here), os.readlink(here)))
                self.show(os.path.join(target, *parts[number + 1 :]))
                return
        if os.path.exists(path):
            self._seen.add(here)
            self.items.append(["bind", here, here])


@lru_cache(maxsize=16)
def _needs(program: str) -> tuple[str, ...]:
    """The files that a program needs to run: its libraries, and Python's own modules."""
    found = [program]
    ldd = shutil.which("ldd")
    if ldd and sys.platform == "linux":
        said = _answer([ldd, program])
        found += re.findall(r"(?:=>|^)\s*(/\S+)", said, re.M)
    if os.path.basename(program).startswith("python") or program == sys.executable:
        code = "import sysconfig; print(sysconfig.get_path('stdlib'));"
        code += "print(sysconfig.get_path('platstdlib'))"
        found += [line for line in _answer([program, "-I", "-S", "-c", code]).splitlines() if line]
    return tuple(dict.fromkeys(found))


def _answer(command: Sequence[str]) -> str:
    done = subprocess.run(
        command, cwd="/", stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
    )
    return done.stdout


def _folder(path: Path) -> Path:
    path.mkdir(parents=True, exist_ok=True)
    return path


def _passwd(place: Path, work: Path, uid: int) -> str:
    """Programs ask who they are; the others here are nobody's business."""
    file = place / f"passwd-{uid}"
    file.write_text(f"bot:x:{uid}:{uid}:bot:{work / 'home'}:/bin/sh\n", "utf-8")
    file.chmod(0o644)
    return str(file)


def _bubblewrap(view: list[list[str]], root: bool) -> list[str]:
    words = ["--unshare-ipc", "--unshare-pid", "--unshare-net", "--unshare-uts"]
    words += ["--unshare-cgroup-try", "--die-with-parent", "--new-session"]
    # Its own process beside the bot's ends it with skillgen. Of the same user it would be one
    # that a bot can change, and is not needed; of root it is out of reach, and needed.
    words += [] if root else ["--as-pid-1", "--unshare-user", "--uid", "0", "--gid", "0"]
    # What inside.py needs to limit the work folder and to give the rest up.
    kept = ["CAP_SYS_ADMIN", "CAP_SETPCAP", *(["CAP_SETUID", "CAP_SETGID"] if root else [])]
    words += ["--cap-drop", "ALL", *(word for one in kept for word in ("--cap-add", one))]
    made = {"/", "/dev", "/proc"}
    for kind, source, target in view:
        for parent in reversed(Path(target).parents):
            if str(parent) not in made:  # by itself it makes them for its own user only
                made.add(str(parent))
                words += ["--perms", "0755", "--dir", str(parent)]
        if kind == "bind":
            words += ["--ro-bind", source, target]
        elif kind == "link":
            words += ["--symlink", source, target]
        elif kind == "work":
            made.add(target)
            words += ["--perms", "1777", "--tmpfs", target]
        else:
            words += [{"proc": "--proc", "dev": "--dev"}.get(kind, "--dir"), target]
    return [*words, "--remount-ro", "/dev", "--remount-ro", "/"]


def _profile(reads: Iterable[Path | str], work: Path) -> str:
    """Rules for sandbox-exec; the last one that fits counts."""

    def paths(what: Iterable[Path | str]) -> str:
        real = {os.path.realpath(one) for one in what} | {os.path.abspath(one) for one in what}
        return " ".join(f"(subpath {json.dumps(one)})" for one in sorted(real))

    own = [sys.prefix, sys.base_prefix, *reads, work]
    return "\n".join(
        (
            "(version 1)(allow default)(deny network*)(deny file-write*)(deny signal)",
            "(allow signal (target self))(deny mach-lookup)(deny process-info*)",
            "(allow process-info* (target self))",
            f"(deny file-read-data {paths([Path.home(), '/Users', '/Volumes', '/private/tmp'])})",
            f"(allow file-read* {paths(own)})",
            f'(allow file-write* {paths([work])} (literal "/dev/null"))',
        )
    )
