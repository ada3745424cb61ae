"""What the package index would show: every field is meant, and none is a placeholder."""

from __future__ import annotations

import re
import tomllib
import zipfile
from email.message import Message
from email.parser import BytesParser
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from skill import REPORT_AT

# Words that stand for an address that somebody still has to fill in.
PLACEHOLDER = re.compile(
    r"\b(HOST|OWNER|NAME|USER|TODO|FIXME|XXX)\b|(?i:example|placeholder|changeme|\byour|localhost)"
)


def is_real(url: str) -> bool:
    """Whether a URL is an https address that can be somebody's."""
    parts = urlsplit(url)
    name = re.fullmatch(r"[a-z0-9-]+(\.[a-z0-9-]+)*\.[a-z]{2,}", parts.netloc)
    plain = re.fullmatch(r"[\w./~#-]*", f"{parts.path}{parts.fragment}")
    return parts.scheme == "https" and bool(name and plain) and not PLACEHOLDER.search(url)


@pytest.fixture(scope="module")
def metadata(wheel: Path) -> Message:
    with zipfile.ZipFile(wheel) as archive:
        [path] = [name for name in archive.namelist() if name.endswith(".dist-info/METADATA")]
        return BytesParser().parsebytes(archive.read(path))


@pytest.fixture(scope="module")
def pyproject(checkout: Path) -> str:
    return (checkout / "pyproject.toml").read_text(encoding="utf-8")


def urls_of(metadata: Message) -> dict[str, str]:
    rows = [row.partition(", ") for row in metadata.get_all("Project-URL", [])]
    return {label: url for label, _comma, url in rows}


def test_no_placeholder_is_released(metadata: Message) -> None:
    assert metadata["Name"] == "skillgen-whatsapp"
    assert metadata["Home-page"] is None
    assert [url for url in urls_of(metadata).values() if not is_real(url)] == []
    fields = [value for key, value in metadata.items() if key != "Project-URL"]
    assert not [value for value in fields if PLACEHOLDER.search(value)]


def test_a_defect_is_reported_where_the_index_says(metadata: Message) -> None:
    assert urls_of(metadata).get("Issues", "the project's issue tracker") == REPORT_AT


def test_the_urls_to_fill_in_are_refused_as_they_are(pyproject: str) -> None:
    def urls_in(text: str) -> dict[str, Any]:
        urls: dict[str, Any] = tomllib.loads(text)["project"].get("urls", {})
        return urls

    filled_in = urls_in(pyproject)
    offered = urls_in(re.sub(r"^# (?=\[project\.urls\]|[A-Z]\w+ = )", "", pyproject, flags=re.M))
    assert offered.keys() >= {"Repository", "Issues", "Changelog"}
    assert [url for url in offered.values() if is_real(url)] == [*filled_in.values()]


@pytest.mark.parametrize(
    "url",
    [
        "",
        "TODO",
        "skillgen.dev",
        "http://codeberg.org/someone/skillgen",
        "https://",
        "https://localhost/skillgen",
        "https://example.org/skillgen",
        "https://git.example.com/skillgen",
        "https://codeberg.org/OWNER/skillgen",
        "https://codeberg.org/your-name/skillgen",
        "https://codeberg.org/<owner>/skillgen",
        "https://codeberg.org/{owner}/skillgen",
        "https://codeberg.org/someone/skillgen/TODO",
    ],
)
def test_a_placeholder_is_no_address(url: str) -> None:
    assert not is_real(url)


def test_an_address_is_one() -> None:
    assert is_real("https://codeberg.org/someone/skillgen/issues")
    assert is_real("https://skillgen.dev")


def test_the_classifiers_are_so(metadata: Message, pyproject: str, checkout: Path) -> None:
    """The index takes each: hatchling refuses to build with one that it does not know."""
    classifiers = metadata.get_all("Classifier", [])
    assert metadata["License-Expression"] == "MIT"
    assert not [one for one in classifiers if one.startswith("License")], "PEP 639"
    versions = re.findall(
        r"^Programming Language :: Python :: (3\.\d+)$", "\n".join(classifiers), re.M
    )
    assert metadata["Requires-Python"] == f">={versions[0]}"
    launcher = (checkout / "skillgen").read_text()
    tried = re.search(r"for name in (python3\.\d+ .*); do", launcher)
    assert tried
    assert re.findall(r"3\.\d+", tried[1]) == versions[::-1]
    assert "Typing :: Typed" in classifiers
