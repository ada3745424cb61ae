"""Facts are worked out once a host, and nothing of a host is kept when it goes."""

from __future__ import annotations

import gc
from pathlib import Path

import pytest

from modify import examine
from modify.kit.python import source
from skill.errors import SkillgenError
from skill.host import Host, fact
from skill.options import Options


def test_it_is_worked_out_once_for_the_same_arguments(tmp_path: Path) -> None:
    asked: list[str] = []

    @fact
    def size(host: Host, path: str) -> int:
        asked.append(path)
        return len(host.read(path))

    (tmp_path / "a.py").write_text("1\n")
    (tmp_path / "b.py").write_text("10\n")
    one, other = Host(tmp_path), Host(tmp_path)
    assert [size(one, "a.py"), size(one, "a.py"), size(one, "b.py")] == [2, 2, 3]
    assert size(other, "a.py") == 2
    assert asked == ["a.py", "b.py", "a.py"]


def test_one_that_raises_is_asked_again(tmp_path: Path) -> None:
    @fact
    def content(host: Host, path: str) -> bytes:
        return host.read(path)

    host = Host(tmp_path)
    for _ in range(2):
        with pytest.raises(SkillgenError):
            content(host, "gone.py")


def test_two_facts_of_the_same_arguments_are_apart(tmp_path: Path) -> None:
    @fact
    def one(_host: Host) -> int:
        return 1

    @fact
    def two(_host: Host) -> int:
        return 2

    host = Host(tmp_path)
    assert (one(host), two(host), one(host)) == (1, 2, 1)


def test_no_tree_outlives_its_host(checkout: Path) -> None:
    """A run over many hosts would otherwise keep every node of each of them."""
    folder = checkout / "tests" / "hosts_python" / "s1-link"
    counts = []
    for _ in range(2):
        examine(Host(folder), Options())
        gc.collect()
        counts.append((len(source._CHILDREN), len(source._BY_KIND)))
    assert counts[0] == counts[1]
