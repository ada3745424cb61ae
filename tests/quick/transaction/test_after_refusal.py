"""What a refused call leaves: never called nothing where it is something, and cleaned up after."""

from __future__ import annotations

import contextlib
import errno
import json
import os
from pathlib import Path
from typing import Any

import pytest

from skill import cli
from skill.commands.reset import SUFFIX
from skill.policy import MEMORY_VERSION
from skill.transaction.journal import Store
from skill.transaction.tree import Tree
from tests.quick.transaction.conftest import tree_of, without_state
from tests.quick.transaction.test_key import without_home
from tests.slow.faults.cases import CHANNEL, UNIT

Capture = pytest.CaptureFixture[str]


def refused(*_arguments: object, **_named: object) -> Any:
    raise OSError(errno.EACCES, os.strerror(errno.EACCES))


@pytest.fixture
def bot(tmp_path: Path) -> Path:
    root = tmp_path / "bot"
    root.mkdir()
    (root / "package.json").write_text('{ "type": "module" }')
    (root / "bot.mjs").write_text(CHANNEL)
    return root


@pytest.fixture
def guard_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr("skill.guard.node.find_program", lambda *_arguments: None)
    return tmp_path / "lib/guard.cjs"


def test_a_record_that_is_gone_is_no_refusal(
    bot: Path, monkeypatch: pytest.MonkeyPatch, capfd: Capture
) -> None:
    """revert removes its record last: when that is refused, all else is done."""
    before = tree_of(bot)
    assert cli.run(["apply", "-q", str(bot)]) == 0
    calls = []

    def once(self: Store, folder: str) -> None:
        calls.append(folder)
        if len(calls) == 1:
            refused()
        real(self, folder)

    real = Store.discard
    monkeypatch.setattr(Store, "discard", once)
    assert cli.run(["revert", str(bot)]) == 1
    err = capfd.readouterr().err
    assert "revert is done, but not its clean-up (Permission denied)" in err
    assert "nothing" not in err
    assert without_state(tree_of(bot)) == before


def test_a_guard_that_is_written_is_said(bot: Path, guard_file: Path, capfd: Capture) -> None:
    (bot / "bot.service").write_text(UNIT.format(root="/opt/bot"))
    words = ["guard", str(bot), "--unit", str(bot / "bot.service"), "--guard-file", str(guard_file)]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Store, "stage_layers", refused)
        assert cli.run(words) == 1
    err = capfd.readouterr().err
    assert "nothing more was written" in err
    assert "nothing was written" not in err
    assert guard_file.exists()
    assert cli.run(words) == 0


def test_what_a_kill_left_of_a_guard_goes(bot: Path, guard_file: Path) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "replace", refused)
        patch.setattr(os, "unlink", refused)  # as if killed: nothing cleans up
        with contextlib.suppress(OSError):
            cli.run(["guard", str(bot), "--guard-file", str(guard_file)])
    (guard_file.parent / "mine").write_text("not skillgen's")
    assert len(list(guard_file.parent.iterdir())) == 2
    assert cli.run(["guard", str(bot), "--guard-file", str(guard_file)]) == 0
    assert sorted(path.name for path in guard_file.parent.iterdir()) == ["guard.cjs", "mine"]


@pytest.fixture
def memory(bot: Path) -> Path:
    data = {"version": MEMORY_VERSION, "attempts": {}, "notBefore": 0, "verdict": {"code": 401}}
    file = bot / f"auth{SUFFIX}"
    file.write_text(json.dumps(data))
    return file


def test_a_reset_that_landed_is_said(
    bot: Path, memory: Path, monkeypatch: pytest.MonkeyPatch, capfd: Capture
) -> None:
    def lands(self: Tree, source: str, target: str) -> None:
        os.rename(self.root / source, self.root / target)
        refused()

    monkeypatch.setattr(Tree, "rename", lands)
    assert cli.run(["reset", str(bot)]) == 1
    assert "is written, but perhaps not on the disk yet" in capfd.readouterr().err
    assert json.loads(memory.read_text())["verdict"] is None


def test_a_refused_reset_leaves_nothing(
    bot: Path, memory: Path, monkeypatch: pytest.MonkeyPatch, capfd: Capture
) -> None:
    before = tree_of(bot)
    with monkeypatch.context() as patch:
        patch.setattr(Tree, "rename", refused)
        assert cli.run(["reset", str(bot)]) == 2
    assert "cannot be written" in capfd.readouterr().err
    assert tree_of(bot) == before
    with monkeypatch.context() as patch:
        patch.setattr(Tree, "rename", refused)
        patch.setattr(Store, "discard", refused)  # as if killed: nothing cleans up
        assert cli.run(["reset", str(bot)]) == 2
    assert tree_of(bot) != before
    assert cli.run(["status", "-q", str(bot)]) == 0
    assert tree_of(bot) == before


def test_a_reset_needs_no_key(bot: Path, memory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", "/proc/none")
    assert cli.run(["reset", "-q", str(bot)]) == 0
    assert json.loads(memory.read_text())["verdict"] is None
    assert sorted(path.name for path in bot.iterdir()) == [memory.name, "bot.mjs", "package.json"]


def test_without_a_home_a_guard_needs_a_place(
    bot: Path, guard_file: Path, monkeypatch: pytest.MonkeyPatch, capfd: Capture
) -> None:
    without_home(monkeypatch)
    monkeypatch.delenv("XDG_DATA_HOME", raising=False)
    (bot / "bot.service").write_text(
        UNIT.format(root="/opt/bot").replace("[Service]", "[Service]\nEnvironmentFile=%h/.env")
    )
    words = ["guard", str(bot), "--dry-run", "--unit", str(bot / "bot.service")]
    assert cli.run(words) == 2
    assert "no home folder is known" in capfd.readouterr().err
    assert cli.run([*words, "--guard-file", str(guard_file)]) == 0
    assert cli.run(["status", str(bot)]) == 0


@pytest.mark.parametrize("content", ["", "no element", "<", "<plist>"])
def test_a_property_list_without_anything(
    bot: Path, guard_file: Path, content: str, capfd: Capture
) -> None:
    (bot / "bot.plist").write_text(content)
    words = ["guard", str(bot), "--unit", str(bot / "bot.plist"), "--guard-file", str(guard_file)]
    assert cli.run(words) == 2
    err = capfd.readouterr().err
    assert "cannot be read as a property list" in err
    assert err.count("\n") == 1
    assert not guard_file.exists()


@pytest.mark.parametrize("odd", [{"layers": None}, {}, {"layers": [{"entries": [{"path": None}]}]}])
def test_a_sealed_record_of_another_shape(bot: Path, odd: dict[str, Any], capfd: Capture) -> None:
    from skill.transaction import key as keys

    assert cli.run(["apply", "-q", str(bot)]) == 0
    key = keys.load(bot)
    assert key is not None
    file = bot / ".skillgen/state.json"
    for data in ({"format": 2, "skillgen": "0.1.0", **odd}, odd):
        file.write_bytes(keys.seal(key, "state", data))
        before = tree_of(bot)
        capfd.readouterr()
        assert cli.run(["revert", str(bot)]) == 2
        err = capfd.readouterr().err
        assert "a defect of skillgen" not in err
        assert err.count("\n") == 1
        assert tree_of(bot) == before
