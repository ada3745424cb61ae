from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.quick.transaction.conftest import host, no_waiting_for_the_disk, plan_for, state
from tests.slow.transaction.killing import Killing

__all__ = ["host", "no_waiting_for_the_disk", "plan_for", "state"]


@pytest.fixture(scope="module")
def killing() -> Iterator[Killing]:
    with Killing() as running:
        yield running
