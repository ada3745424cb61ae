"""A spread of ``make faults``: the kernel refuses or kills at some calls of every command."""

from __future__ import annotations

import errno
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.slow.faults.cases import CASES, Case, World
from tests.slow.faults.injector import ERRORS, KILL, Fault, Point, import_all, points_of
from tests.slow.faults.judge import Trial

pytestmark = pytest.mark.system


@pytest.fixture(scope="module", autouse=True)
def imported() -> None:
    import_all()


@pytest.fixture
def folder() -> Iterator[Path]:
    """In memory where there is such a folder: each fault has a world of its own."""
    memory = Path("/dev/shm")
    with tempfile.TemporaryDirectory(dir=memory if memory.is_dir() else None) as made:
        yield Path(made)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_fault_at_some_calls(case: Case, folder: Path) -> None:
    trial = Trial(case, folder / "trial")
    faults = trial.spread(6)
    assert {fault.point.call for fault in faults} == {point.call for point in trial.points}
    assert len(faults) >= min(6, len(trial.points)) > 0
    broken = {str(fault): trial.broken(fault) for fault in faults}
    assert {name: lines for name, lines in broken.items() if lines} == {}


def test_all_that_changes_a_file_is_a_point(folder: Path) -> None:
    """What changed is what the points name: a call that strace is not asked for is not missed."""
    trial = Trial(CASES[0], folder / "trial")
    named = " ".join(point.what for point in trial.points)
    changed = {name for name in trial.after if trial.after[name] != trial.before.get(name)}
    assert {"bot/bot.mjs", "bot/whatsapp-reconnect.mjs"} <= changed
    for name in changed:
        assert f'"{name.rpartition("/")[2]}"' in named, name
    assert len(trial.points) > 60


@pytest.mark.parametrize("kind", [KILL, *ERRORS])
def test_a_fault_is_seen_by_the_command_and_proven(folder: Path, kind: str) -> None:
    trial = Trial(CASES[0], folder / "trial")
    first = trial.points[0]
    trial.world.restore(trial.saved)
    ran = trial.world.run(trial.case.command, Fault(first, kind))
    assert Fault(first, kind).proven(ran)
    if kind == KILL:
        assert ran.code == -9
    else:
        assert os.strerror(getattr(errno, kind)) in ran.err
    another = Fault(Point(first.call, first.number, "another call"), kind)
    assert not another.proven(ran), "a fault at another call does not count"


def test_a_fault_that_did_not_happen_is_no_proof(folder: Path) -> None:
    world = World(folder / "world")
    world.make()
    ran = world.run(("apply", "{w}/bot"), trace=True)
    for point in points_of(ran.log):
        for kind in (KILL, *ERRORS):
            assert not Fault(point, kind).proven(ran)


def test_a_torn_file_is_seen(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The judge judges: a writer that is not all or nothing is found out."""

    def in_place(tree: object, source: str, target: str) -> None:
        root: Path = tree.root  # type: ignore[attr-defined]
        if source.startswith(".skillgen-"):
            (root / target).write_bytes((root / source).read_bytes())
            (root / source).unlink()
        else:
            os.rename(root / source, root / target)

    monkeypatch.setattr("skill.transaction.tree.Tree.rename", in_place)
    trial = Trial(CASES[0], folder / "trial")
    writes = [point for point in trial.points if "bot.mjs>" in point.what]
    assert writes
    assert any("torn" in line for line in trial.broken(Fault(writes[-1], KILL)))
