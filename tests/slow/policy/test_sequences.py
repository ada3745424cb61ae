"""sequences.json, played against the modules: every row and class of the policy."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

HERE = Path(__file__).resolve().parent
SEQUENCES = HERE.parents[1] / "quick" / "policy" / "sequences.json"
CASES: list[dict[str, Any]] = json.loads((SEQUENCES).read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def played(compiled_module: Path) -> dict[str, list[dict[str, Any]]]:
    """What is seen after each step of each case, from one Node process."""
    ran = subprocess.run(
        ["node", str(HERE / "run_sequences.mjs"), str(compiled_module)],
        input=json.dumps(CASES),
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    seen: dict[str, list[dict[str, Any]]] = json.loads(ran.stdout)
    return seen


def mismatches(step: dict[str, Any], seen: dict[str, Any]) -> list[str]:
    """What a step promises and does not keep."""
    wrong = []
    found: Any
    for key, expected in step.get("expect", {}).items():
        if key == "wait":
            wait = seen["wait"]
            if expected is None or wait is None:
                fits = wait is expected
            else:
                # Timers ring on whole milliseconds.
                fits = expected[0] - 0.002 <= wait <= expected[1] + 0.002
            found = wait
        elif key == "logged":
            (level, parts), *_ = expected.items()
            lines = [log["message"] for log in seen["logs"] if log["level"] == level]
            fits = len(lines) == 1 and all(part in lines[0] for part in parts)
            found = seen["logs"]
        elif key == "quiet":
            fits, found = not seen["logs"], seen["logs"]
        elif key == "memory":
            found = seen["memory"]
            fits = all(found[name] == value for name, value in expected.items())
        else:
            fits, found = seen[key] == expected, seen[key]
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
