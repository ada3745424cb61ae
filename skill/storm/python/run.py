"""Put a Python channel through the scenarios, and judge what it did.

A copy of the host's code runs in a child process of its own for each scenario: ``python -I -S``,
so without any installed package; virtual time; a fake bridge or a fake neonize; sockets that
refuse, no children, no writing outside a throw-away folder (``runner/fences.py``); bounded in
real time.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path
from queue import Queue
from typing import Any

from skill.host import LARGEST_SOURCE, Host
from skill.storm.outcome import Outcome, StormError, fast_folder
from skill.storm.python.discover import PythonChannel, discover
from skill.storm.python.scenarios import STOPS_WITHIN, TABLES, PythonScenario
from skill.storm.supervisor import ALWAYS_5S, Supervisor

RUNNER = Path(__file__).parent / "runner"
TIMEOUT_S = 300.0  # real seconds for one scenario
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
) -> list[PythonOutcome]:
    """Run the channel of the host in ``host_root`` through ``scenarios``, in their order.

    channel: its file, relative to the root, or what discover() found. scenarios: None for the
    table of this kind of channel. python: the interpreter, 3.11 or later; the running one if
    None. environment: variables of the host's. workers: scenarios at a time. timeout_s: real
    seconds for each. An outcome whose ``not_run`` is set was not played, and says why.
    Raises StormError when there is no such channel.
    """
    found = channel if isinstance(channel, PythonChannel) else _find(host_root, channel)
    wanted = list(TABLES[found.way] if scenarios is None else scenarios)

    with tempfile.TemporaryDirectory(prefix="storm-", dir=fast_folder()) as made:
        # A folder for each worker, so that what it compiles is good for its next scenario.
        places: Queue[Path] = Queue()
        for number in range(max(1, workers)):
            places.put(Path(made).resolve() / str(number))

        def play(scenario: PythonScenario) -> PythonOutcome:
            reason = why_not(found, scenario)
            if reason:
                return PythonOutcome.missing(scenario, reason)
            place = places.get()
            try:
                return _play(
                    place,
                    host_root.resolve(),
                    found,
                    scenario,
                    supervisor,
                    python or sys.executable,
                    {
                        "PATH": "/usr/bin:/bin",
                        "TZ": "UTC",
                        "LANG": "C.UTF-8",
                        **(environment or {}),
                    },
                    timeout_s,
                    seed,
                )
            finally:
                places.put(place)

        with ThreadPoolExecutor(max_workers=max(1, workers)) as pool:
            return list(pool.map(play, wanted))


def _find(root: Path, path: str) -> PythonChannel:
    found = [channel for channel in discover(Host(root)) if channel.path == path]
    if not found:
        raise StormError(f"{path}: no WhatsApp channel of a known kind in this file")
    return next((channel for channel in found if not channel.cannot), found[0])


def _play(
    place: Path,
    root: Path,
    channel: PythonChannel,
    scenario: PythonScenario,
    supervisor: Supervisor,
    python: str,
    environment: dict[str, str],
    timeout_s: float,
    seed: int,
) -> PythonOutcome:
    work, cache = place / "work", place / "cache"
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir(parents=True)
    cache.mkdir(exist_ok=True)
    request, out, copied = place / "request.json", work / "outcome.json", work / "host"
    _copy(root, copied)
    drive = asdict(channel) | {"class": channel.name, "function": channel.name}
    roots = [copied / channel.root, copied] if channel.root else [copied]
    asked = {
        "scenario": _scenario_json(scenario),
        "supervisor": asdict(supervisor),
        "drive": drive,
        "host": str(copied),
        "roots": [str(folder) for folder in roots],
        "channel_file": str(copied / channel.path),
        "work": str(work),
        "cache": str(cache),
        "out": str(out),
        "environment": environment,
        "seed": seed,
    }
    request.write_text(json.dumps(asked), "utf-8")
    began = time.monotonic()
    try:
        done = subprocess.run(
            [python, "-I", "-S", "-B", str(RUNNER / "main.py"), str(request)],
            cwd=work,
            env={"PATH": environment["PATH"], "HOME": str(work), "TZ": "UTC"},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=timeout_s,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return PythonOutcome.missing(
            scenario, f"the host did not come to an end in {timeout_s:.0f} s"
        )
    except OSError as error:
        raise StormError(f"{python}: cannot be started ({error.strerror})") from error
    if done.returncode or not out.exists():
        last = done.stderr.strip().rpartition("\n")[2]
        return PythonOutcome.missing(
            scenario, last or f"its process ended with status {done.returncode}"
        )
    raw = json.loads(out.read_text("utf-8"))
    return _outcome(scenario, raw, time.monotonic() - began)


def _copy(root: Path, target: Path) -> None:
    """The host's own code and settings, for a bot writes logs and the like beside its code."""
    target.mkdir()
    for file in Host(root).files.values():
        if file.path.endswith(_COPIED) and file.size <= LARGEST_SOURCE:
            copy = target / file.path
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(file.absolute, copy)


def _scenario_json(scenario: PythonScenario) -> dict[str, Any]:
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
    }


def _outcome(scenario: PythonScenario, raw: dict[str, Any], real_s: float) -> PythonOutcome:
    reasons = [*raw["notes"], *(fault["text"] for fault in raw["faults"])]
    reasons = [raw["cannot"]] if raw["cannot"] else reasons[:3]
    # Nothing was dialled, so nothing was shown: that is no pass.
    why = "" if raw["attempts_at"] else "; ".join(["the channel dials nothing here", *reasons])
    seen = raw | {
        "runs_at": raw["attempts_at"],
        "ready_s": raw["first_up_s"],
        "real_s": real_s,
        "not_run": why,
    }
    return PythonOutcome.of(scenario, seen, ended_s=raw["ended_s"])
