"""The entry of every way to start skillgen: launcher, console script, ``python -m skill``."""

from __future__ import annotations

import contextlib
import gc
import os
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def only_own_code() -> None:
    """Take the current folder and ``PYTHONPATH`` off the module path.

    A host has modules of its own, perhaps a ``skill`` folder; none may be imported. The
    launcher starts Python isolated and this has nothing to do; other starts may not be.
    """
    unwanted = {""}
    with contextlib.suppress(OSError):  # the current folder may be gone
        unwanted.add(str(Path.cwd()))
    if not sys.flags.ignore_environment:
        unwanted.update(filter(None, os.environ.get("PYTHONPATH", "").split(os.pathsep)))
    sys.path[:] = [entry for entry in sys.path if entry not in unwanted]
    if str(ROOT) not in sys.path:
        sys.path.insert(0, str(ROOT))


def main() -> None:
    only_own_code()
    # Syntax trees are many objects in no cycle; to look for cycles each 700 takes a quarter longer.
    gc.set_threshold(100_000)
    try:
        from skill.cli import run
    except ModuleNotFoundError as error:
        print(f"skillgen: {error.name} is missing; install skillgen anew", file=sys.stderr)
        print(f"(a checkout: rm -rf {ROOT}/.venv, then start it again)", file=sys.stderr)
        sys.exit(2)
    sys.exit(run())


if __name__ == "__main__":
    main()
