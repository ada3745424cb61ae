"""The entry of every way to start skillgen: launcher, console script, ``python -m skill``."""

from __future__ import annotations

import os
import signal


def _stopped(*_: object) -> None:
    """The end before there is anything to clean up; imports show a traceback otherwise."""
    os.write(2, b"skillgen: stopped; nothing was begun\n")
    os._exit(130)


# A process that was started with SIGINT ignored (nohup, a background job) goes on ignoring it.
_INTERRUPTED = signal.getsignal(signal.SIGINT)
if _INTERRUPTED is signal.default_int_handler:
    signal.signal(signal.SIGINT, _stopped)

# ruff: noqa: E402 - the imports follow what holds while they run
import contextlib
import gc
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
    # never reached: the nesting of a host's files is bounded before they are parsed
    # (modify.kit.python.nesting).
    sys.setrecursionlimit(4_000)
    try:
        # Lazy: a package that is missing is named below.
        from skill.cli import run
    except ModuleNotFoundError as error:
        print(f"skillgen: {error.name} is missing; install skillgen anew", file=sys.stderr)
        print(f"(a checkout: rm -rf {ROOT}/.venv, then start it again)", file=sys.stderr)
        sys.exit(2)
    if signal.getsignal(signal.SIGINT) is _stopped:
        signal.signal(signal.SIGINT, _INTERRUPTED)
    try:
        code = run()
    except KeyboardInterrupt:  # once more, while the first one was answered
        code = 130
    finally:
        if _INTERRUPTED is signal.default_int_handler:
            signal.signal(signal.SIGINT, signal.SIG_IGN)  # nothing is left to stop
    sys.exit(code)


if __name__ == "__main__":
    main()
