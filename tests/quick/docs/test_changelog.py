"""CHANGELOG.md has the form of Keep a Changelog, and knows the version that is released."""

from __future__ import annotations

import re
from datetime import date

import pytest

from skill import __version__
from tests.conftest import CHECKOUT

GROUPS = ["Added", "Changed", "Deprecated", "Removed", "Fixed", "Security"]
RELEASE = re.compile(r"\[(\d+\.\d+\.\d+)\] - (\d{4}-\d\d-\d\d)")


def faults(page: str, version: str) -> list[str]:
    """What is wrong with the page's form, for a program that calls itself ``version``."""
    found = []
    title, *texts = re.split(r"^## ", page, flags=re.M)
    heads = [text.partition("\n")[0] for text in texts]
    if not title.startswith("# Changelog\n") or heads[:1] != ["[Unreleased]"]:
        found.append("it begins with its title and what is unreleased")
    releases = [RELEASE.fullmatch(head) for head in heads[1:]]
    if not all(releases):
        found.append("a release has its number and its date")
    released = [(release[1], date.fromisoformat(release[2])) for release in releases if release]
    numbers = [tuple(map(int, number.split("."))) for number, _day in released]
    if numbers != sorted(set(numbers), reverse=True):
        found.append("the newest release comes first, and each once")
    if [day for _number, day in released] != sorted((day for _, day in released), reverse=True):
        found.append("a later release has no earlier date")
    if numbers and tuple(map(int, version.split("."))) < numbers[0]:
        found.append(f"{released[0][0]} is newer than the program")
    for head, text in zip(heads, texts, strict=True):
        groups = re.split(r"^### (.+)\n", text, flags=re.M)[1:]
        if groups[::2] != [group for group in GROUPS if group in groups[::2]]:
            found.append(f"{head}: groups are {', '.join(GROUPS)}, in this order")
        if not all(re.search(r"^- \S", group, re.M) for group in groups[1::2]):
            found.append(f"{head}: a group without an entry")
        if head != "[Unreleased]" and not groups:
            found.append(f"{head}: a release without a change")
    return found


def test_the_changelog_has_its_form() -> None:
    page = (CHECKOUT / "CHANGELOG.md").read_text(encoding="utf-8")
    assert faults(page, __version__) == []


GOOD = """# Changelog

## [Unreleased]

## [0.2.0] - 2027-02-03

### Added

- One thing.

### Fixed

- Another.

## [0.1.0] - 2027-01-02

### Added

- All of it.
"""


def test_a_changelog_with_releases_is_taken() -> None:
    assert faults(GOOD, "0.2.0") == []
    assert faults(GOOD, "0.3.0") == []


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("## [Unreleased]\n", ""),
        (" - 2027-02-03", ""),
        ("[0.2.0]", "[0.0.9]"),
        ("[0.2.0]", "[0.1.0]"),
        ("[0.2.0]", "[0.4.0]"),
        ("2027-02-03", "2026-02-03"),
        ("### Fixed", "### Mended"),
        ("### Added\n\n- One thing.\n\n### Fixed", "### Fixed\n\n- One thing.\n\n### Added"),
        ("- Another.\n", ""),
        ("### Added\n\n- All of it.\n", ""),
    ],
)
def test_a_fault_of_form_is_seen(old: str, new: str) -> None:
    assert old in GOOD
    assert faults(GOOD.replace(old, new), "0.3.0") != []
