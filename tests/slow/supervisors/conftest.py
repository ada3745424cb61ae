"""Fixtures of the tests with real supervisors."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.slow.baileys.harness import Server, serving


@pytest.fixture(scope="session")
def debians(checkout: Path) -> dict[int, Path]:
    """By the version of systemd, where the ``usr`` of Debian 12 and 13 lie."""
    folder = checkout / ".cache" / "debians"
    trees = {252: folder / "bookworm", 257: folder / "trixie"}
    for tree in trees.values():
        if not (tree / "usr").exists():
            pytest.fail(f"nothing in {tree}; get it with: make debians", pytrace=False)
    return trees


@pytest.fixture(scope="session")
def server(node_tools: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with serving(node_tools, tmp_path_factory.mktemp("server")) as server:
        yield server
