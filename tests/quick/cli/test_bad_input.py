"""Whatever a user hands it: one line, the right status, nothing written."""

from __future__ import annotations

import errno
import fcntl
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from skill import transaction
from skill.plan import Plan
from tests.quick.cli.conftest import Outcome, Skillgen, content_of

CHANNEL = "src/whats app.bot.ts"


def assert_refused(outcome: Outcome, *texts: str) -> None:
    assert outcome.code == 2
    assert outcome.err.startswith("skillgen: ")
    assert outcome.err.count("\n") == 1, "one line"
    assert "Traceback" not in outcome.err
    for text in texts:
        assert text in outcome.err


@pytest.fixture
def unchanged(host: Path) -> Iterator[None]:
    """The host ends as the test left it before the last command."""
    before = content_of(host)
    yield
    now = content_of(host)
    assert {path: now[path] for path in before if path in now} == {
        path: file for path, file in before.items() if path in now
    }
    assert not any("skillgen" in path for path in now), "nothing is left behind"


@pytest.mark.parametrize("command", ["inspect", "apply", "check", "revert", "status", "reset"])
def test_no_such_path(skillgen: Skillgen, tmp_path: Path, command: str) -> None:
    assert_refused(skillgen(command, tmp_path / "none"), "no such folder")


@pytest.mark.parametrize("command", ["inspect", "apply", "check", "revert", "status", "reset"])
def test_a_file_instead_of_a_folder(skillgen: Skillgen, host: Path, command: str) -> None:
    assert_refused(skillgen(command, host / "README.md"), "is a file")


@pytest.mark.parametrize("command", ["inspect", "apply", "check"])
def test_a_folder_without_a_channel(skillgen: Skillgen, tmp_path: Path, command: str) -> None:
    (tmp_path / "main.py").write_text("print('hello')\n")
    outcome = skillgen(command, tmp_path)
    assert outcome.code == 0
    assert "nothing to do" in outcome.out
    assert [path.name for path in tmp_path.iterdir()] == ["main.py"]


@pytest.mark.parametrize("command", ["inspect", "apply", "check", "simulate"])
@pytest.mark.parametrize("path", [None, "notes/README.md", "node_modules/baileys/package.json"])
def test_a_folder_without_a_project(
    skillgen: Skillgen, tmp_path: Path, command: str, path: str | None
) -> None:
    if path is not None:
        (tmp_path / path).parent.mkdir(parents=True)
        (tmp_path / path).write_text("{}\n")
    before = content_of(tmp_path)
    assert_refused(skillgen(command, tmp_path), "no project here", str(tmp_path))
    assert content_of(tmp_path) == before


@pytest.mark.parametrize("path", ["package.json", "bot.mjs", "src/bot.py"])
def test_any_source_is_a_project(skillgen: Skillgen, tmp_path: Path, path: str) -> None:
    (tmp_path / path).parent.mkdir(exist_ok=True)
    (tmp_path / path).write_text("{}\n")
    assert skillgen("inspect", tmp_path).code == 0


@pytest.mark.parametrize("command", ["inspect", "apply", "check"])
def test_an_unreadable_source_stops_everything(
    skillgen: Skillgen, host: Path, command: str
) -> None:
    (host / "src/other.bot.ts").write_text("x\n<<<<<<< ours\n")
    before = content_of(host)
    assert_refused(skillgen(command, host), "src/other.bot.ts:2: merge markers")
    assert content_of(host) == before


