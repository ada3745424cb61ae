"""What a clone, an archive or another user puts into a host makes no command do anything.

Each attack is planted in a host with a git repository, and every command runs over it.
Nothing may change then: not the host, not ``.git``, not what lies beside the host.
"""

from __future__ import annotations

import hashlib
import json
import os
import stat
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from skill import cli
from tests.quick.cli.conftest import committed, examine, module_identity

EVIL = b"#!/bin/sh\ntouch /tmp/evil\n"
COMMANDS = {
    "inspect": 1,
    "check": 1,
    "apply --dry-run": 0,
    "apply": 2,
    "status": 1,
    "revert": 2,
    "reset": 0,
    "install": 2,
    "install --remove": 0,
    "simulate": 2,
}
Photo = dict[str, tuple[int, object]]


def photo(root: Path) -> Photo:
    """Everything below ``root``: type, mode and content; no pipe is opened, no link followed."""
    found: Photo = {}
    for folder, folders, files in os.walk(root):
        for name in (*folders, *files):
            path = Path(folder, name)
            status = path.lstat()
            content: object = None
            if stat.S_ISLNK(status.st_mode):
                content = os.readlink(path)
            elif stat.S_ISREG(status.st_mode):
                content = path.read_bytes() if status.st_size < 2_000_000 else status.st_size
            found[str(path.relative_to(root))] = (status.st_mode, content)
    return found


