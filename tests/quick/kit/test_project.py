"""The paths in a host's command lines, as its own files."""

from __future__ import annotations

from pathlib import Path
from time import process_time

import pytest

from modify.kit.project import Project
from skill.host import Host


def test_what_a_shell_fills_in_stands_for_the_root(tmp_path: Path) -> None:
    (tmp_path / "dist").mkdir()
    (tmp_path / "package.json").write_text('{"main": "dist/index.js"}')
    (tmp_path / "index.js").write_text("")
    project = Project(Host(tmp_path))
    for root in ("${root}", "$(cd .. && pwd)", "{{ project.root }}", "$ROOT", "{root}", "@root@"):
        assert project.own_file(f"{root}/index.js") == "index.js"


@pytest.mark.parametrize("part", ["${", "$(", "{{"])
def test_what_never_ends_is_read_in_time(tmp_path: Path, part: str) -> None:
    """Four times the text takes some four times as long, not sixteen."""
    project = Project(Host(tmp_path))
    taken = []
    for times in (5_000, 20_000):
        started = process_time()
        assert project.own_file(part * times) is None
        taken.append(process_time() - started)
    assert taken[1] < 8 * taken[0] + 0.1
