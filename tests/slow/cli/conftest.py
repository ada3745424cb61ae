from __future__ import annotations

from tests.quick.cli.conftest import host, skillgen, small_codemod

__all__ = ["host", "skillgen", "small_codemod"]
