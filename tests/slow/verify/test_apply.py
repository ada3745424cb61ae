"""``apply --verify``: what turns red stops it, what was red before does not."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.quick.cli.conftest import Skillgen, content_of
from tests.slow.verify.conftest import PATCHED, Scripts


def verified(skillgen: Skillgen, host: Path, *more: str) -> dict[str, Any]:
    outcome = skillgen("apply", "--verify", "--format", "json", *more, host)
    [row] = json.loads(outcome.out)["hosts"]
    assert row["exit"] == outcome.code
    return dict(row)


@pytest.mark.parametrize("mode", ["--dry-run", "-q"])
def test_what_turns_red_stops_everything(skillgen: Skillgen, scripts: Scripts, mode: str) -> None:
    host = scripts(build="true", test=f"echo all is well; ! {PATCHED}")
    before = content_of(host)
    outcome = skillgen("apply", "--verify", mode, host)
    assert outcome.code == 2
    assert content_of(host) == before
    assert outcome.err.splitlines()[-1].startswith(f"skillgen: {host}: all tests turned red")
    assert "all is well" in outcome.err.splitlines()[-1]
    assert outcome.out.splitlines()[-1] == "verified: all tests turned red"


def test_what_was_red_and_stays_so_bars_nothing(skillgen: Skillgen, scripts: Scripts) -> None:
    host = scripts(build="true", test="echo of no use; exit 3")
    outcome = skillgen("apply", "--verify", host)
    assert outcome.code == 0
    assert (host / "src/added.ts").exists()
    assert "verified: 2 checks as before the patch, 1 red before, too" in outcome.out
    assert "status 3: of no use" in outcome.out


def test_what_the_patch_mends_is_said(skillgen: Skillgen, scripts: Scripts) -> None:
    row = verified(skillgen, scripts(test=PATCHED))
    assert row["exit"] == 0 and row["written"]
    [check] = row["verified"]["checks"]
    assert check["verdict"] == "mended"
    assert (check["before"]["status"], check["after"]["status"]) == (1, 0)


def test_it_says_first_what_it_runs(skillgen: Skillgen, scripts: Scripts) -> None:
    host = scripts(test="echo tested", build="echo built", typecheck="echo checked")
    outcome = skillgen("apply", "--dry-run", "--verify", "--verify-limit", "60", host)
    lines = outcome.err.splitlines()
    assert "--verify runs the bot's own checks" in lines[0]
    assert "in a fence (" in lines[0] or "no fence here" in lines[0]
    assert [line.partition(": ")[2] for line in lines[1:4]] == [
        "verify 1/3: type check: npm run typecheck (echo checked)",
        "verify 2/3: build: npm run build (echo built)",
        "verify 3/3: all tests: npm test (echo tested)",
    ]
    assert "each command is given 60 s (--verify-limit)" in lines[4]
    assert "at most" in lines[4]


def test_the_first_that_turns_red_ends_it(skillgen: Skillgen, scripts: Scripts) -> None:
    host = scripts(typecheck=f"! {PATCHED}", test="true")
    row = verified(skillgen, host, "--dry-run")
    assert row["exit"] == 2
    assert [check["name"] for check in row["verified"]["checks"]] == ["type check"]
    assert row["verified"]["not_run"] == [
        {"name": "all tests", "why": "type check turned red before it"}
    ]


def test_nothing_is_run_without_it(skillgen: Skillgen, scripts: Scripts, tmp_path: Path) -> None:
    mark = tmp_path / "run"
    host = scripts(test=f"touch {mark}", build=f"touch {mark}", typecheck=f"touch {mark}")
    assert skillgen("apply", "--dry-run", host).code == 0
    assert skillgen("apply", host).code == 0
    assert not mark.exists()
    assert "verified" not in skillgen("apply", "--format", "json", host).out


def test_nothing_to_run_is_one_line(skillgen: Skillgen, host: Path) -> None:
    outcome = skillgen("apply", "--verify", host)
    assert outcome.err == ""
    assert outcome.code == 0
    assert [line for line in outcome.out.splitlines() if "verified:" in line] == [
        "not verified: there is nothing to run (no type check, build or tests that --verify knows)"
    ]
    assert (host / "src/added.ts").exists()


def test_what_is_missing_is_said(skillgen: Skillgen, host: Path) -> None:
    package = {"scripts": {"test": "jest"}, "devDependencies": {"jest": "*"}}
    (host / "package.json").write_text(json.dumps(package))
    row = verified(skillgen, host)
    assert row["exit"] == 0 and row["written"]
    [left] = row["verified"]["not_run"]
    assert left["name"] == "all tests" and "no node_modules" in left["why"]


def test_a_program_that_is_not_there_is_said(skillgen: Skillgen, scripts: Scripts) -> None:
    row = verified(skillgen, scripts(test="no-such-program --all", build="true"))
    assert row["exit"] == 0
    checks = {check["name"]: check for check in row["verified"]["checks"]}
    assert checks["all tests"]["verdict"] == "not run"
    assert "no-such-program" in checks["all tests"]["note"]
    assert checks["build"]["verdict"] == "green"
    assert row["verified"]["summary"].endswith("not known: all tests")


def test_a_script_that_starts_the_bot_is_not_run(skillgen: Skillgen, host: Path) -> None:
    package = {"main": "index.js", "scripts": {"test": "node index.js", "build": "true"}}
    (host / "package.json").write_text(json.dumps(package))
    row = verified(skillgen, host)
    assert [left["why"] for left in row["verified"]["not_run"]] == [
        "it starts the bot (node index.js)"
    ]


def test_what_does_not_end_is_not_known(skillgen: Skillgen, scripts: Scripts) -> None:
    row = verified(skillgen, scripts(test="sleep 60"), "--verify-limit", "1")
    assert row["exit"] == 0 and row["written"]
    [check] = row["verified"]["checks"]
    assert check["verdict"] == "unknown"
    assert "--verify-limit 4" in check["note"]


def test_what_does_not_end_any_more_has_turned_red(skillgen: Skillgen, scripts: Scripts) -> None:
    row = verified(skillgen, scripts(test=f"! {PATCHED} || sleep 60"), "--verify-limit", "6")
    assert row["exit"] == 2 and not row["written"]
    assert "does not end within 6 s" in row["error"]


def test_red_beside_the_other_and_green_alone(skillgen: Skillgen, scripts: Scripts) -> None:
    once = '"$HOME/once"'
    host = scripts(test=f"test -e {once} || {{ touch {once}; ! {PATCHED}; }}")
    row = verified(skillgen, host)
    assert row["exit"] == 0 and row["written"]
    [check] = row["verified"]["checks"]
    assert check["verdict"] == "green" and "depends on time" in check["note"]


def test_the_limit_goes_with_it(skillgen: Skillgen, host: Path) -> None:
    outcome = skillgen("apply", "--verify-limit", "5", host)
    assert outcome.code == 2
    assert "--verify-limit goes with --verify" in outcome.err


def test_a_pull_request_says_what_was_run(skillgen: Skillgen, scripts: Scripts) -> None:
    host = scripts(test="echo 'a | b'")
    text = skillgen("apply", "--dry-run", "--verify", "--format", "markdown", host).out
    [row] = [line for line in text.splitlines() if line.startswith("| all tests |")]
    assert row.startswith("| all tests | `npm test (echo 'a &#124; b')` | green, ")
    assert "not run here" not in text
    assert "not run here" in skillgen("apply", "--dry-run", "--format", "markdown", host).out


def test_a_package_below_has_its_own_checks(skillgen: Skillgen, host: Path) -> None:
    (host / "src/package.json").write_text('{"scripts": {"test": "! test -e added.ts"}}')
    row = verified(skillgen, host)
    assert row["exit"] == 2
    assert [check["name"] for check in row["verified"]["checks"]] == ["src: all tests"]
