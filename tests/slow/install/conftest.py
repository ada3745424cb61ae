from __future__ import annotations

from tests.quick.install.conftest import host, skillgen

__all__ = ["host", "skillgen"]
