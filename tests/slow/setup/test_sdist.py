"""The archive of the sources holds the pages, and builds the same wheel."""

from __future__ import annotations

import tarfile
import zipfile
from pathlib import Path, PurePosixPath

import pytest

from tests.quick.docs import pages
from tests.slow.setup.conftest import wheel_of


@pytest.fixture(scope="module")
def names(sdist: Path) -> set[str]:
    """Its files, relative to its one folder."""
    with tarfile.open(sdist) as archive:
        return {"/".join(PurePosixPath(name).parts[1:]) for name in archive.getnames()}


def test_it_holds_every_page_with_what_the_page_shows(names: set[str], checkout: Path) -> None:
    found = [*checkout.glob("*.md"), *(checkout / "docs").rglob("*")]
    wanted = {file.relative_to(checkout).as_posix() for file in found if file.is_file()}
    assert wanted >= {"README.md", "CHANGELOG.md", "SECURITY.md", "docs/guarantees.md"}
    assert wanted | {"LICENSE", "pyproject.toml"} <= names
    readme = (checkout / "README.md").read_text(encoding="utf-8")
    assert {link for link in pages.LINK.findall(readme) if "://" not in link} <= names


def test_the_wheel_that_it_builds_is_the_same(sdist: Path, wheel: Path, tmp_path: Path) -> None:
    again = wheel_of(sdist, tmp_path)
    with zipfile.ZipFile(wheel) as here, zipfile.ZipFile(again) as there:
        assert {(one.filename, one.CRC) for one in there.infolist()} == {
            (one.filename, one.CRC) for one in here.infolist()
        }
