from __future__ import annotations

from tests.quick.transaction.conftest import host, no_waiting_for_the_disk, plan_for, state

__all__ = ["host", "no_waiting_for_the_disk", "plan_for", "state"]
