"""Real runners and a real compiler: one red test hides no other, and what is new is named."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.quick.cli.conftest import Skillgen

CHANNEL = "src/whats app.bot.ts"
VITEST = """
import { existsSync } from 'fs';
import { expect, it, describe } from 'vitest';
describe('the bot', () => {
  it('is red', () => expect(1).toBe(2));
  it('is green', () => expect(1).toBe(1));
  it('knows its files', () => expect(existsSync('src/added.ts')).toBe(false));
});
"""
OWN = """
const { test } = require('node:test');
const assert = require('node:assert');
const { existsSync } = require('node:fs');
test('outer', async (t) => {
  await t.test('is red', () => assert.equal(1, 2));
  await t.test('knows its files', () => assert.ok(!existsSync('src/added.ts')));
});
test('is green', () => {});
"""


def write(host: Path, files: dict[str, str], **package: Any) -> None:
    for path, text in {"package.json": json.dumps(package), **files}.items():
        (host / path).parent.mkdir(exist_ok=True)
        (host / path).write_text(text, "utf-8")


def config(**more: bool) -> str:
    """A tsconfig.json with the smallest library: all of them take the compiler seconds to read."""
    options = {"types": [], "lib": ["ES5"], "skipLibCheck": True, **more}
    return json.dumps({"compilerOptions": options, "include": ["src"]})


def checks(skillgen: Skillgen, host: Path, code: int) -> list[dict[str, Any]]:
    outcome = skillgen("apply", "--dry-run", "--verify", "--format", "json", host)
    assert outcome.code == code, outcome
    [row] = json.loads(outcome.out)["hosts"]
    return list(row["verified"]["checks"])


def test_vitest(skillgen: Skillgen, host: Path, node_tools: Path) -> None:
    (host / "node_modules").symlink_to(node_tools / "node_modules")
    write(host, {"bot.test.ts": VITEST}, scripts={"test": "vitest"}, devDependencies={"vitest": 4})
    related, check = checks(skillgen, host, 2)
    assert related["note"] == "no test is about what changes"
    assert check["turned_red"] == ["bot.test.ts: the bot > knows its files"]
    assert check["red_before"] == ["bot.test.ts: the bot > is red"]
    assert (check["before"]["tests"], check["before"]["red"], check["after"]["red"]) == (3, 1, 2)


def test_vitest_runs_the_tests_of_what_changes_first(
    skillgen: Skillgen, host: Path, node_tools: Path
) -> None:
    (host / "node_modules").symlink_to(node_tools / "node_modules")
    green = "import { it } from 'vitest';\nit('is green', () => {});\n"
    files = {
        "one.test.ts": f"import './{CHANNEL}';\n{green}",
        "other.test.ts": green,
        CHANNEL: "function connect() {}\nfunction turn() {}\nconnect();\n",
    }
    write(host, files, scripts={"test": "vitest run"}, devDependencies={"vitest": 4})
    first, second = (
        (check["name"], check["before"]["tests"]) for check in checks(skillgen, host, 0)
    )
    assert (first, second) == (("tests of what changes", 1), ("all tests", 2))


def test_node_s_own(skillgen: Skillgen, host: Path) -> None:
    write(host, {"test/bot.test.cjs": OWN}, scripts={"test": "node --test"})
    [check] = checks(skillgen, host, 2)
    assert check["turned_red"] == ["outer > knows its files"]
    assert check["red_before"] == ["outer > is red"]
    assert check["before"]["tests"] == 3


@pytest.mark.parametrize("script", [None, "tsc --noEmit", "tsc --noEmit -p ."])
def test_the_compiler_s_faults_are_compared(
    skillgen: Skillgen, host: Path, node_tools: Path, script: str | None
) -> None:
    (host / "node_modules").symlink_to(node_tools / "node_modules")
    channel = "export function connect() {}\nconst red: number = 'red';\nconnect();\n"
    scripts = {"typecheck": script} if script else {}
    files = {"tsconfig.json": config(noUnusedLocals=True), CHANNEL: channel}
    write(host, files, scripts=scripts, devDependencies={"typescript": 5})
    [check] = checks(skillgen, host, 2)
    assert check["name"] == "type check"
    assert check["turned_red"] == [f"{CHANNEL}: TS2304: Cannot find name 'turn'."]
    assert len(check["red_before"]) == check["before"]["red"] == 2


def test_faults_that_stay_bar_nothing(skillgen: Skillgen, host: Path, node_tools: Path) -> None:
    (host / "node_modules").symlink_to(node_tools / "node_modules")
    files = {"tsconfig.json": config(), CHANNEL: "connect();\nturn();\n"}
    write(host, files, devDependencies={"typescript": 5})
    # One fault more of a kind that is there already is a new one all the same.
    [check] = checks(skillgen, host, 2)
    assert check["turned_red"] == [f"{CHANNEL}: TS2304: Cannot find name 'turn'."]
    (host / CHANNEL).write_text("declare function turn(): void;\nconnect();\n")
    [check] = checks(skillgen, host, 0)
    assert check["verdict"] == "same" and len(check["red_before"]) >= 1
