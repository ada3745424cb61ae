"""A real ``systemd --user`` manager for a test, and units in it.

Starts are counted by what the unit's program writes: ``NRestarts`` and ``Result`` mislead
(a unit that reached its limit still says ``Result=exit-code``).
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).resolve().parent
SYSTEMD = Path("/lib/systemd/systemd")
CGROUPS = (Path("/sys/fs/cgroup/unified"), Path("/sys/fs/cgroup"))


@dataclass(frozen=True)
class Manager:
    """A running manager. home: of its user; pid: the manager's, as seen from here."""

    home: Path
    pid: int
    scope: str = "user"

    @property
    def environment(self) -> dict[str, str]:
        return {
            "PATH": os.environ["PATH"],
            "HOME": str(self.home),
            "XDG_RUNTIME_DIR": str(self.home / "run"),
            "XDG_CONFIG_HOME": str(self.home / ".config"),
        }

    def started(
        self, *command: str | Path, cwd: Path | None = None
    ) -> subprocess.CompletedProcess[str]:
        """A program beside the manager, once it has ended."""
        inside = ("nsenter", f"--target={self.pid}", "--mount", "--pid", "--cgroup")
        return subprocess.run(
            (*inside, f"--wd={cwd or self.home}", *command),
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=60,
        )

    def run(self, *command: str | Path, cwd: Path | None = None) -> str:
        """A program beside the manager; its output. Raises on a failure."""
        done = self.started(*command, cwd=cwd)
        assert done.returncode == 0, f"{command}: {done.stdout}{done.stderr}"
        return done.stdout

    def systemctl(self, *words: str) -> str:
        return self.run("systemctl", f"--{self.scope}", *words).strip()

    def state(self, unit: str) -> str:
        """``active``, ``activating`` (also between two starts), ``inactive`` or ``failed``."""
        return self.systemctl("show", "--property=ActiveState", "--value", unit)

    def drop_in(self, unit: str, text: str) -> None:
        """A setting of the test's own. It must not touch what is tested."""
        for tested in ("Restart=", "StartLimit", "ExecStart="):
            assert tested not in text
        folder = self.home / ".config" / "systemd" / "user" / f"{unit}.d"
        folder.mkdir(parents=True)
        (folder / "test.conf").write_text(text)


@contextmanager
def manager(
    home: Path, journal: bool = False, scope: str = "user", tree: Path | None = None
) -> Iterator[Manager]:
    """A manager whose user lives in this new folder; it and its units end with the block.

    journal: whether its messages are kept, for journalctl beside it to read. scope: ``system`` for
    a manager of a system. tree: where another system's ``/usr`` lies, whose systemd it is then.
    """
    for tool in (SYSTEMD, *map(shutil.which, ("systemctl", "unshare", "nsenter"))):
        assert tool and Path(tool).exists(), "no systemd here: apt install systemd util-linux"
    (home / ".config" / "systemd" / "user").mkdir(parents=True)
    (home / "run").mkdir(mode=0o700)
    mounted = [root for root in CGROUPS if (root / "cgroup.controllers").exists()]
    assert mounted, f"no cgroup2 file system in {' or '.join(map(str, CGROUPS))}"
    cgroup = mounted[0] / f"units-{os.getpid()}-{time.monotonic_ns()}"
    cgroup.mkdir()
    log = home / "manager.log"
    with log.open("w") as stream:
        process = subprocess.Popen(
            [HERE / "manager.sh", home, cgroup],
            env={
                **os.environ,
                "JOURNAL": "1" if journal else "",
                "SCOPE": scope,
                "TREE": str(tree or ""),
            },
            stdout=stream,
            stderr=subprocess.STDOUT,
        )
    try:
        yield ready(process, home, scope)
    finally:
        process.send_signal(signal.SIGKILL)  # --kill-child ends the manager with it
        process.wait()
        remove(cgroup)


def ready(process: subprocess.Popen[bytes], home: Path, scope: str) -> Manager:
    children = Path(f"/proc/{process.pid}/task/{process.pid}/children")
    for _ in range(300):
        assert process.poll() is None, (home / "manager.log").read_text()
        child = children.read_text().split()
        root = Path(f"/proc/{child[0]}/root") if child else Path("/nowhere")
        runtime = root / "run" if scope == "system" else home / "run"
        if child and (runtime / "systemd" / "private").exists():
            return Manager(home, int(child[0]), scope)
        time.sleep(0.1)
    raise AssertionError(f"no manager: {(home / 'manager.log').read_text()}")


def remove(cgroup: Path) -> None:
    """A control group is a folder that can be removed once its processes are gone."""
    for _ in range(100):
        for folder in sorted(cgroup.rglob("*"), reverse=True):
            if folder.is_dir():
                empty(folder)
        if empty(cgroup):
            return
        time.sleep(0.1)
    raise AssertionError(f"{cgroup} is still in use")


def empty(folder: Path) -> bool:
    try:
        folder.rmdir()
    except OSError:
        return False
    return True
