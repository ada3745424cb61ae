"""Fixtures of the tests with real supervisors."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.slow.baileys.harness import Server, serving


@pytest.fixture(scope="session")
def server(node_tools: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with serving(node_tools, tmp_path_factory.mktemp("server")) as server:
        yield server
