"""Which program a script runs in the end, and how options are added to it."""

from __future__ import annotations

from pathlib import Path

import pytest

from skill.verify.reports import options_for
from skill.verify.scripts import script_of

KNOWN = {
    "vitest": ("vitest", "vitest -o"),
    "vitest run": ("vitest", "vitest run -o"),
    "npx vitest run --coverage": ("vitest", "npx vitest run --coverage -o"),
    "jest --watch": ("jest", "jest -o"),
    "NODE_ENV=test jest": ("jest", "NODE_ENV=test jest -o"),
    "cross-env NODE_ENV=test jest --ci": ("jest", "cross-env NODE_ENV=test jest --ci -o"),
    "node --experimental-vm-modules node_modules/jest/bin/jest.js": (
        "jest",
        "node --experimental-vm-modules node_modules/jest/bin/jest.js -o",
    ),
    "node --test": ("node --test", "node --test -o"),
    "node --import tsx --test tests/a.ts": (
        "node --test",
        "node --import tsx --test -o tests/a.ts",
    ),
    "tsx --test a.test.ts": ("node --test", "tsx --test -o a.test.ts"),
    "npm run build && mocha": ("mocha", "npm run build && mocha -o"),
    "yarn exec vitest": ("vitest", "yarn exec vitest -o"),
    "./node_modules/.bin/tsc -p .": ("tsc", "./node_modules/.bin/tsc -p . -o"),
}


@pytest.mark.parametrize("text", KNOWN)
def test_a_runner_is_known(text: str) -> None:
    script = script_of({"test": text}, "test")
    assert script is not None
    assert (script.runner, script.with_options(["-o"])) == KNOWN[text]


@pytest.mark.parametrize(
    "text",
    [
        "vitest run || true",
        "jest; echo done",
        "jest $EXTRA",
        "jest 'unclosed",
        "mocha test/*.js",
        "node test.js",
        "node scripts/jest.js",
        "make test",
        "echo vitest",
        "jest &",
    ],
)
def test_what_is_not_known_is_left_as_it_is(text: str) -> None:
    script = script_of({"test": text}, "test")
    assert script is not None
    assert (script.text, script.runner) == (text, "")


@pytest.mark.parametrize(
    ("text", "runner"),
    [("npm run unit", "jest"), ("yarn unit", "jest"), ("pnpm run unit", "jest"), ("npm test", "")],
)
def test_a_script_that_calls_another_one_is_that_one(text: str, runner: str) -> None:
    script = script_of({"test": text, "unit": "jest"}, "test")
    assert script is not None and script.runner == runner


def test_what_is_not_there_is_none() -> None:
    assert script_of({"test": " "}, "test") is None
    assert script_of({}, "test") is None


def test_only_runners_that_write_reports_get_options() -> None:
    assert options_for("", Path("report")) == []
    for runner in ("vitest", "jest", "mocha", "node --test", "pytest"):
        assert any("report" in option for option in options_for(runner, Path("report")))
