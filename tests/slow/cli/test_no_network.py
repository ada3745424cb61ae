"""Promise 9: what looks at a host, patches it and takes it back runs nothing and dials nobody."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

# An audit hook sees what C code does, too, and stays: so in a process of its own.
WATCHED = """
import json, sys
seen = []
ACTS = ("socket.", "subprocess.", "os.exec", "os.system", "os.posix_spawn", "os.fork", "pty.")
def look(event, arguments):
    if event.startswith(ACTS) and event != "socket.gethostname":
        seen.append(event)
    if event == "import" and str(arguments[1] or "").startswith(sys.argv[1]):
        seen.append("import of the host's")
    if event in ("exec", "compile") and "HOST_CODE" in repr(arguments)[:200]:
        seen.append(event)
sys.addaudithook(look)
from skill import cli
root = sys.argv[1]
codes = [cli.run([*words.split(), root]) for words in json.loads(sys.argv[2])]
open(sys.argv[3], "w").write(json.dumps([codes, seen]))
"""
COMMANDS = ["inspect", "apply --dry-run", "apply", "check", "status", "install", "reset"]


@pytest.mark.parametrize("fixture", ["hosts/v1-class", "hosts_python/s1-link"])
def test_nothing_is_run_or_reached(fixture: str, tmp_path: Path, checkout: Path) -> None:
    root, report = tmp_path / "bot", tmp_path / "report"
    source = checkout / "tests" / fixture
    for file in source.rglob("*"):
        if file.is_file():
            (root / file.relative_to(source)).parent.mkdir(parents=True, exist_ok=True)
            (root / file.relative_to(source)).write_bytes(file.read_bytes())
    (root / "sitecustomize.py").write_text("HOST_CODE = 1\n")
    words = [sys.executable, "-c", WATCHED, str(root), json.dumps([*COMMANDS, "revert"])]
    done = subprocess.run(
        [*words, str(report)], cwd=checkout, capture_output=True, text=True, timeout=120
    )
    assert report.exists(), done.stderr
    codes, seen = json.loads(report.read_text())
    assert set(codes) <= {0, 1}, done.stderr
    assert codes[0] == 1 and codes[-1] == 0
    assert seen == []


def test_the_watch_sees_what_is_run(tmp_path: Path, checkout: Path) -> None:
    code = WATCHED.replace("from skill import cli", "import os; os.system('true')").replace(
        "cli.run([*words.split(), root])", "0"
    )
    report = tmp_path / "report"
    words = [sys.executable, "-c", code, "/", json.dumps(["inspect"]), str(report)]
    subprocess.run(words, cwd=checkout, check=True, timeout=60)
    assert json.loads(report.read_text())[1] == ["os.system"]
