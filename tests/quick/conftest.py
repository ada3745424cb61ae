"""Tests that give an answer while one waits: no Node, and no process of their own."""

from __future__ import annotations

import gc
import sys
from collections.abc import Iterator

import pytest

STARTS = frozenset(
    {
        "os.exec",
        "os.fork",
        "os.forkpty",
        "os.posix_spawn",
        "os.system",
        "subprocess.Popen",
    }
)
watched: list[str] = []
"""The test that runs now."""


def refuse(event: str, arguments: tuple[object, ...]) -> None:
    if event in STARTS and watched:
        started = f" {arguments[0]!r}" if arguments else ""
        # Not an Exception: a program that catches those does not hide it.
        pytest.fail(f"{event}{started}: a test that starts a process belongs in tests/slow")


sys.addaudithook(refuse)


def pytest_collection_finish() -> None:
    """What is there before the first test stays: not looked at again by each collection."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(100_000)  # as in skill/__main__.py


@pytest.fixture(autouse=True)
def no_process(request: pytest.FixtureRequest) -> Iterator[None]:
    """Those of the mark ``system`` are left out by ``make quick``."""
    if request.node.get_closest_marker("system") is None:
        watched.append(request.node.nodeid)
    yield
    watched.clear()


@pytest.fixture(scope="session")
def node_tools() -> None:
    pytest.fail("a test that needs Node belongs in tests/slow", pytrace=False)
