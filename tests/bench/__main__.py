"""``make bench``: how long the command takes, as a whole process; asserts nothing.

For each case: seconds of wall time (the least and the median of the runs, after one that is not
counted), so that start-up is in it. A busy machine shows in the distance between the two.
"""

from __future__ import annotations

import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parents[2]
RUNS = 5
FILES = 5_000  # of the large tree: as many as a host with a web front end has
SKILLGEN = [sys.executable, "-P", "-m", "skill"]


def main() -> None:
    with tempfile.TemporaryDirectory(prefix="skillgen-bench-") as made:
        large = large_tree(Path(made) / "large")
        hosts = CHECKOUT / "tests" / "hosts"
        python = CHECKOUT / "tests" / "hosts_python" / "s1-link"
        cases = {
            "python -c pass": [sys.executable, "-c", "pass"],
            "--help": [*SKILLGEN, "--help"],
            "apply --dry-run, TypeScript host": dry_run(hosts / "v1-class"),
            "apply --dry-run, JavaScript host": dry_run(hosts / "js-cjs"),
            "apply --dry-run, Python host": dry_run(python),
            f"apply --dry-run, the host among {FILES} files": dry_run(large),
        }
        for name, command in cases.items():
            taken = [seconds(command) for _ in range(RUNS + 1)][1:]
            print(f"{name:48} {min(taken):6.3f} s  {statistics.median(taken):6.3f} s")


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


def seconds(command: list[str]) -> float:
    """Raises SystemExit when the command could not do its work; hand-offs (status 1) are fine."""
    begin = time.perf_counter()
    done = subprocess.run(
        command,
        cwd=tempfile.gettempdir(),
        env={"PATH": "/usr/bin:/bin", "PYTHONPATH": str(CHECKOUT)},
        stdout=subprocess.DEVNULL,
        check=False,
    )
    taken = time.perf_counter() - begin
    if done.returncode not in (0, 1):
        raise SystemExit(f"{' '.join(command)}: status {done.returncode}")
    return taken


if __name__ == "__main__":
    main()
