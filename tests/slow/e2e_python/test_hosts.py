"""Python fixture hosts, cloned fresh and patched for real; a new host is a new folder."""

from __future__ import annotations

import ast

import pytest

from tests.slow.e2e.harness import changed_paths, lines_of_style
from tests.slow.e2e_python.harness import Record, Trial, host_names


@pytest.fixture(scope="module", params=host_names())
def trial(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Trial:
    name = str(request.param)
    return Trial(name, tmp_path_factory.mktemp(name))


@pytest.fixture
def record(trial: Trial) -> Record:
    return trial.record


def test_own_tests_pass_before_and_after(record: Record) -> None:
    assert record.tests_before.code == 0, str(record.tests_before)
    assert record.tests_after.code == 0, str(record.tests_after)


def test_exits_as_expected_and_says_why(trial: Trial, record: Record) -> None:
    for run in (record.dry_run, record.apply, record.check, record.second_apply):
        assert run.code == trial.expected.exit, str(run)
        assert "Traceback" not in run.text
    for text in trial.expected.says:
        assert text in record.dry_run.text


def test_dry_run_writes_nothing(record: Record) -> None:
    assert record.after_dry_run == record.before


def test_changes_what_it_should_and_nothing_else(trial: Trial, record: Record) -> None:
    changed = changed_paths(record.before, record.after)
    assert changed == set(trial.expected.changes or ()), str(record.apply)


def test_what_is_changed_still_parses_and_keeps_its_line_ends(record: Record) -> None:
    for path in changed_paths(record.before, record.after):
        if path.endswith(".py"):
            ast.parse(record.after[path][1])
        if path in record.before:
            assert record.before[path][0] == record.after[path][0]
            assert lines_of_style(record.before[path][1]) == lines_of_style(record.after[path][1])


def test_applying_twice_equals_once(record: Record) -> None:
    assert record.after_second_apply == record.after


def test_revert_gives_the_tree_back(record: Record) -> None:
    if record.revert is not None:
        assert record.revert.code == 0, str(record.revert)
    assert record.after_revert == record.before
