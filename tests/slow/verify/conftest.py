"""A small host whose checks are lines for a shell; the patch adds ``src/added.ts``."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.quick.cli.conftest import host, skillgen, small_codemod

__all__ = ["host", "skillgen", "small_codemod"]

PATCHED = "test -e src/added.ts"
Scripts = Callable[..., Path]


@pytest.fixture
def scripts(host: Path) -> Scripts:
    """Write the host's package.json with these scripts."""

    def write(**lines: str) -> Path:
        named = {name.replace("_", ":"): line for name, line in lines.items()}
        (host / "package.json").write_text(json.dumps({"scripts": named}), "utf-8")
        return host

    return write
