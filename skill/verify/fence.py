"""What keeps the host's own commands from the machine while they are verified.

The storm's fence is no place for them: tests and builds start programs, need memory, write into
their tree and talk to servers of their own. So this one lets all of that be, and takes away the
rest: no network but a loopback of its own (a script named ``test`` that starts the bot must not
connect to WhatsApp), nothing written outside of the throw-away folder, no process of the machine in
reach, and all of it ends with skillgen. What they read is not limited. The tools are the storm's,
and whether they work here was tried out there (``skill.storm.fence``).
"""

from __future__ import annotations

import marshal
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import skill
from skill.storm import fence as fences

FENCED = (
    "no network but a loopback of its own, nothing written outside of a throw-away folder; "
    "it can read what you can"
)
NO_FENCE = "no fence here: it can write and reach what you can"
START = (
    "import sys; sys.path.insert(0, {root!r}); sys.argv[1:] = [{plan!r}];"
    " import runpy; runpy.run_module('skill.verify.inside', run_name='__main__')"
)


_PROBE_S = 20.0
# What separates the options of such a mount.
_SPECIAL = frozenset(',:\\"')


@dataclass(frozen=True, slots=True)
class Layer:
    """A folder of the host, and where a copy shows it; upper, work: what the kernel needs."""

    copy: Path
    lower: Path
    upper: Path
    work: Path
    target: Path

    @property
    def words(self) -> list[str]:
        return [str(self.lower), str(self.upper), str(self.work), str(self.target)]


@dataclass(frozen=True, slots=True)
class Fence:
    """found: the storm's, of which only kind and tools are taken.

    folder: this run's own; all that is written lies below it. reads: folders that have to be seen
    though they may lie below ``/tmp`` or ``/dev/shm``, which are fresh ones. layers: folders of
    the host that are not copied, but seen in a copy as they are, and what is written there lies
    elsewhere.
    """

    found: fences.Fence
    folder: Path
    reads: tuple[Path, ...] = ()
    layers: tuple[Layer, ...] = ()

    @property
    def has_namespaces(self) -> bool:
        return self.found.kind in ("bubblewrap", "unshare")

    @property
    def words(self) -> str:
        """The line's part that says what it does, before anything runs."""
        if not self.found.kind:
            return NO_FENCE + (f" ({self.found.why})" if self.found.why else "")
        return f"in a fence ({self.found.kind}): {FENCED}"

    def layered(self, lower: Path, copy: Path, path: str, place: Path) -> Fence | None:
        """This fence with one folder more that is seen in a copy; None where that cannot be.

        path: in the copy. place: a folder for this layer alone. It is tried out: not every
        kernel, nor every file system, can do it.
        """
        layer = Layer(copy, lower, place / "upper", place / "work", copy / path)
        if _SPECIAL.intersection("".join(layer.words)):
            return None
        for folder in (layer.upper, layer.work, layer.target):
            folder.mkdir(parents=True, exist_ok=True)
        tried = replace(self, layers=(layer,))
        mark = f"skillgen-{place.name}"
        text = f'echo > "$1/{mark}" && rm "$1/{mark}" && cd "$1" && ls > /dev/null'
        words = tried.command(
            ["/bin/sh", "-c", text, "sh", str(layer.target)], side=copy, temporary=place
        )
        try:
            done = subprocess.run(
                words,
                cwd="/",
                env={"PATH": "/usr/bin:/bin"},
                stdin=subprocess.DEVNULL,
                capture_output=True,
                timeout=_PROBE_S,
                check=False,
            )
        except (OSError, subprocess.TimeoutExpired):
            return None
        return None if done.returncode else replace(self, layers=(*self.layers, layer))

    def command(self, command: Sequence[str], *, side: Path, temporary: Path) -> list[str]:
        """The command line that runs ``command`` in the folder ``side``."""
        kind = self.found.kind
        if kind == "bubblewrap":
            return [self.found.tool, *self._bubblewrap(side, temporary), "--", *command]
        if kind == "sandbox-exec":
            return [self.found.tool, "-p", self._profile(), *self._inside(command, side, temporary)]
        inside = self._inside(command, side, temporary)
        if kind == "unshare":
            user = () if os.geteuid() == 0 else ("--user", "--map-root-user")
            spaces = ("--mount", "--pid", "--net", "--ipc", "--fork", "--kill-child")
            return [*self.found.options, self.found.tool, *user, *spaces, "--", *inside]
        return inside

    def _inside(self, command: Sequence[str], side: Path, temporary: Path) -> list[str]:
        root = os.geteuid() == 0
        plan = {
            "writable": str(self.folder),
            "readable": list(map(str, self.reads)),
            "temporary": str(temporary),
            "layers": [layer.words for layer in self._layers(side)],
            "uid": None if root else os.geteuid(),
            "gid": None if root else os.getegid(),
            "fenced": self.found.kind == "unshare",
            "cwd": str(side),
            "command": list(command),
        }
        ours = str(Path(skill.__file__).resolve().parents[1])
        code = START.format(root=ours, plan=marshal.dumps(plan).hex())
        return [sys.executable, "-I", "-S", "-B", "-c", code]

    def _layers(self, side: Path) -> list[Layer]:
        """Those of one copy: the kernel takes the other's amiss, while they are in use."""
        return [layer for layer in self.layers if side.is_relative_to(layer.copy)]

    def _bubblewrap(self, side: Path, temporary: Path) -> list[str]:
        words = ["--unshare-net", "--unshare-pid", "--unshare-ipc", "--die-with-parent"]
        words += ["--new-session", "--cap-drop", "ALL", "--ro-bind", "/", "/"]
        words += ["--dev-bind", "/dev", "/dev", "--tmpfs", "/dev/shm", "--proc", "/proc"]
        words += ["--bind", str(temporary), "/tmp"]
        for read in self.reads:
            words += ["--ro-bind", str(read), str(read)]
        words += ["--bind", *([str(self.folder)] * 2)]
        for layer in self._layers(side):
            lower, *others = layer.words
            words += ["--overlay-src", lower, "--overlay", *others]
        return [*words, "--chdir", str(side)]

    def _profile(self) -> str:
        """Rules for sandbox-exec; the last one that fits counts."""
        folder = str(self.folder).replace("\\", "\\\\").replace('"', '\\"')
        local = '(local ip "localhost:*")'
        return "\n".join(
            (
                "(version 1)(allow default)(deny network*)(deny file-write*)(deny signal)",
                f'(allow network* {local} (remote ip "localhost:*"))',
                f'(allow network* (remote unix-socket (subpath "{folder}")))',
                "(allow signal (target same-sandbox))",
                f'(allow file-write* (subpath "{folder}") (subpath "/dev"))',
            )
        )


