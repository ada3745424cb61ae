"""The harness shows the storm of an unpatched channel, in domain.md's magnitudes."""

from __future__ import annotations

from pathlib import Path

import pytest

from modify.units.supervisor import Supervisor
from skill.storm.node.run import simulate
from skill.storm.outcome import Outcome
from skill.storm.scenarios import EXTRA, TABLE
from skill.storm.supervisor import ALWAYS_5S, NONE, ON_FAILURE_10S, ON_FAILURE_GROWING

SMALL = Path(__file__).parent / "small"
BY_ID = {scenario.id: scenario for scenario in (*TABLE, *EXTRA)}


def storm(node_tools: Path, *ids: str, supervisor: Supervisor = ALWAYS_5S) -> dict[str, Outcome]:
    outcomes = simulate(
        SMALL,
        "src/channels/whatsapp.ts",
        driver="class",
        supervisor=supervisor,
        scenarios=[BY_ID[one] for one in ids],
        node_tools=node_tools,
    )
    return {one.scenario.id: one for one in outcomes}


@pytest.fixture(scope="module")
def always(node_tools: Path) -> dict[str, Outcome]:
    return storm(node_tools, *(scenario.id for scenario in TABLE), "healthy", "silent-closed")


@pytest.mark.parametrize("scenario", TABLE, ids=lambda scenario: scenario.id)
def test_unpatched_attempts_are_those_of_domain_md(
    always: dict[str, Outcome], scenario: object
) -> None:
    one = always[scenario.id]  # type: ignore[attr-defined]
    expected = one.scenario.unpatched[0]
    # The one off: an attempt that would start at second 86,400.0 belongs to the next day.
    assert one.attempts in (expected, expected - 1)
    assert one.broken()


def test_storm_is_seen_whole(always: dict[str, Outcome]) -> None:
    revoked = always["revoked"]
    assert revoked.starts == revoked.exits["0"] == 16_302
    assert revoked.busiest_hour == 680
    assert always["refused"].exits == {}
    assert always["unlinked"].exits == {"1": 13_293}
    # The first attempt failed, and its callback is lost: up at last, and never ready.
    late = always["offline-boot"]
    assert late.first_up_s == pytest.approx(600.5)
    assert late.up_at_end
    assert late.settled_s is late.ready_s is None
    assert "the host never becomes ready" in late.broken()
    # Dead forever.
    assert always["silent"].next_s is None
    # The socket left no handle: the process ended by itself, and came again each time.
    assert always["silent-closed"].exits == {"0": 4_320}


def test_healthy_host_breaks_nothing(always: dict[str, Outcome]) -> None:
    healthy = always["healthy"]
    assert healthy.broken() == []
    assert (healthy.attempts, healthy.starts, healthy.ready_s) == (1, 1, 0.5)


def test_supervisor_decides_restarts(node_tools: Path) -> None:
    assert storm(node_tools, "revoked", supervisor=NONE)["revoked"].attempts == 1
    limited = storm(node_tools, "revoked", "offline", supervisor=ON_FAILURE_10S)
    assert limited["revoked"].starts == 1
    assert limited["offline"].starts == 5
    assert any("start limit" in note for note in limited["offline"].notes)
    # Since systemd 254 it is not ended, and not started more than twenty times in an hour.
    growing = storm(node_tools, "revoked", "offline", supervisor=ON_FAILURE_GROWING)
    assert growing["revoked"].starts == 1
    assert growing["offline"].starts == 5 + 24 * 12 - 1


def test_same_seed_same_storm(node_tools: Path) -> None:
    first, again = (storm(node_tools, "flapping")["flapping"] for _ in range(2))
    assert first.attempts_at == again.attempts_at
