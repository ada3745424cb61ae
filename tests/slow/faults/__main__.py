"""``make faults``: every fault at every call that changes a file, of every command."""

from __future__ import annotations

import argparse
import multiprocessing
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

from tests.slow.faults.cases import CASES
from tests.slow.faults.injector import ERRORS, KILL, import_all
from tests.slow.faults.judge import Trial

Work = tuple[int, int, int, bool]
Outcome = tuple[str, str, str, list[str]]


def one_share(work: Work) -> tuple[str, list[Outcome]]:
    """A share of one case's faults: for each the call, kind, its name and what broke."""
    which, share, shares, lasting = work
    case = CASES[which]
    memory = Path("/dev/shm")
    with tempfile.TemporaryDirectory(dir=memory if memory.is_dir() else None) as folder:
        trial = Trial(case, Path(folder) / "trial")
        seen = []
        for number, fault in enumerate(trial.faults(lasting)):
            if number % shares == share:
                seen.append((fault.point.call, fault.kind, str(fault), trial.broken(fault)))
    return case.name, seen


def table(tried: Counter[tuple[str, str]], held: Counter[tuple[str, str]]) -> Iterable[str]:
    kinds = [kind for kind in (KILL, *ERRORS) if any(kind == known for _, known in tried)]
    yield f"{'':10}" + "".join(f"{kind:>12}" for kind in kinds)
    calls = sorted({call for call, _ in tried})
    for call in [*calls, "all"]:
        cells = []
        for kind in kinds:
            keys = [(name, kind) for name in calls if call in (name, "all")]
            cells.append(f"{sum(held[k] for k in keys)}/{sum(tried[k] for k in keys)}".rjust(12))
        yield f"{call:10}" + "".join(cells)


def main() -> int:
    parser = argparse.ArgumentParser(prog="make faults", description=__doc__)
    parser.add_argument("--jobs", type=int, default=multiprocessing.cpu_count())
    parser.add_argument("--case", action="append", help="only this one; repeatable")
    parser.add_argument("--every", type=int, default=1, metavar="N", help="only each N-th fault")
    parser.add_argument("--lasting", action="store_true", help="errors from a call on, no kills")
    chosen = parser.parse_args()
    import_all()
    shares = 4 * chosen.every
    wanted = [at for at, case in enumerate(CASES) if not chosen.case or case.name in chosen.case]
    work = [
        (at, share, shares, chosen.lasting)
        for at in wanted
        for share in range(0, shares, chosen.every)
    ]
    tried: Counter[tuple[str, str]] = Counter()
    held: Counter[tuple[str, str]] = Counter()
    began, failures = time.monotonic(), 0
    with multiprocessing.get_context("fork").Pool(chosen.jobs, maxtasksperchild=1) as pool:
        for name, seen in pool.imap_unordered(one_share, work):
            print(f"{name}: {len(seen)} tried", file=sys.stderr, flush=True)
            for call, kind, fault, broken in seen:
                tried[call, kind] += 1
                held[call, kind] += not broken
                failures += bool(broken)
                for line in broken:
                    print(f"{name}, {fault}: {line}", flush=True)
    print("held/tried, by system call\n")
    print("\n".join(table(tried, held)))
    total = sum(tried.values())
    print(f"\n{total - failures} of {total} held, {time.monotonic() - began:.0f} s")
    return 1 if failures or not total else 0


if __name__ == "__main__":
    sys.exit(main())
