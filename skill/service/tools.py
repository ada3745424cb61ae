"""Programs of this machine that are asked about services: found outside of the host, with an end.

A host may bring its own ``pm2`` or ``docker`` on PATH (``node_modules/.bin``): none that lies in
it is ever run.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

PATIENCE = 20
"""Seconds that a question may take."""
LONGEST = 64_000_000


@dataclass(frozen=True, slots=True)
class Answer:
    """What a program said. code: its exit status, None where there is no answer; why: why not."""

    code: int | None
    out: str = ""
    err: str = ""
    why: str = ""

    @property
    def is_good(self) -> bool:
        return self.code == 0

    @property
    def reason(self) -> str:
        """Why it is no good answer, in one line."""
        lines = [line.strip() for line in self.err.splitlines() if line.strip()]
        return self.why or (lines[0] if lines else f"exit status {self.code}")


@dataclass(frozen=True, slots=True)
class Tools:
    """root: the host's folder."""

    root: Path

    def find(self, name: str) -> str | None:
        """The program of that name on PATH, or of that path, unless it lies in the host."""
        if os.path.isabs(name):
            return None if self.is_of_host(name) else shutil.which(name)
        for folder in os.environ.get("PATH", os.defpath).split(os.pathsep):
            found = shutil.which(name, path=folder) if os.path.isabs(folder) else None
            if found and not self.is_of_host(found):
                return found
        return None

    def is_of_host(self, path: str) -> bool:
        return Path(os.path.realpath(path)).is_relative_to(self.root)

    def ask(self, name: str, *words: str, patience: float = PATIENCE, folder: str = "/") -> Answer:
        """Run it and wait for its answer. Raises nothing."""
        program = self.find(name)
        if program is None:
            return Answer(None, why=f"no {name} here")
        try:
            done = subprocess.run(
                [program, *words],
                cwd=folder,
                env=environment(),
                stdin=subprocess.DEVNULL,
                capture_output=True,
                timeout=patience,
            )
        except subprocess.TimeoutExpired:
            return Answer(None, why=f"{name} did not answer within {patience:.0f} s")
        except (OSError, ValueError) as error:
            return Answer(None, why=f"{name} cannot be started ({error})")
        out, err = (
            text[:LONGEST].decode("utf-8", "replace") for text in (done.stdout, done.stderr)
        )
        return Answer(done.returncode, out, err)


def environment() -> dict[str, str]:
    """This process's own, in plain words, and with the user's bus where cron or su left it out."""
    found = {**os.environ, "LC_ALL": "C.UTF-8", "SYSTEMD_PAGER": "", "SYSTEMD_COLORS": "0"}
    runtime = f"/run/user/{os.getuid()}"
    if not found.get("XDG_RUNTIME_DIR") and os.path.isdir(runtime):
        found["XDG_RUNTIME_DIR"] = runtime
    return found
