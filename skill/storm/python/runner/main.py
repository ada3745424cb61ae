"""``python -I -S -B main.py``: one scenario of one host.

The request is read from standard input: {scenario, supervisor, drive, modules, source, host,
roots, channel_file, work, environment, seed}. modules: the folder that the rest of the runner is
imported from, compiled or not. The outcome goes to file descriptor 3, a line of JSON.
Exit status 3: the host cannot be run, the reason is on standard error.
"""

from __future__ import annotations

import importlib
import json
import os
import sys
import traceback
import types

# Under this name the folder is imported, so that no module of a host has the same one.
PACKAGE = "_skillgen_storm"


def main() -> None:
    request = json.load(sys.stdin)
    package = types.ModuleType(PACKAGE)
    package.__path__ = [request["modules"]]
    sys.modules[PACKAGE] = package
    # Clocks before threads, threads before everything that makes a lock.
    scheduler_module = importlib.import_module(f"{PACKAGE}.scheduler")
    scheduler = scheduler_module.Scheduler()
    importlib.import_module(f"{PACKAGE}.clock").install(scheduler)
    importlib.import_module(f"{PACKAGE}.threads").install(scheduler)
    importlib.import_module(f"{PACKAGE}.play").play(scheduler, request)


if __name__ == "__main__":
    # Not sys.exit(): the interpreter would wait for threads by locks that are no longer its own.
    leave, error_stream = os._exit, sys.stderr
    try:
        main()
        status = 0
    except BaseException:
        error_stream.write(traceback.format_exc())
        error_stream.flush()
        status = 3
    leave(status)
