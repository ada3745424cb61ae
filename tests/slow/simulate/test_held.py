"""Held hosts as simulate runs them: their dials are counted, and the gate is what bounds them."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from skill import cli
from skill.host import Host
from skill.storm.catalogue import BY_ID
from skill.storm.outcome import Fault, Outcome
from skill.storm.scenarios import MOST_IN_A_DAY
from skill.storm.simulate import Simulation, simulate_host

IDS = ("healthy", "flapping", "revoked")


def simulated(root: Path, node_tools: Path, ids: tuple[str, ...] = IDS) -> Simulation:
    report = simulate_host(Host(root), ids, node_tools=lambda: ("node", node_tools))
    [simulation] = report.simulations
    return simulation


def test_a_file_with_no_known_close_branch_is_run(checkout: Path, node_tools: Path) -> None:
    """Nothing but the wrapped call is understood of it, and it is driven all the same."""
    simulation = simulated(checkout / "tests/hosts/event-table", node_tools)
    assert simulation.held and simulation.broken == []
    assert simulation.way.startswith("by running ")
    before, after = (
        {one.scenario.id: one.attempts for one in side.outcomes}
        for side in (simulation.before, simulation.after)
    )
    assert before["flapping"] > 900
    assert after["revoked"] == after["healthy"] == 1
    assert after["flapping"] <= BY_ID["flapping"].bound.day


def test_without_its_gate_a_held_host_breaks_the_promise(
    checkout: Path, node_tools: Path, tmp_path: Path
) -> None:
    root = tmp_path / "host"
    shutil.copytree(checkout / "tests/hosts/top-level-reload", root)
    assert cli.run(["apply", "-q", str(root)]) == 0
    [module] = root.rglob("whatsapp-reconnect.js")
    text = module.read_text("utf-8")
    waits = "const left = until - now();"
    assert text.count(waits) == 1
    module.write_text(text.replace(waits, "const left = 0;"), "utf-8")
    simulation = simulated(root, node_tools, ("flapping",))
    assert simulation.held
    assert [id for id, _ in simulation.broken] == ["flapping", "flapping"]


@pytest.mark.parametrize("name", ["v1-class", "event-table", "js-cjs"])
def test_the_bot_as_it_is_under_the_guard(checkout: Path, node_tools: Path, name: str) -> None:
    """A rewritten, a held and a JavaScript host: none of their files is changed."""
    report = simulate_host(
        Host(checkout / "tests/hosts" / name),
        IDS,
        after_only=True,
        guarded=True,
        node_tools=lambda: ("node", node_tools),
    )
    [simulation] = report.simulations
    assert simulation.broken == [] and report.code == 0
    after = {one.scenario.id: one.attempts for one in simulation.after.outcomes}
    assert after["healthy"] == after["revoked"] == 1
    assert after["flapping"] <= BY_ID["flapping"].bound.day


def test_the_guard_is_no_matter_of_python(checkout: Path, node_tools: Path) -> None:
    root = next(path for path in (checkout / "tests/hosts_python").iterdir() if "s1" in path.name)
    report = simulate_host(
        Host(root), (), guarded=True, after_only=True, node_tools=lambda: ("node", node_tools)
    )
    assert report.code == 2, "nothing could be run"
    assert "Python" in report.simulations[0].after.why


SCENARIO = BY_ID["refused"]
WELL = replace(Outcome.missing(SCENARIO, ""), next_s=60.0, up_at_end=True, busiest_hour=400)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"attempts": MOST_IN_A_DAY + 1}, "attempts in 24 h"),
        ({"busiest_hour": 21}, "attempts in an hour"),
        ({"next_s": None}, "no attempt after the fault's end"),
        ({"next_s": 3_000.0}, "next attempt 3000 s"),
        ({"up_at_end": False}, "the link is down at the end"),
        ({"faults": (Fault("unhandledRejection", "428", 1, 2.0),)}, "unhandledRejection"),
    ],
)
def test_what_a_held_host_falls_short_of(change: dict[str, object], said: str) -> None:
    after = replace(WELL, busiest_hour=17)
    assert after.broken_when_held(WELL) == []
    [line] = replace(after, **change).broken_when_held(WELL)  # type: ignore[arg-type]
    assert said in line


def test_what_the_host_did_before_is_not_held_against_it() -> None:
    faults = (Fault("unhandledRejection", "428", 9, 1.0),)
    before = replace(WELL, next_s=None, up_at_end=False, faults=faults)
    after = replace(before, busiest_hour=17, exits={"1": 3})
    assert after.broken_when_held(before) == []


def test_a_run_that_was_cut_short_still_counts_its_attempts() -> None:
    cut = replace(WELL, not_run="cut short", attempts=9_999, next_s=None, up_at_end=False)
    [line] = replace(cut, busiest_hour=0).broken_when_held(WELL)
    assert "9999 attempts in 24 h" in line
    assert cut.broken()[0].startswith("9999 attempts in 24 h")


def test_the_loop_of_a_held_host_is_no_attempt() -> None:
    looped = replace(WELL, attempts_at=(0.0, 9.0), runs_at=tuple(map(float, range(500))), runs=500)
    only = looped.dials_only()
    assert (only.busiest_hour, only.runs, only.runs_at) == (2, 0, ())
