"""Which scenarios ``skillgen simulate`` runs, by default and as it is told."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from skill import cli
from skill.storm import command
from skill.storm.catalogue import EVERY, HEADLINE
from skill.storm.fence import Fence
from skill.storm.python.scenarios import TABLES
from skill.storm.simulate import Report, every_scenario, headline

Asked = Callable[..., frozenset[str]]
HINT = "these are the headline scenarios; --all runs every one"


@pytest.fixture
def asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Asked:
    """Give a function that returns the ids which the command line asks for; nothing is run."""
    (tmp_path / "package.json").write_text("{}")
    seen: list[frozenset[str]] = []

    def simulate_host(_host: object, ids: frozenset[str], **_options: Any) -> Report:
        seen.append(ids)
        return Report()

    monkeypatch.setattr(command, "simulate_host", simulate_host)
    monkeypatch.setattr(command, "find_fence", lambda **_options: Fence(""))

    def call(*words: str) -> frozenset[str]:
        cli.run(["simulate", str(tmp_path), *words])
        return seen.pop()

    return call


def test_the_headline_scenarios_by_default(
    asked: Asked, capsys: pytest.CaptureFixture[str]
) -> None:
    ids = asked()
    assert ids == headline()
    assert [one.id for one in EVERY if one.id in ids] == [one.id for one in HEADLINE]
    assert len(HEADLINE) == 11
    assert HINT in capsys.readouterr().out


@pytest.mark.parametrize("way", TABLES)
def test_python_channels_have_counterparts_of_them(way: str) -> None:
    table = [one.id for kind, table in TABLES.items() if kind == way for one in table]
    chosen = [id for id in table if id in headline()]
    assert len(chosen) == 7
    assert set(table) - set(chosen), "with --all there are more"


def test_every_headline_scenario_exists() -> None:
    assert headline() <= {one.id for one in every_scenario()}


def test_all_of_them(asked: Asked, capsys: pytest.CaptureFixture[str]) -> None:
    assert asked("--all") == frozenset(), "no choice is every one"
    assert HINT not in capsys.readouterr().out


def test_those_that_are_named(asked: Asked, capsys: pytest.CaptureFixture[str]) -> None:
    assert asked("--scenario", "code-403") == {"code-403"}
    assert HINT not in capsys.readouterr().out


def test_named_and_all_do_not_go_together(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.run(["simulate", str(tmp_path), "--all", "--scenario", "revoked"]) == 2
    assert "--scenario does not go with it" in capsys.readouterr().err


def test_the_list_says_which_are_run_by_default(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.run(["simulate", str(tmp_path), "--list"]) == 0
    default, _, others = capsys.readouterr().out.partition("run with --all:\n")
    first = {line.split()[0] for line in default.splitlines()[1:]}
    rest = {line.split()[0] for line in others.splitlines()}
    assert first == headline()
    assert rest == {one.id for one in every_scenario()} - headline()
    assert cli.run(["simulate", str(tmp_path), "--list", "--format", "json"]) == 0
    rows = json.loads(capsys.readouterr().out)["scenarios"]
    assert {row["id"] for row in rows if row["headline"]} == headline()
