"""The user's key: whole or not at all, the user's alone, and never one that a host brings."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from skill import cli, transaction
from skill.errors import SkillgenError
from skill.plan import Plan
from skill.transaction import key
from tests.quick.transaction.conftest import tree_of


def test_it_is_the_users_alone(state: Path, host: Path) -> None:
    umask = os.umask(0)
    try:
        made = key.load_or_make(host)
    finally:
        os.umask(umask)
    assert len(made) == 32
    assert key.load(host) == key.load_or_make(host) == made
    assert (state / "key").stat().st_mode & 0o777 == 0o600
    for folder in (state, state.parent, state.parent.parent):
        assert folder.stat().st_mode & 0o777 == 0o700
    assert sorted(os.listdir(state)) == ["key"]


def unsafe_key(state: Path) -> None:
    (state / "key").chmod(0o640)


def unsafe_folder(state: Path) -> None:
    state.chmod(0o770)


def short_key(state: Path) -> None:
    (state / "key").write_bytes(b"short")


def linked_key(state: Path) -> None:
    (state / "key").rename(state / "other")
    (state / "key").symlink_to("other")


def linked_folder(state: Path) -> None:
    state.rename(state.parent / "other")
    state.symlink_to("other")


def piped_key(state: Path) -> None:
    (state / "key").unlink()
    os.mkfifo(state / "key", 0o600)


def no_folder(state: Path) -> None:
    shutil.rmtree(state)
    state.write_text("a file\n")


SPOILT = (unsafe_key, unsafe_folder, short_key, linked_key, linked_folder, piped_key, no_folder)


@pytest.mark.parametrize("spoil", SPOILT, ids=lambda spoil: spoil.__name__)
def test_one_that_cannot_be_trusted_is_not_used(
    state: Path,
    host: Path,
    spoil: Callable[[Path], None],
    plan_for: Callable[[Path], Plan],
    tmp_path: Path,
) -> None:
    other = shutil.copytree(host, tmp_path / "other")
    transaction.apply(plan_for(host))
    patched, clean = tree_of(host), tree_of(other)
    spoil(state)
    with pytest.raises(transaction.ForeignRecord) as refused:
        transaction.revert(host)
    assert "\n" not in str(refused.value)
    with pytest.raises(SkillgenError) as error:
        transaction.apply(plan_for(other))
    assert str(state) in str(error.value), "what to mend"
    assert (tree_of(host), tree_of(other)) == (patched, clean)


def without_home(monkeypatch: pytest.MonkeyPatch) -> None:
    def nobody(_user: int) -> None:
        raise KeyError

    monkeypatch.delenv("HOME")
    monkeypatch.setattr("pwd.getpwuid", nobody)


def test_without_a_place_for_it_nothing_is_applied(
    host: Path,
    monkeypatch: pytest.MonkeyPatch,
    plan_for: Callable[[Path], Plan],
    capfd: pytest.CaptureFixture[str],
) -> None:
    """There would be no way back."""
    monkeypatch.delenv("XDG_STATE_HOME")
    before = tree_of(host)
    with monkeypatch.context() as patch:
        without_home(patch)
        with pytest.raises(SkillgenError, match="set XDG_STATE_HOME"):
            transaction.apply(plan_for(host))
        assert cli.run(["install", str(host)]) == 2
        for command in ("inspect", "status", "reset", "revert", "apply --dry-run"):
            assert cli.run([*command.split(), str(host)]) == 0, "these need none"
    monkeypatch.setenv("HOME", "/proc/none")
    with pytest.raises(SkillgenError, match=r"/proc/none.*set XDG_STATE_HOME"):
        transaction.apply(plan_for(host))
    assert "Traceback" not in capfd.readouterr().err
    assert tree_of(host) == before


def test_a_relative_state_home_counts_for_nothing(
    host: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It would depend on the current folder, which may be the host."""
    monkeypatch.setenv("XDG_STATE_HOME", "state")
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.chdir(host)
    key.load_or_make(host)
    assert (tmp_path / ".local/state/skillgen/key").exists()


@pytest.mark.parametrize("where", ["state", "a/link/state"])
def test_a_place_in_the_host_is_refused(
    host: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, where: str
) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "a/link").symlink_to(host)
    base = host / where if where == "state" else tmp_path / where
    monkeypatch.setenv("XDG_STATE_HOME", str(base))
    with pytest.raises(SkillgenError, match="lies in the host"):
        key.load_or_make(host)
    with pytest.raises(SkillgenError, match="lies in the host"):
        key.load(host)


def test_under_sudo_the_home_is_roots(
    host: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """sudo may keep HOME; root's key in a user's home would be in that user's hands."""
    monkeypatch.delenv("XDG_STATE_HOME")
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setattr("os.geteuid", lambda: 0)
    monkeypatch.setattr("skill.transaction.key._owner", lambda _path: 1000)
    roots = tmp_path / "root"
    entry = type("Entry", (), {"pw_dir": str(roots)})
    monkeypatch.setattr("pwd.getpwuid", lambda _user: entry)
    with pytest.raises(SkillgenError, match="belongs to another user"):
        key.load_or_make(host)
    assert not (tmp_path / ".local").exists()
    monkeypatch.setattr(
        "skill.transaction.key._owner", lambda path: 1000 if path == str(tmp_path) else 0
    )
    assert key._home() == roots


def test_a_seal_holds_every_byte(host: Path) -> None:
    own = b"k" * 32
    sealed = key.seal(own, "journal", {"format": 2, "text": "é\n"})
    assert key.unseal(own, "journal", sealed) == {
        "mac": sealed[11:75].decode(),
        "format": 2,
        "text": "é\n",
    }
    assert key.unseal(own, "state", sealed) is None
    assert key.unseal(b"l" * 32, "journal", sealed) is None
    for at in range(len(sealed)):
        changed = sealed[:at] + bytes([sealed[at] ^ 1]) + sealed[at + 1 :]
        assert key.unseal(own, "journal", changed) is None
    assert key.unseal(own, "journal", sealed + b" ") is None
    assert key.unseal(own, "journal", sealed[:-1]) is None
