"""``skillgen install``: valid where an agent finds it, revertible, and no edit is ever lost."""

from __future__ import annotations

import json
import shutil
import tomllib
from pathlib import Path

import pytest
from skills_ref import validate

from skill.commands import install
from skill.commands.install import FOLDER, LAUNCHER, PAGE
from tests.quick.install.conftest import Skillgen, content_of


def without_state(root: Path) -> dict[str, tuple[bytes, int]]:
    return {path: held for path, held in content_of(root).items() if ".skillgen" not in path}


def test_it_is_a_valid_skill(skillgen: Skillgen, host: Path) -> None:
    outcome = skillgen("install", host)
    assert outcome.code == 0
    assert outcome.out == f"added {PAGE}\nadded {LAUNCHER}\n"
    assert validate(host / FOLDER) == []
    assert (host / LAUNCHER).stat().st_mode & 0o777 == 0o755
    again = skillgen("install", host)
    assert (again.code, again.out) == (0, "nothing to do: it is there\n")


def test_the_page_of_this_repository_is_valid_too(checkout: Path, tmp_path: Path) -> None:
    folder = tmp_path / "harden-whatsapp"
    folder.mkdir()
    shutil.copy(checkout / "SKILL.md", folder)
    assert validate(folder) == []


def test_commands_work_in_the_root_of_the_host(skillgen: Skillgen, host: Path) -> None:
    skillgen("install", host)
    page = (host / PAGE).read_text()
    boxes = [line for line in page.splitlines() if line.startswith((LAUNCHER, "skillgen "))]
    assert len(boxes) >= 7
    assert all(line.startswith(f"{LAUNCHER} ") for line in boxes)


def test_it_brings_no_findings(skillgen: Skillgen, host: Path) -> None:
    before = skillgen("inspect", host, "--format", "json").out
    skillgen("install", host)
    assert skillgen("inspect", host, "--format", "json").out == before


@pytest.mark.parametrize("undo", [("install", "--remove"), ("revert",)])
def test_it_is_taken_back(skillgen: Skillgen, host: Path, undo: tuple[str, ...]) -> None:
    before = content_of(host)
    skillgen("install", host)
    assert skillgen("status", host).code == 0
    outcome = skillgen(*undo, host)
    assert outcome.code == 0
    assert f"removed {PAGE}\n" in outcome.out
    assert content_of(host) == before
    nothing = skillgen(*undo, host)
    assert (nothing.code, nothing.out) == (0, "nothing to take back\n")


def test_folders_that_it_made_go_and_others_stay(skillgen: Skillgen, tmp_path: Path) -> None:
    skillgen("install", tmp_path)
    (tmp_path / FOLDER / "notes.txt").write_text("mine\n")
    assert skillgen("install", "--remove", tmp_path).code == 0
    assert [path for path in content_of(tmp_path) if path.endswith("notes.txt")]
    shutil.rmtree(tmp_path / ".claude")
    skillgen("install", tmp_path)
    skillgen("install", "--remove", tmp_path)
    assert content_of(tmp_path) == {}


def test_it_leaves_what_is_applied_alone(
    skillgen: Skillgen, checkout: Path, tmp_path: Path
) -> None:
    host = tmp_path / "bot"
    shutil.copytree(checkout / "tests/hosts/v1-class", host)
    before = content_of(host)
    assert skillgen("install", host).code == 0
    assert skillgen("apply", host).code == 0
    assert skillgen("install", "--remove", host).code == 0
    assert skillgen("check", host).code == 0
    assert skillgen("install", host).code == 0
    assert skillgen("status", host).code == 0
    assert skillgen("revert", host).code == 0
    assert content_of(host) == before


@pytest.mark.parametrize("path", [PAGE, LAUNCHER])
def test_an_edited_file_is_kept(skillgen: Skillgen, host: Path, path: str) -> None:
    skillgen("install", host)
    edited = (host / path).read_bytes() + b"\n# ours\n"
    (host / path).write_bytes(edited)
    for command in (("install",), ("install", "--remove")):
        outcome = skillgen(*command, host)
        assert outcome.code == 1
        assert f"kept {path}: edited since it was installed" in outcome.out
        assert (host / path).read_bytes() == edited
    other = LAUNCHER if path == PAGE else PAGE
    assert not (host / other).exists()
    status = skillgen("status", host)
    assert (status.code, f"changed since: {path}\n" in status.out) == (1, True)


