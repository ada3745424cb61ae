"""Promise 7: no operation follows a link or goes up, whatever the path."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from skill.errors import SkillgenError
from skill.transaction.tree import Tree
from tests.quick.transaction.conftest import tree_of

ME = (os.geteuid(), os.getegid())
Operation = Callable[[Tree, str], object]
OPERATIONS: dict[str, Operation] = {
    "read": lambda tree, path: tree.read(path),
    "write_new": lambda tree, path: tree.write_new(path, b"x", 0o644, ME),
    "rename to": lambda tree, path: tree.rename("here", path),
    "rename from": lambda tree, path: tree.rename(path, "here"),
    "remove": lambda tree, path: tree.remove(path),
    "make_folder": lambda tree, path: tree.make_folder(path),
    "remove_folder": lambda tree, path: tree.remove_folder(path),
    "require_writable": lambda tree, path: tree.require_writable(path),
    "names": lambda tree, path: tree.names(path),
    "is_folder": lambda tree, path: tree.is_folder(path),
}


@pytest.mark.parametrize("name", OPERATIONS)
@pytest.mark.parametrize(
    "path",
    ["../outside/file", "link/file", "in/../../outside/file", "/etc/file", "in//file", "in/./file"],
)
def test_nothing_leads_out(tmp_path: Path, name: str, path: str) -> None:
    root, outside = tmp_path / "root", tmp_path / "outside"
    for folder in (root / "in", outside):
        folder.mkdir(parents=True)
        (folder / "file").write_text("theirs\n")
    (root / "here").write_text("here\n")
    (root / "link").symlink_to(outside)
    before = tree_of(tmp_path / "outside"), tree_of(root / "in")
    with Tree(root) as tree, pytest.raises((SkillgenError, NotADirectoryError)):
        OPERATIONS[name](tree, path)
    assert (tree_of(outside), tree_of(root / "in")) == before
    assert (root / "here").read_text() == "here\n"


NOT_THE_HOSTS = (
    ".git/hooks/pre-commit",
    "in/.git/config",
    ".git",
    ".GIT/config",
    "in/.Git/config",
    ".git /config",
    ".git./config",
    "git~1/config",
    ".git::$INDEX_ALLOCATION/config",
    ".g\u200cit/config",
    "\ufeff.git/config",
    "．ｇｉｔ/config",
    ".SkillGen/state.json",
    "in/.skillgen/state.json",
    ".skillgen/.git/config",
    "node_modules/a/index.js",
    "in/node_modules/a/index.js",
    ".hg/hgrc",
    ".venv/bin/python",
)


@pytest.mark.parametrize("name", OPERATIONS)
@pytest.mark.parametrize("path", NOT_THE_HOSTS)
def test_nothing_is_done_in_what_is_not_the_hosts_own(tmp_path: Path, name: str, path: str) -> None:
    (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
    (tmp_path / path).write_text("theirs\n")
    (tmp_path / "here").write_text("here\n")
    before = tree_of(tmp_path)
    with Tree(tmp_path) as tree, pytest.raises(SkillgenError, match="not the host's own"):
        OPERATIONS[name](tree, path)
    assert tree_of(tmp_path) == before


@pytest.mark.parametrize("path", [".gitignore", ".github/a.yml", "git/a", "a.git", ".gitlab/out"])
def test_names_that_only_look_alike_are_the_hosts(tmp_path: Path, path: str) -> None:
    (tmp_path / path).parent.mkdir(exist_ok=True)
    with Tree(tmp_path) as tree:
        tree.write_new(path, b"x", 0o644, ME)
        held = tree.read(path)
    assert held is not None
    assert held.content == b"x"


@pytest.mark.parametrize("form", ["folder", "file"])
def test_nothing_is_written_in_a_nested_checkout(tmp_path: Path, form: str) -> None:
    git = tmp_path / "sub/.git"
    (tmp_path / "sub/deep").mkdir(parents=True)
    if form == "folder":
        git.mkdir()
    else:
        git.write_text("gitdir: ../.git/modules/sub\n")
    (tmp_path / "sub/file").write_text("theirs\n")
    (tmp_path / "here").write_text("here\n")
    before = tree_of(tmp_path)
    with Tree(tmp_path) as tree:
        for name in ("write_new", "rename to", "remove", "make_folder", "remove_folder"):
            for path in ("sub/file", "sub/deep/file"):
                with pytest.raises(SkillgenError, match="checkout of its own"):
                    OPERATIONS[name](tree, path)
    assert tree_of(tmp_path) == before


def test_a_file_without_end_is_not_read(tmp_path: Path) -> None:
    with (tmp_path / "file").open("wb") as stream:
        stream.truncate(1 << 42)
    with Tree(tmp_path) as tree, pytest.raises(SkillgenError, match="too large"):
        tree.read("file")


def test_a_link_is_not_read(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to("/etc/hostname")
    with Tree(tmp_path) as tree, pytest.raises(SkillgenError, match="link"):
        tree.read("link")


def test_special_files_are_not_opened(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with Tree(tmp_path) as tree, pytest.raises(SkillgenError, match="not a regular file"):
        tree.read("pipe")
