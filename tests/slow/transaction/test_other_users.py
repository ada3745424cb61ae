"""Root at work on the host of another user: neither acts on what the other recorded."""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from skill import transaction
from tests.quick.transaction.conftest import PATCHED, make_host, make_plan_by_hand, tree_of

pytestmark = pytest.mark.system
USER, OTHER = 23456, 23457
PATH = "src/channels/whatsapp.ts"


@pytest.fixture
def place(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder that every user can reach, with the homes of two users in it."""
    with tempfile.TemporaryDirectory() as folder:
        os.chmod(folder, 0o755)
        for user in (USER, OTHER):
            home = Path(folder, str(user))
            home.mkdir()
            os.chown(home, user, user)
        monkeypatch.setenv("XDG_STATE_HOME", str(Path(folder, "roots")))
        yield Path(folder)


@pytest.fixture
def host(place: Path) -> Path:
    root = make_host(place / "host")
    for path in (root, *root.rglob("*")):
        os.chown(path, USER, USER)
    return root


def as_user(user: int, place: Path, action: Callable[[], object]) -> int:
    """What a child of that user ends with: 0, or 2 where the record is refused."""
    child = os.fork()
    if child == 0:
        try:
            os.setgroups([])
            os.setgid(user)
            os.setuid(user)
            os.environ["XDG_STATE_HOME"] = str(place / str(user))
            action()
        except transaction.ForeignRecord as error:
            print(error, file=sys.stderr)
            os._exit(2)
        except BaseException as error:
            print(repr(error), file=sys.stderr)
            os._exit(1)
        os._exit(0)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def _require(true: bool) -> None:
    assert true


def test_roots_record_is_roots(host: Path, place: Path) -> None:
    before = tree_of(host)
    transaction.apply(make_plan_by_hand(host))
    assert (host / PATH).stat().st_uid == USER, "the file stays theirs"
    for file in (host / ".skillgen").rglob("*"):
        if file.is_file() and file.name != ".gitignore":
            status = file.stat()
            assert (status.st_uid, status.st_mode & 0o777) == (0, 0o600)
    patched = tree_of(host)
    assert as_user(USER, place, lambda: transaction.revert(host)) == 2
    assert as_user(USER, place, lambda: transaction.recover(host)) == 2
    assert as_user(USER, place, lambda: transaction.apply(make_plan_by_hand(host))) == 2
    assert as_user(USER, place, lambda: _require(transaction.applied(host) is None)) == 0
    assert tree_of(host) == patched
    transaction.revert(host)
    assert tree_of(host) == before


def test_a_user_can_remove_what_root_recorded(host: Path, place: Path) -> None:
    transaction.apply(make_plan_by_hand(host))
    assert as_user(USER, place, lambda: shutil.rmtree(host / ".skillgen")) == 0


def test_root_acts_on_no_users_record(host: Path, place: Path) -> None:
    plan = make_plan_by_hand(host)
    assert as_user(USER, place, lambda: transaction.apply(plan)) == 0
    patched = tree_of(host)
    assert (host / PATH).read_bytes() == PATCHED
    with pytest.raises(transaction.ForeignRecord, match="not a record of yours"):
        transaction.revert(host)
    with pytest.raises(transaction.ForeignRecord):
        transaction.recover(host)
    assert tree_of(host) == patched


def test_a_folder_of_a_third_user(host: Path, place: Path) -> None:
    """Even with the right seal: somebody else can have put it together."""
    transaction.apply(make_plan_by_hand(host))
    os.chown(host / ".skillgen", OTHER, OTHER)
    with pytest.raises(transaction.ForeignRecord, match="belongs to another user"):
        transaction.revert(host)


def test_a_state_folder_of_another_user_is_not_used(host: Path, place: Path) -> None:
    before = tree_of(host)
    for folder in (place / "roots", place / "roots/skillgen"):
        folder.mkdir()
        os.chown(folder, USER, USER)
        with pytest.raises(transaction.SkillgenError, match="belongs to another user"):
            transaction.apply(make_plan_by_hand(host))
        assert tree_of(host) == before
