from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.slow.baileys.harness import Server, serving
from tests.slow.guard.rig import make_tree


@pytest.fixture(scope="session")
def server(node_tools: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with serving(node_tools, tmp_path_factory.mktemp("server")) as running:
        yield running


@pytest.fixture(scope="session")
def tree(node_tools: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_tree(tmp_path_factory.mktemp("tree"), node_tools)
