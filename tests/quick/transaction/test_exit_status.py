"""Exit status 2 says that nothing was written; what fails after that is 1, and says what is so."""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from skill import cli
from skill.transaction.journal import Store
from tests.quick.cli.conftest import examine
from tests.quick.transaction.conftest import tree_of, without_state

commit = sys.modules["skill.transaction.commit"]
pytestmark = pytest.mark.usefixtures("codemod")


@pytest.fixture
def codemod(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("modify.examine", examine)
    monkeypatch.setattr("modify.verify", lambda *_: None, raising=False)


@pytest.fixture
def bot(tmp_path: Path) -> Path:
    root = tmp_path / "bot"
    (root / "src").mkdir(parents=True)
    (root / "package.json").write_text("{}")
    (root / "src/a.bot.ts").write_text("connect();\n")
    return root


def full(*_: object) -> Iterator[None]:
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def test_before_the_commit_point_nothing_is_written(
    bot: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    before = without_state(tree_of(bot))
    monkeypatch.setattr(Store, "stage_layers", full)
    assert cli.run(["apply", str(bot)]) == 2
    assert "nothing was written" in capfd.readouterr().err
    assert without_state(tree_of(bot)) == before


def test_a_clean_up_that_fails_is_no_refusal(
    bot: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    with monkeypatch.context() as broken:
        broken.setattr(Store, "tidy", full)
        assert cli.run(["apply", str(bot)]) == 1
    err = capfd.readouterr().err
    assert "apply is done, but not its clean-up" in err
    assert "was changed before that; see skillgen status" in err
    assert "nothing was written" not in err
    assert "turn();" in (bot / "src/a.bot.ts").read_text()
    assert cli.run(["status", "-q", str(bot)]) == 0


def test_what_is_cut_short_is_no_refusal(
    bot: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    with monkeypatch.context() as broken:
        broken.setattr(commit, "finish", full)
        broken.setattr(commit, "undo", full)
        assert cli.run(["apply", str(bot)]) == 1
    assert "was cut short" in capfd.readouterr().err
    assert cli.run(["status", "-q", str(bot)]) == 0, "settled"


def test_a_failure_after_the_commit(
    bot: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """What is printed at the end cannot be: the host is changed all the same."""
    with monkeypatch.context() as broken:
        broken.setattr("skill.commands.hosts.next_steps", full)
        assert cli.run(["apply", str(bot)]) == 1
    assert "turn();" in (bot / "src/a.bot.ts").read_text()


def test_a_settled_host_is_a_changed_one(
    bot: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """The next command brings the host to before or after, and then cannot go on itself."""
    with monkeypatch.context() as broken:
        broken.setattr(commit, "finish", full)
        broken.setattr(commit, "undo", full)
        assert cli.run(["apply", str(bot)]) == 1
    (bot / "src/b.bot.ts").write_text("<<<<<<< merge\n")
    assert cli.run(["apply", str(bot)]) == 1
    err = capfd.readouterr().err
    assert "an earlier apply was cut short" in err
    # And one that finds nothing to settle has written nothing.
    assert cli.run(["apply", str(bot)]) == 2