def sha(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


@pytest.fixture(autouse=True)
def small_codemod(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("modify.examine", examine)
    monkeypatch.setattr("skill.render.typescript.module_identity", module_identity)


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """With a key, as of a user who has patched another host before."""
    home = tmp_path / "home"
    home.mkdir()
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.delenv("XDG_STATE_HOME", raising=False)
    other = tmp_path / "other"
    other.mkdir()
    (other / "a.bot.ts").write_text("connect();\n")
    assert cli.run(["apply", "-q", str(other)]) == 0
    return home


@pytest.fixture
def host(tmp_path: Path, home: Path) -> Path:
    root = tmp_path / "a host"
    (root / "src").mkdir(parents=True)
    (root / "empty").mkdir()
    (root / "src/a.bot.ts").write_text("connect();\n")
    (root / "README.md").write_text("a host\n")
    (root / "run.sh").write_bytes(EVIL)
    subprocess.run(["git", "init", "-q", root], check=True)
    return root


Seal = Callable[[Path, str, dict[str, Any]], bytes]


def unsealed(_root: Path, _kind: str, data: dict[str, Any]) -> bytes:
    """As skillgen wrote it before records were sealed."""
    return json.dumps({"format": 1, "skillgen": "0.1.0", **data}).encode()


def sealed_by_another(_root: Path, kind: str, data: dict[str, Any]) -> bytes:
    from skill.transaction import key

    return key.seal(b"another key of 32 bytes.........", kind, {"format": 2, **data})


def sealed_as_another_kind(root: Path, kind: str, data: dict[str, Any]) -> bytes:
    """With the user's own key even, as nobody could: as a state where a journal belongs."""
    from skill.transaction import key

    own = key.load(root)
    assert own
    other = {"journal": "state", "state": "journal"}[kind]
    return key.seal(own, other, {"format": 2, "skillgen": "0.1.0", **data})


SEALS: dict[str, Seal] = {
    "not sealed": unsealed,
    "sealed by another": sealed_by_another,
    "sealed as another kind": sealed_as_another_kind,
}


def step(path: str, before: bytes | None, after: bytes | None, staged: str | None) -> Any:
    hashes = [None if content is None else sha(content) for content in (before, after)]
    return {
        "path": path,
        "before": hashes[0],
        "after": hashes[1],
        "staged": staged,
        "mode": 0o755,
        "owner": [os.geteuid(), os.getegid()],
    }


def journal(phase: str, *steps: Any, **more: Any) -> dict[str, Any]:
    more = {"made": [], "emptied": [], **more}
    return {"verb": "apply", "phase": phase, "token": "deadbeef", "steps": steps, **more}


def layers(*entries: Any) -> dict[str, Any]:
    return {"layers": [{"skillgen": "0.1.0", "entries": entries, "folders": ["empty"]}]}


def entry(path: str, before: bytes | None, after: bytes) -> Any:
    hashed = None if before is None else sha(before)
    return {"path": path, "before": hashed, "after": sha(after), "rules": []}


def plant(root: Path, seal: Seal, *contents: bytes, **files: dict[str, Any]) -> None:
    """A state folder with objects, and with files of that name: ``journal``, ``state``, …"""
    (root / ".skillgen/objects").mkdir(parents=True)
    (root / ".skillgen/.gitignore").write_text("*\n")
    for content in contents:
        (root / ".skillgen/objects" / sha(content)).write_bytes(content)
    names = {"journal": "journal.json", "state": "state.json", "following": "state.next"}
    for name, data in files.items():
        kind = "state" if name == "following" else name
        (root / ".skillgen" / names[name]).write_bytes(seal(root, kind, data))


def a_hook(root: Path, seal: Seal) -> None:
    steps = step(".git/hooks/pre-commit", None, EVIL, "run.sh")
    plant(root, seal, journal=journal("committing", steps), following=layers())


def a_hook_in_our_form(root: Path, seal: Seal) -> None:
    staged = ".git/hooks/.skillgen-deadbeef-0"
    (root / staged).write_bytes(EVIL)
    steps = step(".git/hooks/pre-commit", None, EVIL, staged)
    plant(root, seal, journal=journal("committing", steps), following=layers())


def a_host_file_replaced(root: Path, seal: Seal) -> None:
    (root / "src/.skillgen-deadbeef-0").write_bytes(EVIL)
    old = (root / "src/a.bot.ts").read_bytes()
    steps = step("src/a.bot.ts", old, EVIL, "src/.skillgen-deadbeef-0")
    plant(root, seal, journal=journal("committing", steps), following=layers())


def a_host_file_deleted(root: Path, seal: Seal) -> None:
    steps = step("README.md", None, (root / "README.md").read_bytes(), None)
    plant(root, seal, journal=journal("undoing", steps))


def a_host_file_deleted_as_staged(root: Path, seal: Seal) -> None:
    plant(root, seal, journal=journal("staging", step("none", None, EVIL, "README.md")))


def folders_removed(root: Path, seal: Seal) -> None:
    plant(root, seal, journal=journal("undoing", made=["empty", ".git/refs/tags"]))


def an_original_put_back(root: Path, seal: Seal) -> None:
    plant(root, seal, EVIL, journal=journal("undoing", step("README.md", EVIL, b"a host\n", None)))


def settings_of_git_overwritten(root: Path, seal: Seal) -> None:
    evil, held = b"[core]\n\tfsmonitor = evil\n", (root / ".git/config").read_bytes()
    plant(root, seal, evil, held, state=layers(entry(".git/config", evil, held)))


def a_host_file_overwritten(root: Path, seal: Seal) -> None:
    held = (root / "README.md").read_bytes()
    plant(root, seal, EVIL, held, state=layers(entry("README.md", EVIL, held)))


def a_host_file_removed_by_revert(root: Path, seal: Seal) -> None:
    held = (root / "README.md").read_bytes()
    plant(root, seal, held, state=layers(entry("README.md", None, held)))


def a_file_outside(root: Path, seal: Seal) -> None:
    victim = root.parent / "other/a.bot.ts"
    held = victim.read_bytes()
    plant(root, seal, EVIL, held, state=layers(entry("../other/a.bot.ts", EVIL, held)))


def leftovers_without_a_record(root: Path, seal: Seal) -> None:
    plant(root, seal, b"precious")
    (root / ".skillgen/conflicts").mkdir()
    (root / ".skillgen/conflicts/precious").write_text("precious\n")


def nothing_at_all(root: Path, _seal: Seal) -> None:
    (root / ".skillgen").mkdir()


def a_folder_on_its_way(root: Path, seal: Seal) -> None:
    plant(root, seal, journal=journal("committing"))
    (root / ".skillgen").rename(root / f".skillgen.{'0' * 16}.{'0' * 64}")
    plant(root, seal)


def a_link(root: Path, seal: Seal) -> None:
    elsewhere = root.parent / "elsewhere"
    elsewhere.mkdir()
    a_host_file_deleted(root, seal)
    (root / ".skillgen").rename(elsewhere / "state")
    (root / ".skillgen").symlink_to(elsewhere / "state")


def a_link_to_nothing(root: Path, _seal: Seal) -> None:
    (root / ".skillgen").symlink_to(root.parent / "nothing")


def a_file(root: Path, _seal: Seal) -> None:
    (root / ".skillgen").write_text("x")


def a_pipe(root: Path, _seal: Seal) -> None:
    os.mkfifo(root / ".skillgen")


def pipes(root: Path, seal: Seal) -> None:
    plant(root, seal)
    for name in ("journal.json", "state.json", "state.next"):
        os.mkfifo(root / ".skillgen" / name)


def links_to_a_record(root: Path, seal: Seal) -> None:
    plant(root, seal)
    genuine = root.parent / "other/.skillgen/state.json"
    for name in ("journal.json", "state.json", "state.next"):
        (root / ".skillgen" / name).symlink_to(genuine)


def folders_for_files(root: Path, seal: Seal) -> None:
    plant(root, seal)
    for name in ("journal.json", "state.json", "state.next"):
        (root / ".skillgen" / name / "a").mkdir(parents=True)


def json_without_end(root: Path, seal: Seal) -> None:
    plant(root, seal)
    (root / ".skillgen/journal.json").write_bytes(b'{"a":' * 300_000)


def json_of_terabytes(root: Path, seal: Seal) -> None:
    plant(root, seal)
    with (root / ".skillgen/state.json").open("wb") as stream:
        stream.truncate(1 << 42)


def json_twice(root: Path, seal: Seal) -> None:
    """A key twice: a reader of the last one and a reader of the first one differ."""
    plant(root, seal, journal=journal("undoing"))
    file = root / ".skillgen/journal.json"
    doubled = file.read_bytes().rstrip()[:-1] + b', "steps": [], "mac": "' + b"0" * 64 + b'"}'
    file.write_bytes(doubled)


def names_that_act_on_a_terminal(root: Path, seal: Seal) -> None:
    plant(root, seal, state=layers(entry("\x1b]0;evil\x07\x1b[2J", None, EVIL)))


ATTACKS = (
    a_hook,
    a_hook_in_our_form,
    a_host_file_replaced,
    a_host_file_deleted,
    a_host_file_deleted_as_staged,
    folders_removed,
    an_original_put_back,
    settings_of_git_overwritten,
    a_host_file_overwritten,
    a_host_file_removed_by_revert,
    a_file_outside,
    leftovers_without_a_record,
    nothing_at_all,
    a_folder_on_its_way,
    a_link,
    a_link_to_nothing,
    a_file,
    a_pipe,
    pipes,
    links_to_a_record,
    folders_for_files,
    json_without_end,
    json_of_terabytes,
    json_twice,
    names_that_act_on_a_terminal,
)


@pytest.mark.parametrize("attack", ATTACKS, ids=lambda attack: attack.__name__)
@pytest.mark.parametrize("seal", SEALS)
def test_no_command_acts_on_it(
    host: Path,
    attack: Callable[[Path, Seal], None],
    seal: str,
    capfd: pytest.CaptureFixture[str],
) -> None:
    attack(host, SEALS[seal])
    before = photo(host.parent)
    for command, expected in COMMANDS.items():
        code = cli.run([*command.split(), str(host)])
        said = capfd.readouterr()
        assert photo(host.parent) == before, command
        assert code == expected, (command, said)
        about = [line for line in said.err.splitlines() if ".skillgen: " in line]
        assert len(about) == 1, "it is named, once"
        assert "git" in about[0]
        assert "\x1b" not in said.err
        assert "Traceback" not in said.err
        assert "defect" not in said.err


def test_moved_away_it_no_longer_stands_in_the_way(host: Path) -> None:
    a_hook(host, unsealed)
    assert cli.run(["apply", str(host)]) == 2
    (host / ".skillgen").rename(host.parent / "moved away")
    assert cli.run(["apply", str(host)]) == 0
    assert cli.run(["revert", str(host)]) == 0
    assert not (host / ".skillgen").exists()


def test_a_record_of_before_records_were_sealed_is_refused(
    host: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """Nobody could tell it from a forged one, so it is refused, with the way back."""
    old = (host / "src/a.bot.ts").read_bytes()
    assert cli.run(["apply", str(host)]) == 0
    patched = (host / "src/a.bot.ts").read_bytes()
    entries = entry("src/a.bot.ts", old, patched)
    state = unsealed(host, "state", layers(entries))
    (host / ".skillgen/state.json").write_bytes(state)
    committed(host)
    before = photo(host)
    capfd.readouterr()
    assert cli.run(["revert", str(host)]) == 2
    assert "git revert $(git log" in capfd.readouterr().err
    assert photo(host) == before


def test_a_published_record_that_a_clone_brings_back(
    host: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    assert cli.run(["apply", str(host)]) == 0
    git = ["git", "-C", str(host), "-c", "user.name=a", "-c", "user.email=a@b"]
    subprocess.run([*git, "add", "-A"], check=True)
    subprocess.run([*git, "add", "-f", ".skillgen"], check=True)
    subprocess.run([*git, "commit", "-qm", "all"], check=True)
    clone = tmp_path / "clone"
    subprocess.run(["git", "clone", "-q", host, clone], check=True)
    before = photo(tmp_path)
    capfd.readouterr()
    for command in ("status", "revert", "install"):
        assert cli.run([command, str(clone)]) > 0
        assert "tracked by git" in capfd.readouterr().err
    assert photo(tmp_path) == before
    subprocess.run(["git", "-C", clone, "rm", "-rq", "--cached", ".skillgen"], check=True)
    assert cli.run(["revert", str(clone)]) == 0, "as it said"
    assert (clone / "src/a.bot.ts").read_text() == "connect();\n"


def test_a_host_that_brings_a_key(
    host: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """A bot whose folder is the home of its user, as in many containers."""
    own = host / ".local/state/skillgen"
    own.mkdir(parents=True, mode=0o700)
    (own / "key").write_bytes(b"x" * 32)
    (own / "key").chmod(0o600)
    from skill.transaction import key

    def with_that_key(_root: Path, kind: str, data: dict[str, Any]) -> bytes:
        return key.seal(b"x" * 32, kind, {"format": 2, "skillgen": "0.1.0", **data})

    a_host_file_replaced(host, with_that_key)
    monkeypatch.setenv("HOME", str(host))
    before = photo(host.parent)
    for command, expected in COMMANDS.items():
        assert cli.run([*command.split(), str(host)]) == expected
        assert "lies in the host" in capfd.readouterr().err
    assert photo(host.parent) == before


def test_what_ours_names_is_checked_all_the_same(host: Path) -> None:
    """A seal of the user's own key over what no plan of ours would write."""
    from skill.transaction import key

    def seal(root: Path, kind: str, data: dict[str, Any]) -> bytes:
        own = key.load(root)
        assert own
        return key.seal(own, kind, {"format": 2, "skillgen": "0.1.0", **data})

    for attack in (a_hook, a_hook_in_our_form, folders_removed, settings_of_git_overwritten):
        attack(host, seal)
        before = photo(host.parent)
        for command in COMMANDS:
            cli.run([*command.split(), str(host)])
            assert photo(host.parent / "a host/.git") == photo(host / ".git")
            assert photo(host.parent) == before, (attack, command)
        subprocess.run(["rm", "-r", host / ".skillgen"], check=True)


def test_a_staged_file_is_known_by_its_hash(host: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Killed between staging and the renames; then somebody changes what is staged."""
    real = os.rename

    def rename(source: str, target: str, **options: int) -> None:
        if target == "a.bot.ts":
            raise KeyboardInterrupt
        real(source, target, **options)

    monkeypatch.setattr(os, "rename", rename)
    assert cli.run(["apply", str(host)]) == 130
    monkeypatch.setattr(os, "rename", real)
    [staged] = (host / "src").glob(".skillgen-*")
    staged.write_bytes(EVIL)
    assert cli.run(["status", str(host)]) == 0
    assert (host / "src/a.bot.ts").read_text() == "connect();\n"
    assert not list(host.rglob(".skillgen*"))
