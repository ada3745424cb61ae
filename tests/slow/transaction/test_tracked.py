"""What git tracks is read from its index in every form that git writes, without running git."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from skill.transaction.tracked import is_tracked

FORMS = {
    "version 2": [],
    "version 4": ["index.version=4"],
    "version 4, many files": ["feature.manyFiles=true"],
    "split": ["core.splitIndex=true", "splitIndex.maxPercentChange=100"],
    "no checksum": ["index.skipHash=true"],
}


def git(folder: Path, *words: str, settings: list[str] | None = None) -> None:
    options = [word for setting in settings or [] for word in ("-c", setting)]
    identity = ["-c", "user.name=a", "-c", "user.email=a@b"]
    subprocess.run(["git", *options, *identity, *words], cwd=folder, check=True)


def fill(folder: Path) -> None:
    names = [f"{'x' * length}/.skillgenerate-{length}" for length in range(1, 20)]
    for name in (*names, ".skillgen.txt", ".skip", ".skillgem/a", "b", "docs/.skillgen/a"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(name)


def with_record(folder: Path) -> None:
    (folder / ".skillgen").mkdir(parents=True)
    (folder / ".skillgen/state.json").write_text("{}")


@pytest.mark.parametrize("algorithm", ["sha1", "sha256"])
@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("below", ["", "packages/bot"])
def test_in_every_form(tmp_path: Path, form: str, algorithm: str, below: str) -> None:
    settings = FORMS[form]
    git(tmp_path, "init", "-q", f"--object-format={algorithm}")
    host = tmp_path / below
    host.mkdir(parents=True, exist_ok=True)
    fill(tmp_path)
    fill(host)
    git(tmp_path, "add", "-A", settings=settings)
    with_record(host)
    assert not is_tracked(host, ".skillgen")
    git(tmp_path, "add", "-f", str(host / ".skillgen"), settings=settings)
    (tmp_path / "later").write_text("x")
    git(tmp_path, "add", "later", settings=settings)
    assert is_tracked(host, ".skillgen")
    git(tmp_path, "commit", "-qm", "x", settings=settings)
    assert is_tracked(host, ".skillgen")
    if form != "split":  # there, the shared part still lists it
        git(tmp_path, "rm", "-rq", "--cached", str(host / ".skillgen"), settings=settings)
        assert not is_tracked(host, ".skillgen")


def test_an_entry_with_more_flags(tmp_path: Path) -> None:
    """Version 3."""
    git(tmp_path, "init", "-q")
    fill(tmp_path)
    git(tmp_path, "add", "-N", ".")
    assert (tmp_path / ".git/index").read_bytes()[7] == 3
    assert not is_tracked(tmp_path, ".skillgen")
    with_record(tmp_path)
    git(tmp_path, "add", "-N", ".")
    assert is_tracked(tmp_path, ".skillgen")


def test_in_a_worktree_and_in_a_submodule(tmp_path: Path) -> None:
    inner, outer = tmp_path / "inner", tmp_path / "outer"
    for folder in (inner, outer):
        folder.mkdir()
        git(folder, "init", "-q")
        with_record(folder)
        git(folder, "add", "-A")
        git(folder, "commit", "-qm", "x")
    git(outer, "rm", "-rqf", ".skillgen")
    git(outer, "submodule", "add", "-q", str(inner), "sub", settings=["protocol.file.allow=always"])
    assert (outer / "sub/.git").is_file()
    assert is_tracked(outer / "sub", ".skillgen")
    assert not is_tracked(outer, ".skillgen")
    git(inner, "worktree", "add", "-q", str(tmp_path / "tree"), "-b", "other")
    assert is_tracked(tmp_path / "tree", ".skillgen")


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"DIRC",
        b"DIRC\0\0\0\2\xff\xff\xff\xff",
        b"DIRC\0\0\0\4\0\0\0\1" + b"\0" * 62 + b"\xff" * 40,
        b"DIRC\0\0\0\2\0\0\0\0link\xff\xff\xff\xff" + b"\0" * 60,
        b"DIRC\0\0\0\2\0\0\0\0junk\0\0\0\0" * 50,
        b"DIRC\0\0\0\x09\0\0\0\1",
    ],
)
def test_a_damaged_index_tracks_nothing(tmp_path: Path, content: bytes) -> None:
    (tmp_path / ".git").mkdir()
    (tmp_path / ".git/index").write_bytes(content)
    assert not is_tracked(tmp_path, ".skillgen")


def test_a_pointer_that_leads_nowhere(tmp_path: Path) -> None:
    for pointer in (b"gitdir: /dev", b"gitdir: \0", b"gitdir: .", b"x", b"gitdir: " + b"a" * 5000):
        (tmp_path / ".git").write_bytes(pointer)
        assert not is_tracked(tmp_path, ".skillgen")
