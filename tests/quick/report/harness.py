"""Simulations as they come out of a run, without one."""

from __future__ import annotations

from collections.abc import Sequence

from skill.storm.catalogue import BY_ID
from skill.storm.host.channels import HostChannel
from skill.storm.host.units import OwnUnit
from skill.storm.outcome import Outcome
from skill.storm.simulate import Side, Simulation
from skill.storm.supervisor import ALWAYS_5S


def outcome(id: str, attempts_at: Sequence[float] = (), **seen: object) -> Outcome:
    """What a host did in the scenario; ``seen``: what a runner says beside the attempts."""
    raw: dict[str, object] = {
        "attempts_at": attempts_at,
        "runs_at": (),
        "starts_at": (0.0,),
        "exits": (),
        "first_up_s": None,
        "settled_s": None,
        "settled_ok": None,
        "ready_s": None,
        "up_at_end": False,
        "faults": (),
        "notes": (),
        "log": (),
        "real_s": 0.0,
        "not_run": "",
    }
    return Outcome.of(BY_ID[id], raw | seen)


def simulation(
    *pairs: tuple[Outcome, Outcome], path: str = "src/channels/whatsapp.ts"
) -> Simulation:
    """A channel with the outcomes of each scenario, before and after."""
    unit = OwnUnit(ALWAYS_5S, "setup/service.ts", 84)
    before, after = (Side(unit, [pair[side] for pair in pairs]) for side in (0, 1))
    return Simulation(HostChannel(path, 38, "typescript"), before, after, way="by new Line()")