def environment(given: Mapping[str, str], home: Path, programs: Sequence[str]) -> dict[str, str]:
    """The environment of the host's commands: the user's, without what opens doors.

    programs: folders that come first on PATH. HOME is a fresh folder, so that no test of a
    set-up writes into the user's own.
    """
    left = {
        name: value
        for name, value in given.items()
        if not any(word in name.upper() for word in SECRET) and name not in OURS
    }
    first = [*programs, *filter(os.path.isabs, given.get("PATH", os.defpath).split(os.pathsep))]
    corepack = Path(given.get("HOME", "/nonexistent")) / ".cache/node/corepack"
    if corepack.is_dir():
        left.setdefault("COREPACK_HOME", str(corepack))
    return {
        **left,
        **SETTINGS,
        "PATH": os.pathsep.join(dict.fromkeys(first)),
        "HOME": str(home),
    }


# Parts of names of variables that hold a secret, or lead to a running service of the user's.
SECRET = ("TOKEN", "SECRET", "PASSW", "CREDENTIAL", "API_KEY", "APIKEY", "PRIVATE", "AUTH", "DBUS_")
# Set for skillgen itself, or by another run of npm.
OURS = frozenset({"PYTHONPATH", "PYTHONHOME", "VIRTUAL_ENV", "NODE_OPTIONS", "TMPDIR", "OLDPWD"})
SETTINGS = {
    "CI": "1",  # runners watch for changes and ask questions elsewhere
    "NO_COLOR": "1",
    "FORCE_COLOR": "0",
    "TMPDIR": "/tmp",
    "PYTHONDONTWRITEBYTECODE": "1",
    "npm_config_offline": "true",
    "npm_config_update_notifier": "false",
}
