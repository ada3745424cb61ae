"""Promise 7: no operation follows a link or goes up, whatever the path."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from skill.errors import SkillgenError
from skill.transaction.tree import Tree
from tests.transaction.conftest import tree_of

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


def test_a_link_is_not_read(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to("/etc/hostname")
    with Tree(tmp_path) as tree, pytest.raises(SkillgenError, match="link"):
        tree.read("link")


def test_special_files_are_not_opened(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with Tree(tmp_path) as tree, pytest.raises(SkillgenError, match="no regular file"):
        tree.read("pipe")