def test_a_result_that_does_not_parse_stops_everything(
    skillgen: Skillgen, host: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def verify(path: str, _before: bytes | None, _after: bytes | None) -> None:
        if path == CHANNEL:
            raise transaction.SkillgenError(f"{path}: would not parse")

    monkeypatch.setattr("modify.verify", verify)
    before = content_of(host)
    assert_refused(skillgen("apply", host), "would not parse")
    assert content_of(host) == before


def test_a_file_changed_since_the_plan(
    skillgen: Skillgen, host: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = transaction.apply

    def late(plan: Plan) -> None:
        (host / CHANNEL).write_text("edited in between\n")
        real(plan)

    monkeypatch.setattr(transaction, "apply", late)
    assert_refused(skillgen("apply", host), f"{CHANNEL}: changed since the plan")
    assert (host / CHANNEL).read_text() == "edited in between\n"
    assert not (host / "src/added.ts").exists()
    assert not (host / ".skillgen").exists()


def test_a_file_that_appeared_since_the_plan(
    skillgen: Skillgen, host: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = transaction.apply

    def late(plan: Plan) -> None:
        (host / "src/added.ts").write_text("mine\n")
        real(plan)

    monkeypatch.setattr(transaction, "apply", late)
    assert_refused(skillgen("apply", host), "src/added.ts: changed since the plan")
    assert (host / "src/added.ts").read_text() == "mine\n"


def test_an_added_name_that_is_taken(skillgen: Skillgen, host: Path) -> None:
    (host / "src/added.ts").write_text("mine\n")
    assert_refused(skillgen("apply", host), "src/added.ts", "rename it")


def test_another_skillgen_at_work(skillgen: Skillgen, host: Path) -> None:
    folder = os.open(host, os.O_RDONLY)
    fcntl.flock(folder, fcntl.LOCK_EX)
    try:
        assert_refused(skillgen("apply", host), "another skillgen is at work")
        assert not (host / ".skillgen").exists()
        assert skillgen("apply", "--dry-run", host).code == 0
    finally:
        os.close(folder)
    assert skillgen("apply", host).code == 0


@pytest.mark.usefixtures("unchanged")
@pytest.mark.parametrize("options", [(), ("--dry-run",)])
def test_a_read_only_file(skillgen: Skillgen, host: Path, options: tuple[str, ...]) -> None:
    (host / CHANNEL).chmod(0o444)
    assert_refused(skillgen("apply", *options, host), CHANNEL, "read-only")
    (host / CHANNEL).chmod(0o755)


@pytest.mark.usefixtures("unchanged")
def test_a_read_only_folder(skillgen: Skillgen, host: Path) -> None:
    (host / "src").chmod(0o555)
    assert_refused(skillgen("apply", host), "src: this folder is read-only")
    (host / "src").chmod(0o755)


def test_a_link_in_place_of_a_folder_since_the_plan(
    skillgen: Skillgen, host: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    outside = tmp_path / "outside"
    real = transaction.apply

    def late(plan: Plan) -> None:
        (host / "src").rename(outside)
        (host / "src").symlink_to(outside)
        real(plan)

    monkeypatch.setattr(transaction, "apply", late)
    assert_refused(skillgen("apply", host), "follows no links")
    assert sorted(path.name for path in outside.iterdir()) == ["whats app.bot.ts"]
    assert b"turn()" not in (outside / "whats app.bot.ts").read_bytes()


def test_links_are_not_followed(skillgen: Skillgen, host: Path, tmp_path: Path) -> None:
    outside = tmp_path / "outside.bot.ts"
    outside.write_text("connect();\n")
    (host / "src/link.bot.ts").symlink_to(outside)
    assert skillgen("apply", host).code == 0
    assert outside.read_text() == "connect();\n"


def test_an_added_file_does_not_go_through_a_dangling_link(
    skillgen: Skillgen, host: Path, tmp_path: Path
) -> None:
    (host / "src/added.ts").symlink_to(tmp_path / "not there.ts")
    assert_refused(skillgen("apply", host), "src/added.ts", "link")
    assert not (tmp_path / "not there.ts").exists()
    assert b"turn()" not in (host / CHANNEL).read_bytes()


def test_a_state_folder_that_leads_out(skillgen: Skillgen, host: Path, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (host / ".skillgen").symlink_to(outside)
    assert_refused(skillgen("apply", host), ".skillgen", "link")
    assert list(outside.iterdir()) == []


def test_a_state_that_names_files_outside(skillgen: Skillgen, host: Path, tmp_path: Path) -> None:
    victim = tmp_path / "victim"
    victim.write_text("mine\n")
    skillgen("apply", host)
    for name in ("state.json", "journal.json"):
        state = (host / ".skillgen/state.json").read_text()
        hostile = state.replace(CHANNEL, "../victim")
        (host / ".skillgen" / name).write_text(hostile)
        for command, code in (("revert", 2), ("status", 1)):
            outcome = skillgen(command, host)
            assert outcome.code == code
            assert ".skillgen: is not a record of yours" in outcome.err
        assert victim.read_text() == "mine\n"


@pytest.mark.parametrize(
    "arguments",
    [("bogus",), ("apply", "--bogus"), ("apply", "--start-limit", "x"), ("rule", "bogus")],
)
def test_wrong_words(skillgen: Skillgen, arguments: tuple[str, ...]) -> None:
    assert_refused(skillgen(*arguments))


def test_a_defect_is_one_line(
    skillgen: Skillgen, host: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_arguments: object) -> None:
        raise RuntimeError("boom\nsecond line")

    monkeypatch.setattr("modify.examine", broken)
    assert_refused(skillgen("inspect", host), "RuntimeError: boom", "report")
    monkeypatch.setenv("SKILLGEN_DEBUG", "1")
    with pytest.raises(RuntimeError):
        skillgen("inspect", host)


@pytest.mark.parametrize(
    ("error", "code"), [(KeyboardInterrupt(), 130), (PermissionError(errno.EACCES, "no"), 2)]
)
def test_interrupted(
    skillgen: Skillgen,
    host: Path,
    monkeypatch: pytest.MonkeyPatch,
    error: BaseException,
    code: int,
) -> None:
    def stop(*_arguments: object) -> None:
        raise error

    monkeypatch.setattr("modify.examine", stop)
    outcome = skillgen("inspect", host)
    assert outcome.code == code
    # click ends the line on which a terminal shows ^C.
    assert outcome.err.removeprefix("\n").count("\n") == 1
