"""Reports are read as what they may be: whatever the host's own programs have written."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from skill.verify.reports import Report, read

ROOT = Path("/copy/after/bot")


def report(tmp_path: Path, runner: str, content: str, output: str = "") -> Report | None:
    file = tmp_path / "report"
    file.write_text(content, "utf-8")
    return read(runner, file, output, ROOT)


def test_jest_and_vitest(tmp_path: Path) -> None:
    one = {
        "name": f"{ROOT}/src/a.test.ts",
        "status": "failed",
        "assertionResults": [
            {"status": "passed", "ancestorTitles": ["a"], "title": "is green"},
            {"status": "failed", "ancestorTitles": ["a", "b"], "title": "is red"},
            {"status": "failed", "ancestorTitles": ["a", "b"], "title": "is red"},
        ],
    }
    broken = {"name": f"{ROOT}/src/b.test.ts", "status": "failed", "assertionResults": []}
    data = {"numTotalTests": 3, "testResults": [one, broken]}
    for runner in ("jest", "vitest"):
        found = report(tmp_path, runner, json.dumps(data))
        assert found is not None and found.tests == 3
        assert found.faults == {
            "src/a.test.ts: a > b > is red": 2,
            "src/b.test.ts: cannot be run": 1,
        }


def test_mocha(tmp_path: Path) -> None:
    failed = [{"fullTitle": "a is red", "file": f"{ROOT}/test/a.js", "err": {}}]
    found = report(tmp_path, "mocha", json.dumps({"stats": {"tests": 5}, "failures": failed}))
    assert found is not None
    assert (found.tests, dict(found.faults)) == (5, {"test/a.js: a is red": 1})


def test_tap(tmp_path: Path) -> None:
    text = f"""TAP version 13
# Subtest: {ROOT}/a.test.js
    # Subtest: outer
        # Subtest: is red
        not ok 1 - is red
          ---
          duration_ms: 1
          ...
        # Subtest: is green
        ok 2 - is green
        1..2
    not ok 1 - outer
    # Subtest: is to do
    not ok 2 - is to do # TODO
    1..2
not ok 1 - {ROOT}/a.test.js
1..1
"""
    found = report(tmp_path, "node --test", text)
    assert found is not None
    assert (found.tests, dict(found.faults)) == (3, {"a.test.js > outer > is red": 1})


def test_junit(tmp_path: Path) -> None:
    text = """<testsuites><testsuite>
    <testcase classname="tests.test_a" name="test_green"/>
    <testcase classname="tests.test_a" name="test_red"><failure message="no"/></testcase>
    <testcase classname="tests.test_b" name="test_b"><error/></testcase>
    <testcase classname="tests.test_b" name="test_left"><skipped/></testcase>
    </testsuite></testsuites>"""
    found = report(tmp_path, "pytest", text)
    assert found is not None and found.tests == 4
    assert set(found.faults) == {"tests.test_a: test_red", "tests.test_b: test_b"}


def test_the_compiler(tmp_path: Path) -> None:
    output = f"""src/a.ts(3,4): error TS2304: Cannot find name 'x'.
src/a.ts(9,1): error TS2304: Cannot find name 'x'.
  a line that belongs to it
src/b c.ts:7:1 - error TS2345: Type 'import("{ROOT}/src/a").A' is not it.
\x1b[96msrc/c.ts\x1b[0m:1:2 - \x1b[91merror\x1b[0m\x1b[90m TS1: \x1b[0mred
error TS18003: No inputs were found in config file '{ROOT}/tsconfig.json'.
"""
    found = report(tmp_path, "tsc", "", output)
    assert found is not None and found.tests is None
    assert found.faults == {
        "src/a.ts: TS2304: Cannot find name 'x'.": 2,
        "src/b c.ts: TS2345: Type 'import(\"src/a\").A' is not it.": 1,
        "src/c.ts: TS1: red": 1,
        "TS18003: No inputs were found in config file 'tsconfig.json'.": 1,
    }


@pytest.mark.parametrize("runner", ["vitest", "jest", "mocha", "pytest"])
@pytest.mark.parametrize(
    "content",
    ["", "{", "[]", "null", '{"testResults": 1}', '{"failures": [1]}', "[" * 100_000, "<a>"],
)
def test_what_is_no_report_is_none(tmp_path: Path, runner: str, content: str) -> None:
    assert report(tmp_path, runner, content) is None
    assert read(runner, tmp_path / "not there", "", ROOT) is None


def test_any_text_is_a_report_of_node(tmp_path: Path) -> None:
    for content in ("", "not ok", "        not ok 1 - deep\n", "# Subtest: a\nok 1 - b\n", "\0"):
        found = report(tmp_path, "node --test", content)
        assert found is None or not found.faults


def test_a_link_in_place_of_a_report_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "real").write_text(json.dumps({"numTotalTests": 1, "testResults": []}))
    (tmp_path / "report").symlink_to(tmp_path / "real")
    assert read("jest", tmp_path / "report", "", ROOT) is None
