"""Put a Python channel through the scenarios, and judge what it did.

A copy of the host's code runs in a child process of its own for each scenario, in the fence that
the system has (``skill.storm.fence``): ``python -I -S``, so without any installed package; virtual
time; a fake bridge or a fake neonize. Sockets that refuse, no children, no writing outside a
throw-away folder (``runner/fences.py``) are for what a bot does by accident.
"""

from __future__ import annotations

import json
import marshal
import os
import shutil
import sys
import time
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from functools import cache
from importlib.util import MAGIC_NUMBER
from pathlib import Path
from typing import Any

from modify.units.supervisor import Supervisor
from skill.host import LARGEST_SOURCE, Host
from skill.storm import fence as fences
from skill.storm.child import NotRun, answers, junk
from skill.storm.fence import MIB, Fence, Limits
from skill.storm.folder import throw_away
from skill.storm.host.python_channels import PythonChannel, discover
from skill.storm.outcome import Outcome, StormError, checked, fast_folder
from skill.storm.python.scenarios import STOPS_WITHIN, TABLES, PythonScenario
from skill.storm.supervisor import ALWAYS_5S, rules

RUNNER = Path(__file__).parent / "runner"
TIMEOUT_S = 300.0  # real seconds for one scenario
_ENVIRONMENT = {"PATH": "/usr/bin:/bin", "TZ": "UTC", "LANG": "C.UTF-8"}
# The runner ends a host of more than 1,000 threads itself, so each must be small.
_LIMITS = Limits(
    memory=2048 * MIB, addresses=4096 * MIB, stack=MIB, cpu_s=int(TIMEOUT_S), threads=1_100
)
_SEEN = (
    *("attempts_at", "starts_at", "exits", "settled_s", "settled_ok", "ended_s", "first_up_s"),
    *("up_at_end", "faults", "notes", "log", "cannot", "more"),
)
_FOREVER_S = 1e12  # JSON has no infinity
_COPIED = (".py", ".json", ".toml", ".yaml", ".yml", ".ini", ".cfg", ".txt")


@dataclass(frozen=True, slots=True, kw_only=True)
class PythonOutcome(Outcome):
    """An Outcome of a Python channel.

    attempts: dials of the bridge, or of WhatsApp by whatsmeow; runs is the same number.
    settled_s: when the driven call returned (settled_ok) or raised. ready_s: the first open.
    ended_s: when the process ended, or the neonize client was stopped. not_run: why the
    scenario was not played, or why nothing was dialled in it; then no other field counts.
    """

    ended_s: float | None = None

    def broken(self) -> list[str]:
        if self.not_run:
            return []
        found = Outcome.broken(self)
        if self.more:
            return found
        scenario = self.scenario
        assert isinstance(scenario, PythonScenario)
        if scenario.ends and self.ended_s is None:
            found.append("the client goes on after its session has ended")
        stop = scenario.stop_at_s
        if stop is not None:
            late = sum(at > stop for at in self.attempts_at)
            if late:
                found.append(f"{late} attempts after stop()")
            ended = [at for at in (self.settled_s, self.ended_s) if at is not None and at >= stop]
            if not ended or min(ended) > stop + STOPS_WITHIN:
                found.append(f"stop() has not ended the wait within {STOPS_WITHIN:.0f} s")
        return found


def why_not(channel: PythonChannel, scenario: PythonScenario) -> str:
    """Why a scenario cannot be played for a channel; nothing if it can."""
    if channel.cannot:
        return channel.cannot
    if scenario.way != channel.way:
        return f"a scenario of a {scenario.way} channel, and this is a {channel.way} channel"
    if scenario.hears_logout and not channel.hears_logout:
        return "the channel does not read what its bridge says about the session"
    if scenario.stop_at_s is not None and channel.kind == "class" and not channel.stops:
        return "the channel has no stop()"
    if scenario.stop_at_s is not None and channel.kind == "function" and not channel.flags:
        return "the function has no way to be stopped"
    return ""


