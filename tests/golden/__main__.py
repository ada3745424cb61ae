"""``python -m tests.golden``: compares with master.txt; --accept writes it anew.

``--against REVISION`` shows what changed, whole: it makes the cases of that revision, too.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.golden.cases import cases
from tests.golden.recorder import FOLDER

CHECKOUT = Path(__file__).resolve().parents[2]
MASTER = Path(__file__).with_name("master.txt")
NOW = CHECKOUT / ".cache" / "golden"
RECORDED = ("tests/quick/rules", "tests/quick/rewrite", "tests/quick/units")
MOST_NAMES = 20


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.golden", description=__doc__)
    parser.add_argument("--accept", action="store_true", help="write master.txt anew")
    parser.add_argument("--against", metavar="REVISION", help="show what changed since then")
    options = parser.parse_args()
    texts = made()
    write(NOW / "now.jsonl", texts)
    if options.against:
        return against(options.against)
    lines = {name: hashlib.sha256(text.encode()).hexdigest()[:16] for name, text in texts.items()}
    if options.accept:
        MASTER.write_text("".join(f"{digest} {name}\n" for name, digest in sorted(lines.items())))
        print(f"{len(lines)} cases written to {MASTER.relative_to(CHECKOUT)}")
        return 0
    return compare(lines)


def made() -> dict[str, str]:
    """Every case by its name: those of the tests' own hosts, and those of ``cases``."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "pytest", *RECORDED, "-n2", "-q"]
        command += ["-p", "tests.golden.recorder"]
        command += ["-m", "not system and not storms", "-p", "no:cacheprovider"]
        tests = subprocess.Popen(
            command,
            cwd=CHECKOUT,
            env={**os.environ, FOLDER: folder},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        texts = dict(cases())
        said, _ = tests.communicate(timeout=1800)
        if tests.returncode:
            sys.exit(f"{said}\ngolden: the tests that make its inputs fail; mend them first")
        for file in Path(folder).glob("*.jsonl"):
            for line in file.read_text().splitlines():
                name, text = json.loads(line)
                texts[name] = text
    return dict(sorted(texts.items()))


def write(file: Path, texts: dict[str, str]) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    lines = (json.dumps({"case": k, "text": v}, ensure_ascii=False) for k, v in texts.items())
    file.write_text("".join(f"{line}\n" for line in lines))


def compare(lines: dict[str, str]) -> int:
    rows = (line.partition(" ") for line in MASTER.read_text().splitlines())
    master = {name: digest for digest, _, name in rows}
    groups = {
        "changed": [name for name in lines if master.get(name, lines[name]) != lines[name]],
        "new": [name for name in lines if name not in master],
        "gone": [name for name in master if name not in lines],
    }
    for word, names in groups.items():
        if names:
            print(f"{len(names)} {word}:")
            print("".join(f"  {name}\n" for name in names[:MOST_NAMES]), end="")
            if len(names) > MOST_NAMES:
                print(f"  and {len(names) - MOST_NAMES} more")
    if any(groups.values()):
        print("read them with: make golden AGAINST=HEAD; accept them with: make golden ACCEPT=1")
        return 1
    print(f"{len(lines)} cases, none changed")
    return 0


def against(revision: str) -> int:
    """Make the cases of another revision, in a worktree that goes again, and diff the two."""
    tree = NOW / "tree"
    if tree.exists():  # one that was killed has left it
        subprocess.run(["git", "worktree", "remove", "--force", tree], check=True)
    subprocess.run(["git", "worktree", "add", "--force", "--detach", tree, revision], check=True)
    try:
        subprocess.run([sys.executable, "-m", "tests.golden", "--accept"], cwd=tree, check=True)
        before = tree / ".cache" / "golden" / "now.jsonl"
        command = ["git", "diff", "--no-index", "--word-diff=plain", "-U0"]
        return subprocess.run([*command, before, NOW / "now.jsonl"], check=False).returncode
    finally:
        subprocess.run(["git", "worktree", "remove", "--force", tree], check=True)


if __name__ == "__main__":
    sys.exit(main())
