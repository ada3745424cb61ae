"""Fixtures for every test."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings

CHECKOUT = Path(__file__).resolve().parent.parent

# The same examples on every run: what a run finds must not depend on its day. ``make fuzz``
# draws new ones (profile "new") and prints how to have a failing one again.
settings.register_profile("fixed", derandomize=True)
settings.register_profile("new", print_blob=True)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "fixed"))


@pytest.fixture(scope="session", autouse=True)
def state_home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Where skillgen keeps its key while tests run; never in the home of who runs them."""
    folder = tmp_path_factory.mktemp("state-home")
    before = os.environ.get("XDG_STATE_HOME")
    os.environ["XDG_STATE_HOME"] = str(folder)
    yield folder
    if before is None:
        del os.environ["XDG_STATE_HOME"]
    else:
        os.environ["XDG_STATE_HOME"] = before


@pytest.fixture(scope="session")
def checkout() -> Path:
    """The root of this repository."""
    return CHECKOUT


@pytest.fixture(scope="session")
def node_tools() -> Path:
    """The folder that holds ``node_modules`` with tsc, prettier, vitest, tsx and Baileys.

    ``SKILLGEN_NODE_TOOLS`` names another one. Missing tools fail the test, never skip it.
    """
    folder = Path(os.environ.get("SKILLGEN_NODE_TOOLS") or CHECKOUT / ".cache" / "node-tools")
    if not (folder / "node_modules" / ".bin" / "tsc").exists():
        pytest.fail(f"no node tools in {folder}; install them with: make node-tools", pytrace=False)
    return folder