def simulate_python(
    host_root: Path,
    channel: str | PythonChannel,
    *,
    supervisor: Supervisor = ALWAYS_5S,
    scenarios: Iterable[PythonScenario] | None = None,
    python: str | None = None,
    environment: Mapping[str, str] | None = None,
    workers: int = 1,
    timeout_s: float = TIMEOUT_S,
    seed: int = 1,
    fence: Fence | None = None,
    briefly: bool = False,
) -> list[PythonOutcome]:
    """Run the channel of the host in ``host_root`` through ``scenarios``, in their order.

    channel: its file, relative to the root, or what discover() found. scenarios: None for the
    table of this kind of channel. python: the interpreter, 3.11 or later; the running one if
    None. environment: variables of the host's. workers: scenarios at a time. timeout_s: real
    seconds for each. fence: None for what works here. briefly: a storm is cut short once it
    breaks the scenario's bound a hundredfold. An outcome whose ``not_run`` is set was
    not played, and says why.
    Raises StormError when there is no such channel.
    """
    found = channel if isinstance(channel, PythonChannel) else _find(host_root, channel)
    wanted = list(TABLES[found.way] if scenarios is None else scenarios)

    fence = fences.find() if fence is None else fence
    program = shutil.which(python or sys.executable)
    if program is None:
        raise StormError(f"{python}: not found")
    with throw_away("storm-", None if fence.kind else fast_folder()) as made:
        source = made / "source"
        _copy(host_root.resolve(), source)
        modules = _runner(program, made)

        def play(numbered: tuple[int, PythonScenario]) -> PythonOutcome:
            number, scenario = numbered
            reason = why_not(found, scenario)
            if reason:
                return PythonOutcome.missing(scenario, reason)
            place = made / str(number)
            work, host = place / "work", place / "work" / "host"
            work.mkdir(parents=True)
            drive = asdict(found) | {"class": found.name, "function": found.name}
            request = {
                "scenario": _scenario_json(scenario, briefly),
                "supervisor": rules(supervisor),
                "drive": drive,
                "modules": str(modules),
                "source": str(source),
                "host": str(host),
                "roots": [str(host / found.root), str(host)] if found.root else [str(host)],
                "channel_file": str(host / found.path),
                "work": str(work),
                "environment": {**_ENVIRONMENT, **(environment or {})},
                "seed": seed,
            }
            began = time.monotonic()
            said = answers(
                [program, "-I", "-S", "-B", str(RUNNER / "main.py")],
                request,
                fence=fence,
                reads=[RUNNER, modules, source],
                place=place,
                work=work,
                limits=_LIMITS,
                patience_s=timeout_s,
            )
            raw: object = None
            try:
                raw = next(said, None)
                if next(said, None) is not None:
                    raise ValueError("more than one answer")
                return _outcome(scenario, raw, time.monotonic() - began)
            except NotRun as error:
                return PythonOutcome.missing(scenario, str(error))
            except ValueError:
                return PythonOutcome.missing(scenario, junk(json.dumps(raw)))
            finally:
                shutil.rmtree(place, ignore_errors=True)

        with ThreadPoolExecutor(max_workers=max(1, workers)) as pool:
            return list(pool.map(play, enumerate(wanted)))


def _find(root: Path, path: str) -> PythonChannel:
    found = [channel for channel in discover(Host(root)) if channel.path == path]
    if not found:
        raise StormError(f"{path}: no WhatsApp channel of a known kind in this file")
    return next((channel for channel in found if not channel.cannot), found[0])


@cache
def _compiled() -> Mapping[str, bytes]:
    """The runner's modules as this interpreter compiles them, by file name (PEP 552)."""
    found = {}
    header = MAGIC_NUMBER + (1).to_bytes(4, "little") + bytes(8)  # never compared with a source
    for file in RUNNER.glob("*.py"):
        code = compile(file.read_bytes(), str(file), "exec", dont_inherit=True, optimize=0)
        found[f"{file.name}c"] = header + marshal.dumps(code)
    return found


def _runner(program: str, made: Path) -> Path:
    """The folder that ``program`` imports the runner from: compiled once for all scenarios.

    Each is a process of its own, which would compile it anew where the installation has not.
    """
    if not os.path.samefile(program, sys.executable):
        return RUNNER
    target = made / "runner"
    target.mkdir()
    for name, data in _compiled().items():
        (target / name).write_bytes(data)
        (target / name).chmod(0o644)
    target.chmod(0o755)  # the fence may run it as another user
    return target


def _copy(root: Path, target: Path) -> None:
    """The host's own code and settings, for a bot writes logs and the like beside its code."""
    target.mkdir()
    for file in Host(root).files.values():
        if file.path.endswith(_COPIED) and file.size <= LARGEST_SOURCE:
            copy = target / file.path
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(file.absolute, copy)
            copy.chmod(0o644)
    for folder, _, _ in os.walk(target):
        os.chmod(folder, 0o755)  # the fence may run it as another user


def _scenario_json(scenario: PythonScenario, briefly: bool) -> dict[str, Any]:
    phases = [asdict(phase) for phase in scenario.phases]
    for phase in phases:
        phase["until_s"] = min(phase["until_s"], _FOREVER_S)
    return {
        "id": scenario.id,
        "creds": scenario.creds,
        "horizon_s": scenario.horizon_s,
        "stop_at_s": scenario.stop_at_s,
        "restart_every_s": scenario.restart_every_s,
        "phases": phases,
        "most": scenario.bound.hundredfold if briefly else None,
    }


def _outcome(scenario: PythonScenario, said: object, real_s: float) -> PythonOutcome:
    """Raises ValueError when what the runner said is no outcome."""
    raw = checked(said, _SEEN)
    reasons = [*raw["notes"], *(fault["text"] for fault in raw["faults"])]
    reasons = [raw["cannot"]] if raw["cannot"] else reasons[:3]
    # Nothing was dialled, so nothing was shown: that is no pass.
    why = (
        "" if raw["attempts_at"] else "; ".join(["the channel connects to nothing here", *reasons])
    )
    seen = raw | {
        "runs_at": raw["attempts_at"],
        "ready_s": raw["first_up_s"],
        "real_s": real_s,
        "not_run": why,
    }
    return PythonOutcome.of(scenario, seen, ended_s=raw["ended_s"])
