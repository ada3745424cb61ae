"""The commands and git: diffs that it applies, clones, and what it has committed."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

from tests.quick.cli.conftest import Skillgen, committed, content_of
from tests.quick.cli.test_commands import CHANNEL


def git_apply(root: Path, diff: str) -> None:
    subprocess.run(
        ["git", "apply", "--whitespace=nowarn", "-"],
        cwd=root,
        input=diff.encode("utf-8", "surrogateescape"),
        check=True,
    )


def test_dry_run_is_what_apply_does(skillgen: Skillgen, host: Path, tmp_path: Path) -> None:
    before = content_of(host)
    dry = skillgen("apply", "--dry-run", host)
    assert dry.code == 0
    assert content_of(host) == before
    by_git = tmp_path / "by git"
    subprocess.run(["cp", "-a", host, by_git], check=True)
    git_apply(by_git, dry.out)
    skillgen("apply", host)
    applied = content_of(host)
    assert {p: f for p, f in applied.items() if not p.startswith(".skillgen/")} == content_of(
        by_git
    )
    assert skillgen("apply", "--dry-run", "--exit-code", host).code == 0


def test_json_of_apply(skillgen: Skillgen, host: Path) -> None:
    outcome = skillgen("apply", "--dry-run", "--format", "json", host)
    document = json.loads(outcome.out)
    assert document["version"] == 1
    assert document["exit"] == outcome.code == 0
    [row] = document["hosts"]
    assert row["error"] is None
    assert [change["path"] for change in row["changes"]] == ["src/added.ts", CHANNEL]
    assert row["findings"][0]["rule"] == "flat-retry"
    assert row["written"] is False
    git_apply(host, "".join(change["diff"] for change in row["changes"]))
    assert b"turn()" in (host / CHANNEL).read_bytes()


def test_fresh_clone_has_no_record(skillgen: Skillgen, host: Path) -> None:
    skillgen("apply", host)
    subprocess.run(["rm", "-r", host / ".skillgen"], check=True)
    committed(host)
    patched = content_of(host)
    assert skillgen("check", host).code == 0
    assert skillgen("apply", host).code == 0
    status = skillgen("status", host)
    assert status.code == 0
    assert "applied with skillgen 0.1.0" in status.out
    revert = skillgen("revert", host)
    assert revert.code == 2
    assert revert.err.index("git show --stat $(") < revert.err.index("git revert $(")
    assert content_of(host) == patched


def test_what_git_has_not_committed_names_no_commit(skillgen: Skillgen, host: Path) -> None:
    skillgen("apply", host)
    subprocess.run(["rm", "-r", host / ".skillgen"], check=True)
    subprocess.run(["git", "init", "-q"], cwd=host, check=True)
    revert = skillgen("revert", host)
    assert revert.code == 2
    assert "git revert" not in revert.err
    assert "by hand, as git has not committed it: remove src/added.ts" in revert.err
