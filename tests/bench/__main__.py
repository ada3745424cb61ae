"""``make bench``: how long the command takes, as a whole process; asserts nothing.

For each case: seconds of wall time (the least and the median of the runs, after one that is not
counted), so that start-up is in it, and of processor time (the least). The cases take turns, so
that a busy machine is busy for all of them; it shows in the distance between the two. Then a
whole Python host (hermes-agent, from the package index) beside a search of its text and beside
the import of libcst alone, as ratios of the least times. Last, how processor time grows with the
size of a host (``python -m tests.bench growth`` prints that alone): twice as much is to take
2.3 times as long at most.
"""

from __future__ import annotations

import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from itertools import pairwise
from pathlib import Path
from resource import RUSAGE_CHILDREN, getrusage
from typing import NamedTuple

import pytest

from tests.bench.growth import KINDS
from tests.slow.real.packages import wheel

CHECKOUT = Path(__file__).resolve().parents[2]
RUNS = 5
FILES = 5_000  # of the large tree: as many as a host with a web front end has
WHOLE = "apply --dry-run, hermes-agent 0.19.0"
IMPORT = "python -c 'import libcst'"
SKILLGEN = [sys.executable, "-P", "-m", "skill"]


class Taken(NamedTuple):
    """Seconds of one run."""

    wall: float
    processor: float


def main() -> None:
    if sys.argv[1:] != ["growth"]:
        times()
    growth()


def growth() -> None:
    print(
        f"\n{'processor seconds':32} {'size':>8} {'a quarter':>10} {'half':>8} {'whole':>8} growth"
    )
    for name, (make, size) in KINDS.items():
        taken = []
        for part in (size // 4, size // 2, size):
            with tempfile.TemporaryDirectory(prefix="skillgen-bench-") as made:
                make(Path(made) / "host", part)
                taken.append(run(dry_run(Path(made) / "host")).processor)
        shown = " ".join(f"{seconds:8.2f}" for seconds in taken[1:])
        rates = ", ".join(f"{b / a:.2f}" for a, b in pairwise(taken))
        print(f"{name:32} {size:8} {taken[0]:10.2f} {shown} {rates}", flush=True)


def times() -> None:
    with tempfile.TemporaryDirectory(prefix="skillgen-bench-") as made:
        large = large_tree(Path(made) / "large")
        hosts = CHECKOUT / "tests" / "hosts"
        python = CHECKOUT / "tests" / "hosts_python" / "s1-link"
        try:
            hermes = wheel("hermes-0.19.0")
        except pytest.fail.Exception as error:  # no network: what to do is said in one line
            raise SystemExit(f"bench: {error}") from None
        searcher = search()
        search_all = f"{Path(searcher[0]).name} {searcher[1]} whatsapp, hermes-agent 0.19.0"
        cases = {
            "python -c pass": [sys.executable, "-c", "pass"],
            "--help": [*SKILLGEN, "--help"],
            "apply --dry-run, TypeScript host": dry_run(hosts / "v1-class"),
            "apply --dry-run, JavaScript host": dry_run(hosts / "js-cjs"),
            "apply --dry-run, Python host": dry_run(python),
            f"apply --dry-run, the host among {FILES} files": dry_run(large),
            WHOLE: dry_run(hermes),
            IMPORT: [sys.executable, "-c", "import libcst"],
            search_all: [*searcher, "whatsapp", str(hermes)],
        }
        taken: dict[str, list[Taken]] = {name: [] for name in cases}
        for _ in range(RUNS + 1):
            for name, command in cases.items():
                taken[name].append(run(command))
    print(f"{'seconds':48} {'wall':>7} {'median':>7} {'processor':>9}")
    for name, runs in taken.items():
        walls = [one.wall for one in runs[1:]]
        processor = least(runs).processor
        print(f"{name:48} {min(walls):7.3f} {statistics.median(walls):7.3f} {processor:9.3f}")
    ours = least(taken[WHOLE])
    for other in (IMPORT, search_all):
        theirs = least(taken[other])
        wall, processor = ours.wall / theirs.wall, ours.processor / theirs.processor
        print(f"{WHOLE} is {wall:.1f} x {other}, {processor:.1f} x its processor time")


def least(runs: list[Taken]) -> Taken:
    """The least of each figure, without the first run."""
    walls, processors = zip(*runs[1:], strict=True)
    return Taken(min(walls), min(processors))


def search() -> list[str]:
    """ripgrep, where it is installed; it takes several processors at once, grep takes one."""
    found = shutil.which("rg")
    return [found, "-l"] if found else ["grep", "-rl"]


def dry_run(host: Path) -> list[str]:
    return [*SKILLGEN, "apply", "--dry-run", str(host)]


def large_tree(root: Path) -> Path:
    """A fixture host with many files beside it that are nothing to skillgen."""
    shutil.copytree(CHECKOUT / "tests" / "hosts" / "v1-class", root)
    for number in range(FILES):
        folder = root / "web" / f"part-{number % 100}"
        folder.mkdir(parents=True, exist_ok=True)
        text = f"export const page{number} = () => ({{ title: 'Page {number}', items: [] }});\n"
        (folder / f"page-{number}.ts").write_text(text * 20, encoding="utf-8")
    return root


def run(command: list[str]) -> Taken:
    """Raises SystemExit when the command could not do its work; hand-offs (status 1) are fine."""
    before, begin = getrusage(RUSAGE_CHILDREN), time.perf_counter()
    done = subprocess.run(
        command,
        cwd=tempfile.gettempdir(),
        env={"PATH": "/usr/bin:/bin", "PYTHONPATH": str(CHECKOUT)},
        stdout=subprocess.DEVNULL,
        check=False,
    )
    wall, after = time.perf_counter() - begin, getrusage(RUSAGE_CHILDREN)
    if done.returncode not in (0, 1):
        raise SystemExit(f"{' '.join(command)}: status {done.returncode}")
    processor = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return Taken(wall, processor)


if __name__ == "__main__":
    main()
