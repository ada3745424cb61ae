"""Where people and agents look for skillgen: plugin, skill folder, action, release workflow."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from skills_ref import validate

from skill import __version__


def test_the_plugin_is_this_version(checkout: Path) -> None:
    plugin = json.loads((checkout / ".claude-plugin" / "plugin.json").read_text())
    market = json.loads((checkout / ".claude-plugin" / "marketplace.json").read_text())
    assert plugin["version"] == __version__
    [listed] = market["plugins"]
    assert (listed["name"], listed["source"]) == (plugin["name"], "./")


def test_the_skill_lies_where_skill_managers_look(checkout: Path) -> None:
    """A copy and no link: archives and some systems carry none. make skill makes it."""
    [folder] = (checkout / "skills").iterdir()
    page = folder / "SKILL.md"
    assert page.read_bytes() == (checkout / "SKILL.md").read_bytes() and not page.is_symlink()
    assert validate(folder) == []  # among them that the folder has the skill's name


@pytest.mark.parametrize(
    ("file", "schema"),
    [("action.yml", "github-actions"), (".github/workflows/release.yml", "github-workflows")],
)
def test_github_reads_it(checkout: Path, file: str, schema: str) -> None:
    program = Path(sys.executable).with_name("check-jsonschema")
    command = [str(program), "--builtin-schema", f"vendor.{schema}", str(checkout / file)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


def test_the_release_builds_before_it_publishes(checkout: Path) -> None:
    jobs = yaml.safe_load((checkout / ".github/workflows/release.yml").read_text())["jobs"]
    assert "make dist" in [step.get("run") for step in jobs["build"]["steps"]]
    assert jobs["publish"]["needs"] == "build"
    assert jobs["publish"]["permissions"] == {"id-token": "write"}


def test_the_action_checks_and_annotates(checkout: Path, tmp_path: Path) -> None:
    """Its own steps, by bash as a runner runs them, without what is installed from elsewhere."""
    steps = yaml.safe_load((checkout / "action.yml").read_text())["runs"]["steps"]
    check = next(step for step in steps if step.get("id") == "check")
    result = next(step for step in steps if step.get("name") == "Result")
    program = tmp_path / "runner" / "skillgen" / "bin" / "skillgen"
    program.parent.mkdir(parents=True)
    main = checkout / "skill" / "__main__.py"
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -I "{main}" "$@"\n')
    program.chmod(0o755)
    outputs, report = tmp_path / "outputs", tmp_path / "a report.sarif"
    environ = {
        "PATH": "/usr/bin:/bin",
        "RUNNER_TEMP": str(tmp_path / "runner"),
        "GITHUB_OUTPUT": str(outputs),
        "HOST": "hosts/v1-class",
        "SARIF": str(report),
    }
    shell = ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c"]
    done = subprocess.run(
        [*shell, check["run"]],
        cwd=checkout / "tests",
        env=environ,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "::error file=hosts/v1-class/src/channels/whatsapp.ts,line=" in done.stdout
    assert json.loads(report.read_text())["version"] == "2.1.0"
    assert outputs.read_text() == "exit-code=1\n"
    ended = subprocess.run([*shell, result["run"]], env={**environ, "CODE": "1"}, check=False)
    assert ended.returncode == 1
