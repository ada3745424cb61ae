"""The fixture hosts, their own main, before and after: promise 10."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from skill.storm.run import Outcome, simulate
from skill.storm.scenarios import EXTRA, TABLE
from skill.storm.supervisor import ALWAYS_5S, ON_FAILURE_10S, from_host

SCENARIOS = {scenario.id: scenario for scenario in (*TABLE, *EXTRA)}


@dataclass(frozen=True)
class Fixture:
    """storm: attempts in 24 h that the unpatched host makes at least, by scenario.

    several: another channel is connected, so main goes on without WhatsApp.
    """

    name: str
    ready_log: str
    storm: Mapping[str, int]
    several: bool = False
    environment: Mapping[str, str] = field(default_factory=dict)


FIXTURES = (
    Fixture(
        "v1-class",
        "Heron is up",
        {"revoked": 16_000, "refused": 70_000, "unlinked": 13_000, "flapping": 950},
    ),
    Fixture(
        "v1-registry",
        "Quayside is open",
        {"revoked": 16_000, "replaced": 57_000, "flapping": 950},
        several=True,
        environment={"PIGEON_TOKEN": "t"},
    ),
    Fixture(
        "v1-f2-helper",
        "Larder is listening",
        {"revoked": 16_000, "refused": 4_000, "replaced": 13_000, "offline": 17_000},
    ),
    Fixture(
        "v2-factory",
        "Almanac is open",
        {"refused": 70_000, "flapping": 950, "unlinked": 1_400},
        several=True,
        environment={"MAILBOX_DIR": "post", "WHATSAPP_QR": "1"},
    ),
    Fixture("module-functions", "Tidewatch is answering", {"refused": 70_000, "flapping": 950}),
)
every_fixture = pytest.mark.parametrize("fixture", FIXTURES, ids=lambda fixture: fixture.name)


def main_of(root: Path, fixture: Fixture, node_tools: Path, *, patched: bool) -> list[Outcome]:
    ids = SCENARIOS if patched else fixture.storm
    return simulate(
        root,
        "src/index.ts",
        driver="main",
        supervisor=from_host(root) or (ON_FAILURE_10S if patched else ALWAYS_5S),
        scenarios=[SCENARIOS[one] for one in ids],
        node_tools=node_tools,
        ready_log=fixture.ready_log,
        environment=fixture.environment,
    )


@every_fixture
def test_unpatched_host_storms(checkout: Path, node_tools: Path, fixture: Fixture) -> None:
    root = checkout / "tests" / "hosts" / fixture.name
    for outcome in main_of(root, fixture, node_tools, patched=False):
        assert outcome.attempts >= fixture.storm[outcome.scenario.id], outcome.scenario.id
        assert outcome.broken(), outcome.scenario.id


@every_fixture
def test_patched_host_keeps_the_promise(
    checkout: Path, node_tools: Path, tmp_path: Path, fixture: Fixture
) -> None:
    clone = tmp_path / fixture.name
    shutil.copytree(checkout / "tests" / "hosts" / fixture.name, clone)
    done = subprocess.run(
        [sys.executable, "-m", "skill", "apply", str(clone)],
        cwd=checkout,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode in (0, 1), done.stdout + done.stderr
    broken = []
    for outcome in main_of(clone, fixture, node_tools, patched=True):
        name = outcome.scenario.id
        broken += [f"{name}: {line}" for line in outcome.broken()]
        if fixture.several:
            # Only this channel stops, and main is never kept waiting for it.
            if outcome.exits and name != "crash-loop":
                broken.append(f"{name}: the process ends, {outcome.exits}")
            if name != "crash-loop" and not (
                outcome.settled_ok and outcome.settled_s is not None and outcome.settled_s <= 30
            ):
                broken.append(f"{name}: main is through at {outcome.settled_s}, not within 30 s")
        elif name in ("revoked", "unlinked", "qr-linked") and outcome.exits != {"0": 1}:
            broken.append(f"{name}: one exit with status 0 promised, {outcome.exits}")
    assert broken == []
