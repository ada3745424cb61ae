"""held.json, played against the module: what accounts, verdicts, turns and pairings come to."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

HERE = Path(__file__).resolve().parent
CASES: list[dict[str, Any]] = json.loads((HERE / "held.json").read_text(encoding="utf-8"))


def run(script: str, module: Path, given: str, folder: Path, *words: str) -> Any:
    ran = subprocess.run(
        ["node", "--expose-gc", str(HERE / script), str(module), *words],
        cwd=folder,
        input=given,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    return json.loads(ran.stdout)


@pytest.fixture(scope="module")
def played(compiled_module: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What is seen after each step of each case, from one Node process."""
    folder = tmp_path_factory.mktemp("held")
    seen: dict[str, Any] = run("run_held.mjs", compiled_module, json.dumps(CASES), folder)
    return seen


def mismatches(step: dict[str, Any], seen: dict[str, Any]) -> list[str]:
    """What a step promises and does not keep."""
    wrong = []
    for key, expected in step.get("expect", {}).items():
        found = seen["heard"] if key == "heard_at_most" else seen["logs"]
        if key == "wait":
            found = seen["wait"]
            # Timers ring on whole milliseconds.
            fits = found is not None and expected[0] - 0.002 <= found <= expected[1] + 0.002
        elif key == "logged":
            (level, parts), *_ = expected.items()
            lines = [log["message"] for log in seen["logs"] if log["level"] == level]
            fits = len(lines) == 1 and all(part in lines[0] for part in parts)
        elif key == "quiet":
            fits = not seen["logs"]
        elif key == "heard_at_most":
            fits = all(len(codes) <= expected for codes in found.values())
        else:
            found = seen[key]
            fits = found == expected
        if not fits:
            wrong.append(f"{key}: expected {expected}, saw {found}")
    return wrong


@pytest.mark.parametrize("case", CASES, ids=[case["name"] for case in CASES])
def test_sequence(case: dict[str, Any], played: dict[str, list[dict[str, Any]]]) -> None:
    trail = []
    for step, seen in zip(case["steps"], played[case["name"]], strict=True):
        trail.append(json.dumps(step))
        wrong = mismatches(step, seen)
        assert not wrong, "\n".join([case["why"], *trail, *wrong])


def test_names_are_unique() -> None:
    names = [case["name"] for case in CASES]
    assert len(names) == len(set(names))


@pytest.mark.parametrize("kind", ["replays", "superseded"])
def test_memory_is_flat(compiled_module: Path, tmp_path: Path, kind: str) -> None:
    """Nothing stays behind of 10,000 replayed verdicts, or of as many sockets that never dial."""
    report = run("run_flat.mjs", compiled_module, json.dumps(kind), tmp_path, "10000")
    first, last = report["heap"]
    assert report["events"] == 10_000
    # 9,000 more of them; a socket that stayed would be 2 kB and more.
    assert last - first < 1_000_000
