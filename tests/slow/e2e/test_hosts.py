"""Fixture hosts, cloned fresh and patched for real: what a user gets, asserted on all of them.

A new host is a new folder in ``tests/hosts``; see ``harness.Expected`` for what it may say.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from skill.source_paths import SKILL_ASSETS
from tests.slow.e2e.harness import (
    ADDED_MODULE,
    SNAPSHOTS,
    Record,
    Snapshot,
    Trial,
    changed_paths,
    host_names,
    lines_of_style,
)


@pytest.fixture(scope="module", params=host_names())
def trial(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, node_tools: Path
) -> Trial:
    """A module's fixture, so that all tests of a host run one after the other."""
    name = str(request.param)
    return Trial(name, tmp_path_factory.mktemp(name), node_tools)


@pytest.fixture
def record(trial: Trial) -> Record:
    return trial.record


def test_the_fixture_is_sound_as_it_lies(trial: Trial) -> None:
    health = trial.health_before
    assert not health.tests.failed, health.tests.failed
    assert health.tests.files, str(health.tests.run)
    assert trial.git_status() == []
    if trial.expected.compiles:
        assert health.types.code == 0, str(health.types)
        assert not health.unformatted
    else:
        assert health.types.code != 0


def test_dry_run_is_the_page_we_know(trial: Trial, snapshot: Snapshot) -> None:
    snapshot.snapshot_dir = SNAPSHOTS / trial.name
    snapshot.assert_match(trial.dry_run_page(), "dry-run.txt")


def test_dry_run_says_what_it_must(trial: Trial, record: Record) -> None:
    for text in trial.expected.says:
        assert text in record.dry_run.text


def test_dry_run_writes_nothing(trial: Trial, record: Record) -> None:
    assert record.after_dry_run == trial.before


def test_dry_run_and_apply_exit_alike(trial: Trial, record: Record) -> None:
    assert record.dry_run.code == trial.expected.exit, str(record.dry_run)
    assert record.apply.code == trial.expected.exit, str(record.apply)


def test_dry_run_with_exit_code_tells_whether_anything_would_change(
    trial: Trial, record: Record
) -> None:
    would_change = record.after != trial.before
    wanted = max(trial.expected.exit, int(would_change))
    assert record.dry_run_exit_code.code == wanted, str(record.dry_run_exit_code)


def test_no_traceback_reaches_the_user(record: Record) -> None:
    runs = (record.dry_run, record.apply, record.check, record.second_apply, record.revert)
    assert [str(run) for run in runs if run and "Traceback" in run.text] == []


def test_changes_what_it_should_and_nothing_else(trial: Trial, record: Record) -> None:
    changed = changed_paths(trial.before, record.after)
    assert record.status == sorted(changed), "git sees something else than the tree"
    if trial.expected.changes is None:
        assert changed
    else:
        assert changed - set(trial.expected.may_change) == set(trial.expected.changes)


def test_the_diff_applies_with_git_and_gives_the_same_bytes(trial: Trial, record: Record) -> None:
    if trial.expected.is_negative:
        assert b"\n+++ " not in record.dry_run.stdout
    else:
        assert changed_paths(trial.patched_by_git(), record.after) == set()


def test_marks_line_ends_and_modes_stay(trial: Trial, record: Record) -> None:
    for path in trial.before.keys() & record.after.keys():
        mode, content = trial.before[path]
        mode_after, content_after = record.after[path]
        assert (path, mode) == (path, mode_after)
        assert (path, lines_of_style(content)) == (path, lines_of_style(content_after))


def test_types_check_where_they_did(trial: Trial, record: Record) -> None:
    if trial.health_before.types.code == 0:
        assert record.health_after.types.code == 0, str(record.health_after.types)


def test_formatted_where_it_was(trial: Trial, record: Record) -> None:
    assert record.health_after.unformatted <= trial.health_before.unformatted


def test_own_tests_pass_and_none_is_lost(trial: Trial, record: Record) -> None:
    tests = record.health_after.tests
    assert not tests.failed, "\n".join(tests.failed)
    assert tests.run.code == 0, str(tests.run)
    for path, before in trial.health_before.tests.files.items():
        assert len(tests.files.get(path, ())) >= len(before), f"{path} has fewer tests"


def test_an_added_module_brings_its_tests_and_they_run(trial: Trial, record: Record) -> None:
    added = {path for path in record.after.keys() - trial.before.keys() if is_module(path)}
    tests = {path for path in added if ".test." in path}
    # What only holds a dial is two lines in the host, and no test of its own.
    assert {path.partition(".")[0] for path in added - tests} == {
        path.partition(".")[0] for path in tests
    }
    # A skill's files run where the skill is laid over a tree: test_skill_assets.py does that.
    in_place = {path for path in tests if not path.startswith(SKILL_ASSETS)}
    assert in_place <= record.health_after.tests.files.keys()


def is_module(path: str) -> bool:
    return ADDED_MODULE.search(path) is not None


def test_check_agrees(trial: Trial, record: Record) -> None:
    assert record.check.code == trial.expected.exit, str(record.check)


def test_applying_twice_equals_once(trial: Trial, record: Record) -> None:
    assert record.second_apply.code == trial.expected.exit, str(record.second_apply)
    assert changed_paths(record.after, record.after_second_apply) == set()


def test_revert_gives_the_tree_back(trial: Trial, record: Record) -> None:
    if record.revert is not None:
        assert record.revert.code == 0, str(record.revert)
    assert changed_paths(trial.before, record.after_revert) == set()
    assert record.status_after_revert == []
