"""The Python fixture hosts, before and after: what stormed keeps its bounds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from skill.host import Host
from skill.storm.host.python_channels import PythonChannel, discover
from skill.storm.python.run import PythonOutcome, simulate_python
from skill.storm.python.scenarios import TABLES
from skill.storm.scenarios import HOUR
from skill.storm.supervisor import ALWAYS_5S, ON_FAILURE_10S
from tests.slow.e2e_python.harness import Trial

ENDED_BY_WHATSAPP = ("revoked", "revoked-later", "locked", "banned", "replaced")
DEAF = {"bridge-logged-out": "does not read what its bridge says"}


@dataclass(frozen=True)
class Fixture:
    """One channel of a host. storm: dials in the busiest hour, unpatched, by scenario.

    goes_on: scenarios after which the unpatched client is never stopped. dies: those that end
    the channel's own loop, which catches too little, before and after alike. not_run: by id, a
    part of the reason. clean: the process ends with 0 when WhatsApp has ended the session.
    gated: a neonize client of which each dial is counted, patched: fewer than 21 in any hour, and
    it gets through once the fault is over.
    """

    host: str
    label: str
    storm: Mapping[str, int] = field(default_factory=dict)
    goes_on: tuple[str, ...] = ()
    dies: tuple[str, ...] = ()
    not_run: Mapping[str, str] = field(default_factory=dict)
    clean: bool = False
    gated: bool = False


FIXTURES = (
    Fixture(
        "s1-link",
        "WhatsAppChannel.start()",
        {
            "bridge-refuses": 713,
            "bridge-resets": 596,
            "bridge-closes": 3429,
            "bridge-flaps": 40,
            "bridge-flaps-soon": 103,
            "bridge-silent": 240,
            "bridge-logged-out": 3429,
            "bridge-restarted": 720,
        },
    ),
    Fixture("s1b-thread", "listen()", {"bridge-refuses": 713, "bridge-closes": 3429}, not_run=DEAF),
    Fixture(
        "s1b-thread",
        "WhatsAppListener.start()",
        {"bridge-refuses": 713, "bridge-closes": 596},
        dies=("bridge-resets", "bridge-flaps-soon"),
        not_run=DEAF,
    ),
    Fixture(
        "s1c-app",
        "WhatsAppLink.start()",
        {"bridge-refuses": 713, "bridge-closes": 596, "bridge-logged-out": 596},
    ),
    Fixture(
        "s1c-app",
        "relay()",
        {"bridge-refuses": 713, "bridge-closes": 596, "bridge-flaps-soon": 103},
        not_run={**DEAF, "bridge-stopped": "no way to be stopped"},
    ),
    Fixture(
        "s1d-aiohttp",
        "WhatsAppBeacon.run()",
        {"bridge-closes": 1181, "bridge-flaps-soon": 113},
        not_run=DEAF,
    ),
    Fixture(
        "s1d-aiohttp",
        "listen_whatsapp()",
        {"bridge-refuses": 713, "bridge-closes": 3429},
        not_run={**DEAF, "bridge-stopped": "no way to be stopped"},
    ),
    Fixture(
        "s2-event", "WhatsApp.run()", {"bridge-refuses": 713, "bridge-closes": 3429}, not_run=DEAF
    ),
    Fixture(
        "s3-manager",
        "WhatsApp.start()",
        goes_on=ENDED_BY_WHATSAPP,
        not_run={"stopped": "no stop()"},
        gated=True,
    ),
    Fixture(
        "s8-split",
        "start_session()",
        {"flapping": 240},
        goes_on=ENDED_BY_WHATSAPP,
        not_run={"stopped": "no way to be stopped"},
    ),
    Fixture(
        "s8-restart",
        "start_session()",
        goes_on=ENDED_BY_WHATSAPP,
        not_run={"stopped": "no way to be stopped"},
    ),
    Fixture(
        "s3-single", "python -m lantern.app", goes_on=ENDED_BY_WHATSAPP, clean=True, gated=True
    ),
    Fixture("s3-loop", "python bot.py", goes_on=ENDED_BY_WHATSAPP, clean=True, gated=True),
    Fixture("s3-restart", "WhatsApp.run()", goes_on=ENDED_BY_WHATSAPP, gated=True),
    Fixture(
        "s3-thread",
        "WhatsAppChannel.start()",
        goes_on=ENDED_BY_WHATSAPP,
        not_run={"stopped": "no stop()"},
        gated=True,
    ),
    Fixture(
        "s3-unit",
        "main()",
        {"unlinked": 720},
        goes_on=("banned", "replaced"),
        not_run={"stopped": "no way to be stopped"},
        gated=True,
    ),
)
every_fixture = pytest.mark.parametrize(
    "fixture", FIXTURES, ids=lambda fixture: f"{fixture.host} {fixture.label}"
)


def channel_of(root: Path, fixture: Fixture) -> PythonChannel:
    [found] = [one for one in discover(Host(root)) if one.label == fixture.label]
    assert not found.cannot
    return found


def outcomes_of(root: Path, fixture: Fixture, *ids: str, patched: bool) -> dict[str, PythonOutcome]:
    """The whole table, or these scenarios, each for two hours: a busiest hour needs no day."""
    channel = channel_of(root, fixture)
    table = [one for one in TABLES[channel.way] if not ids or one.id in ids]
    if ids:
        table = [replace(one, horizon_s=min(one.horizon_s, 2.1 * HOUR)) for one in table]
    outcomes = simulate_python(
        root,
        channel,
        supervisor=ON_FAILURE_10S if patched else ALWAYS_5S,
        scenarios=table,
        workers=2,
    )
    return {one.scenario.id: one for one in outcomes}


@pytest.fixture(scope="module")
def patched(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    roots = {}
    for name in sorted({fixture.host for fixture in FIXTURES}):
        trial = Trial(name, tmp_path_factory.mktemp(name))
        trial.clone()
        assert trial.skillgen("apply").code in (0, 1)
        roots[name] = trial.host
    return roots


@every_fixture
def test_unpatched_host_storms_or_goes_on(checkout: Path, fixture: Fixture) -> None:
    root = checkout / "tests" / "hosts_python" / fixture.host
    wanted = (*fixture.storm, *fixture.goes_on, *fixture.dies)
    found = outcomes_of(root, fixture, *wanted, patched=False)
    assert {id: found[id].busiest_hour for id in fixture.storm} == fixture.storm
    for id in fixture.storm:
        assert any("attempts in an hour" in line for line in found[id].broken()), found[id]
    for id in fixture.goes_on:
        assert found[id].ended_s is None
        assert "the client goes on after its session has ended" in found[id].broken()
    for id in fixture.dies:
        assert found[id].attempts == 1
        assert any("ConnectionClosedError" in note for note in found[id].notes)


@every_fixture
def test_patched_host_keeps_its_promises(patched: dict[str, Path], fixture: Fixture) -> None:
    found = outcomes_of(patched[fixture.host], fixture, patched=True)
    for id, reason in fixture.not_run.items():
        assert reason in found.pop(id).not_run
    for id in fixture.dies:
        assert found.pop(id).attempts == 1
    assert {id: one.not_run for id, one in found.items() if one.not_run} == {}
    assert {id: one.broken() for id, one in found.items() if one.broken()} == {}
    for id in fixture.goes_on:
        assert found[id].ended_s is not None
        assert found[id].exits == ({"0": 1} if fixture.clean else {})
        assert found[id].starts == 1
    if fixture.gated:
        assert {id: one.busiest_hour for id, one in found.items() if one.busiest_hour > 20} == {}
        for id in ("dropped", "flapping", "offline-boot"):
            wait = found[id].next_s
            assert found[id].ready_s is not None and wait is not None and wait <= HOUR


def test_a_bridge_that_is_a_child_is_not_driven(checkout: Path) -> None:
    [channel] = discover(Host(checkout / "tests" / "hosts_python" / "s5-child"))
    assert "child process" in channel.cannot
    outcomes = simulate_python(checkout / "tests" / "hosts_python" / "s5-child", channel)
    assert outcomes
    assert all(one.not_run == channel.cannot and not one.broken() for one in outcomes)


def test_what_was_right_already_keeps_its_bounds_unpatched(checkout: Path) -> None:
    root = checkout / "tests" / "hosts_python" / "decoys"
    [channel] = discover(Host(root))
    wanted = [one for one in TABLES["bridge"] if one.id in ("bridge-refuses", "bridge-closes")]
    for outcome in simulate_python(root, channel, scenarios=wanted):
        assert 10 < outcome.busiest_hour < 20
        assert not any("attempts" in line for line in outcome.broken())
