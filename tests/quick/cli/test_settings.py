"""Options that a project keeps: ``.skillgen.toml``, or ``[tool.skillgen]`` of pyproject.toml."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.quick.cli.conftest import Skillgen

PLACES = pytest.mark.parametrize(
    ("name", "head"), [(".skillgen.toml", ""), ("pyproject.toml", "[tool.skillgen]\n")]
)


@PLACES
def test_they_are_taken_and_said(skillgen: Skillgen, host: Path, name: str, head: str) -> None:
    (host / name).write_text(f'{head}ignore = ["flat-retry"]\nstart-limit = 7\n')
    said = skillgen("inspect", host)
    assert f"options of {name}: ignore = flat-retry; start-limit = 7" in said.err
    row = json.loads(skillgen("apply", host, "--dry-run", "--format", "json").out)["hosts"][0]
    assert row["settings"] == {"path": name, "text": "ignore = flat-retry; start-limit = 7"}


def test_the_command_line_takes_their_place(skillgen: Skillgen, host: Path, tmp_path: Path) -> None:
    (host / ".skillgen.toml").write_text('ignore = ["flat-retry"]\nstart-limit = 7\n')
    plan = tmp_path / "plan.json"
    skillgen("apply", host, "--dry-run", "--save-plan", plan, "--ignore", "qr-exit")
    options = json.loads(plan.read_text())["options"]
    assert (options["ignore"], options["start_limit"]) == (["qr-exit"], 7)
    # What was saved is what is applied, whatever the file says by then.
    (host / ".skillgen.toml").write_text("start-limit = 9\n")
    assert skillgen("apply", host, "--plan", plan).code == 0


@PLACES
@pytest.mark.parametrize(
    ("text", "why"),
    [
        ('ignor = ["flat-retry"]', "no option is named 'ignor'; did you mean ignore?"),
        ('ignore = ["flat-rety"]', "no rule is named 'flat-rety'; did you mean flat-retry"),
        ('ignore = "flat-retry"', "it takes a list of rules"),
        ("start-limit = 0", "start-limit is 0; it takes a number from 1 to 100"),
        ("start-limit = true", "start-limit is True; it takes a number"),
        ('on-auth-failure = "die"', "it takes auto, exit, stop-channel"),
        ("only-skill-assets = 1", "it takes true or false"),
        ("= 1", "cannot be read as TOML"),
        ("x = " + 5000 * "[", "cannot be read as TOML"),
    ],
)
def test_what_is_none_is_an_error(
    skillgen: Skillgen, host: Path, name: str, head: str, text: str, why: str
) -> None:
    (host / name).write_text(f"{head}{text}\n")
    said = skillgen("check", host)
    assert said.code == 2 and why in said.err and f"skillgen: {name}: " in said.err
    assert len(said.err.splitlines()) == 1


def test_two_places_are_one_too_many(skillgen: Skillgen, host: Path) -> None:
    (host / ".skillgen.toml").write_text("start-limit = 7\n")
    (host / "pyproject.toml").write_text("[tool.skillgen]\nstart-limit = 8\n")
    said = skillgen("check", host)
    assert said.code == 2 and "keep one of them" in said.err


def test_a_broken_pyproject_of_others_is_no_matter(skillgen: Skillgen, host: Path) -> None:
    (host / "pyproject.toml").write_text("[tool.black\n= nonsense")
    assert skillgen("inspect", host).code == 1