def test_a_formatter_is_no_edit(skillgen: Skillgen, host: Path) -> None:
    before = content_of(host)
    skillgen("install", host)
    page = host / PAGE
    formatted = page.read_text().replace("|---|", "| ----- |").replace("\n", "\r\n")
    page.write_text(formatted, newline="")
    assert skillgen("install", "--remove", host).code == 0
    assert content_of(host) == before


def test_a_file_that_is_not_ours_stops_it(skillgen: Skillgen, host: Path) -> None:
    (host / FOLDER).mkdir()
    (host / LAUNCHER).write_text("#!/bin/sh\necho mine\n")
    before = content_of(host)
    outcome = skillgen("install", host)
    assert outcome.code == 2
    assert outcome.err == (
        f"skillgen: {LAUNCHER}: is not skillgen's own; move it away, then run the command again\n"
    )
    assert content_of(host) == before
    assert skillgen("install", "--remove", host).code == 1
    assert content_of(host) == before


def test_a_link_leads_nowhere(skillgen: Skillgen, tmp_path: Path) -> None:
    outside, host = tmp_path / "outside", tmp_path / "host"
    outside.mkdir()
    host.mkdir()
    (host / ".claude").symlink_to(outside)
    outcome = skillgen("install", host)
    assert (outcome.code, outcome.err.count("\n")) == (2, 1)
    assert content_of(outside) == {}
    assert not (host / ".skillgen").exists()


@pytest.mark.parametrize("undo", [("install", "--remove"), ("revert",)])
def test_another_version_takes_its_place(
    skillgen: Skillgen, host: Path, monkeypatch: pytest.MonkeyPatch, undo: tuple[str, ...]
) -> None:
    before = content_of(host)
    with monkeypatch.context() as old:
        old.setattr(install, "__version__", "0.0.9")
        skillgen("install", host)
    assert b"==0.0.9" in (host / LAUNCHER).read_bytes()
    outcome = skillgen("install", host)
    assert (outcome.code, outcome.out) == (0, f"changed {PAGE}\nchanged {LAUNCHER}\n")
    assert b"0.0.9" not in (host / LAUNCHER).read_bytes() + (host / PAGE).read_bytes()
    assert (host / LAUNCHER).stat().st_mode & 0o777 == 0o755
    assert skillgen(*undo, host).code == 0
    assert content_of(host) == before


def test_a_fresh_clone_has_no_record(
    skillgen: Skillgen, host: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = content_of(host)
    with monkeypatch.context() as old:
        old.setattr(install, "__version__", "0.0.9")
        skillgen("install", host)
    shutil.rmtree(host / ".skillgen")
    assert "the skill for agents is installed (skillgen 0.0.9)" in skillgen("status", host).out
    assert skillgen("install", host).code == 0
    shutil.rmtree(host / ".skillgen")
    assert skillgen("install", "--remove", host).code == 0
    assert content_of(host) == before


def test_in_json(skillgen: Skillgen, host: Path) -> None:
    [row] = json.loads(skillgen("install", host, "--format", "json").out)["hosts"]
    assert (row["exit"], row["added"], row["kept"]) == (0, [PAGE, LAUNCHER], [])
    [row] = json.loads(skillgen("install", host, "--remove", "--format", "json").out)["hosts"]
    assert row["removed"] == [PAGE, LAUNCHER]


def test_an_installed_skillgen_has_the_page(checkout: Path) -> None:
    project = tomllib.loads((checkout / "pyproject.toml").read_text())
    wheel = project["tool"]["hatch"]["build"]["targets"]["wheel"]
    assert wheel["force-include"]["SKILL.md"] == "skill/SKILL.md"


def test_without_the_page_it_says_so(
    skillgen: Skillgen, host: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(install, "SOURCES", ())
    before = content_of(host)
    outcome = skillgen("install", host)
    assert outcome.code == 2
    assert "install skillgen anew" in outcome.err
    assert content_of(host) == before
