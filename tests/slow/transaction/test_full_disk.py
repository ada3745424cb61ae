"""A disk that is really full: nothing is written, and nothing stays behind."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from skill import transaction
from skill.errors import SkillgenError
from tests.quick.transaction.conftest import make_host, make_plan_by_hand, tree_of

pytestmark = pytest.mark.system


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    folder = tmp_path / "disk"
    folder.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=256k", "none", folder], check=True)
    yield folder
    subprocess.run(["umount", folder], check=True)


def test_apply_on_a_disk_of_every_fullness(small_disk: Path) -> None:
    root = make_host(small_disk / "host")
    refused = 0
    for free_pages in range(40):
        before = tree_of(root)
        filler = small_disk / "filler"
        with filler.open("wb", buffering=0) as stream:
            try:
                while True:
                    stream.write(b"x" * 4096)
            except OSError:
                pass
        size = filler.stat().st_size
        with filler.open("r+b") as stream:
            stream.truncate(max(0, size - free_pages * 4096))
        try:
            transaction.apply(make_plan_by_hand(root))
        except SkillgenError as error:
            refused += 1
            assert "No space left" in str(error)
            filler.unlink()
            transaction.recover(root)
        else:
            filler.unlink()
            transaction.revert(root)
        assert tree_of(root) == before
    assert 3 < refused < 40
