"""Put a host's channel through the scenarios: bundle it, run it, judge what it did.

The host's code runs in a Node process of its own: virtual time, a fake Baileys, no module
that reaches the network, a throw-away home and working folder, and (Node's permission
model) no writing anywhere else and no child process.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import tempfile
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from math import inf
from pathlib import Path
from typing import Any, Literal

from skill.storm.scenarios import DAY, HOUR, TABLE, Scenario
from skill.storm.supervisor import ALWAYS_5S, Supervisor

Driver = Literal["class", "factory", "module", "main"]
RUNNER = Path(__file__).parent / "runner"
_LIMIT_S = 60.0  # processor time of one scenario, in seconds; the runner looks at it by itself
_LOOK_S = 10.0  # of the look at it
_PATIENCE = 8.0  # so many times as long may it take, on a busy machine, until it is ended
_FOREVER_S = 1e12  # JSON has no infinity
# Files a host may read at its start, beside its code.
_COPIED = ("package.json",)


class StormError(Exception):
    """The host could not be run; the text says why."""


@dataclass(frozen=True, slots=True)
class Fault:
    """An error of the host: ``uncaughtException``, ``unhandledRejection`` or
    ``undefined-socket`` (a socket used before there was one, even if caught and logged)."""

    kind: str
    text: str
    count: int
    first_s: float
    where: str = ""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a host did in one scenario. Times are virtual seconds from its first start.

    attempts: dials (makeWASocket) in the first 24 h. runs: how often the connect function
    loaded its credentials in that time; it counts attempts that fail before the dial.
    busiest_hour counts either. starts and exits (by code or signal): in that time too.
    next_s: from the fault's end to the next attempt, 0 when a link is up by then or the
    fault never ends before the horizon; None: none came. settled_s: when connect() or
    setup() first settled. ready_s: when it had resolved and the link was open.
    """

    scenario: Scenario
    attempts: int
    busiest_hour: int
    runs: int
    starts: int
    exits: dict[str, int]
    next_s: float | None
    first_up_s: float | None
    up_at_end: bool
    settled_s: float | None
    settled_ok: bool | None
    ready_s: float | None
    faults: tuple[Fault, ...]
    notes: tuple[str, ...]
    attempts_at: tuple[float, ...]
    starts_at: tuple[float, ...]
    exits_at: tuple[tuple[float, int | str], ...]
    log: tuple[tuple[float, str, str], ...]
    real_s: float
    not_run: str = ""
    """Why the scenario could not be run to its end; then no other field counts."""
    runs_at: tuple[float, ...] = ()

    @classmethod
    def missing(cls, scenario: Scenario, reason: str) -> Outcome:
        """A scenario that was not run."""
        return cls(
            scenario, 0, 0, 0, 0, {}, None, None, False, None, None, None, (), (), (), (), (), (),
            0.0, reason,
        )  # fmt: skip

    @property
    def undefined_socket(self) -> tuple[Fault, ...]:
        return tuple(fault for fault in self.faults if fault.kind == "undefined-socket")

    def broken(self) -> list[str]:
        """The promises of the scenario's bound that this outcome breaks, a line each."""
        if self.not_run:
            return []
        bound, found = self.scenario.bound, []
        tries = max(self.attempts, self.runs)
        if tries > bound.day:
            found.append(f"{tries} attempts in 24 h, at most {bound.day} promised")
        if self.busiest_hour > bound.hour:
            found.append(f"{self.busiest_hour} attempts in an hour, at most {bound.hour} promised")
        if bound.next_s is not None:
            if self.next_s is None:
                found.append("no attempt after the fault's end")
            elif self.next_s > bound.next_s:
                found.append(
                    f"next attempt {self.next_s:.0f} s after the fault's end,"
                    f" within {bound.next_s:.0f} s promised"
                )
        if bound.first_s is not None and not any(at <= bound.first_s for at in self.attempts_at):
            found.append("the first attempt is delayed")
        if bound.quiet is not None:
            begin, end = bound.quiet
            late = sum(begin <= at < end for at in self.attempts_at)
            if late:
                found.append(f"{late} attempts after second {begin:.0f}, none promised")
        if bound.clean and set(self.exits) - {"0", "SIGTERM"}:
            found.append(f"ends with {', '.join(self.exits)}, status 0 promised")
        if bound.ready and self.ready_s is None:
            found.append("the host never becomes ready")
        if bound.ready and not self.up_at_end:
            found.append("the link is down at the end")
        found.extend(
            f"{fault.kind} at second {fault.first_s:.1f}: {fault.text}" for fault in self.faults
        )
        return found

    def as_json(self, *, times: bool = False) -> dict[str, Any]:
        """Plain values; ``times`` adds every attempt, start and exit, and lines of the log."""
        whole = asdict(self)
        whole["scenario"] = self.scenario.id
        whole["broken"] = self.broken()
        if not times:
            for key in ("attempts_at", "runs_at", "starts_at", "exits_at", "log"):
                del whole[key]
        return whole


def busiest_hour(times: Sequence[float]) -> int:
    """The most of ``times`` (ascending, seconds) in any (t - 3600, t]."""
    most = first = 0
    for last, now in enumerate(times):
        while times[first] <= now - HOUR:
            first += 1
        most = max(most, last - first + 1)
    return most


@dataclass(frozen=True, slots=True)
class Look:
    """What a host does in a healthy minute: whether it can be driven at all.

    settled: whether connect(), setup() or main resolved. problems: errors and notes.
    """

    attempts: int
    opened: int
    settled: bool | None
    folders: tuple[str, ...]
    problems: tuple[str, ...]


Progress = Callable[[Outcome], None]


class Trial:
    """A bundled host, ready to be run. Made by ``prepared``."""

    def __init__(self, node: str, work: Path, request: dict[str, Any]) -> None:
        self._node, self._work, self._request = node, work, request

    def look(self) -> Look:
        """Raises StormError."""
        return self._run([], 1, _LOOK_S, lambda _raw: None)

    def run(
        self,
        scenarios: Iterable[Scenario],
        *,
        supervisor: Supervisor = ALWAYS_5S,
        seed: int = 1,
        limit_s: float = _LIMIT_S,
        progress: Progress | None = None,
    ) -> list[Outcome]:
        """Raises StormError when the host cannot be run at all.

        A scenario that takes longer than ``limit_s`` of processor time has ``not_run`` set.
        """
        left = list(scenarios)
        self._request["supervisor"] = asdict(supervisor)
        done: list[Outcome] = []

        def take(outcome: Outcome) -> None:
            done.append(outcome)
            left.pop(0)
            if progress:
                progress(outcome)

        while left:
            try:
                self._run(left, seed, limit_s, lambda raw: take(_outcome(left[0], raw)))
            except _Hangs as error:
                hung = list(left) if error.at_once else left[:1]
                for scenario in hung:
                    take(Outcome.missing(scenario, str(error)))
        return done

    def _run(
        self,
        scenarios: Sequence[Scenario],
        seed: int,
        limit_s: float,
        take: Callable[[dict[str, Any]], None],
    ) -> Look:
        request = {
            **self._request,
            "scenarios": [_scenario_json(scenario) for scenario in scenarios],
            "seed": seed,
            "limitMs": limit_s * 1000,
        }
        command = [self._node, *_fences(self._node, self._work), str(RUNNER / "main.cjs")]
        look: Look | None = None
        patience = limit_s * _PATIENCE
        for answer in _lines(command, self._work / "run.json", request, self._work, patience):
            if "look" in answer:
                seen = answer["look"]
                problems = tuple(dict.fromkeys([*seen["notes"], *seen["faults"]]))
                look = Look(
                    seen["attempts"],
                    seen["opened"],
                    seen["settled"],
                    tuple(seen["folders"]),
                    problems,
                )
            else:
                take(answer)
        if look is None:
            raise StormError("the runner gave no answer")
        return look


class _Hangs(StormError):
    """The host's code did not return. at_once: not even in the look at it."""

    def __init__(self, patience_s: float, at_once: bool) -> None:
        self.at_once = at_once
        super().__init__(f"the host's code did not return within {patience_s:.0f} s")


@contextmanager
def prepared(
    host_root: Path,
    channel: str,
    *,
    driver: Driver = "class",
    node_tools: Path,
    registry: bool = False,
    class_name: str | None = None,
    start: str | None = None,
    ready_log: str | None = None,
    environment: Mapping[str, str] | None = None,
    node: str = "node",
) -> Iterator[Trial]:
    """Bundle a host into a temporary folder, which is gone afterwards. Raises StormError.

    channel: its channel file (or, for driver ``main``, its main), relative to the root.
    registry: a second channel is connected, which keeps the process alive. class_name,
    start: the exported class and its method that driver ``class`` calls (else the first with
    ``connect``); for driver ``module`` start is the exported function (else the import
    starts it, or a function with a telling name). ready_log: for driver ``main``, a regular
    expression for the line that says that main is through; without one the first open
    counts. environment: variables of the host's, such as another channel's token.
    node_tools: a folder whose node_modules holds esbuild.
    """
    if not (host_root / channel).is_file():
        raise StormError(f"{channel}: no such file in {host_root}")
    with tempfile.TemporaryDirectory(prefix="storm-", dir=_fast_folder()) as made:
        work = Path(made).resolve()
        bundle = work / "bundle.js"
        request = {
            "root": str(host_root.resolve()),
            "entry": channel,
            "out": str(bundle),
            "tools": str(node_tools.resolve()),
            "virtualRoot": str(work / "host"),
            "capture": driver == "factory",
            "stubHeavy": driver in ("class", "factory"),
        }
        command = [node, str(RUNNER / "bundle.cjs")]
        for _ in _lines(command, work / "bundle.json", request, work, _LIMIT_S * _PATIENCE):
            pass
        yield Trial(
            node,
            work,
            {
                "bundle": str(bundle),
                "driver": driver,
                "registry": registry,
                "className": class_name,
                "startName": start,
                "readyLog": ready_log,
                "work": str(work),
                "home": str(work / "home"),
                "cwd": str(work / "host"),
                "mainFile": str(work / "host" / channel),
                "environment": {"PATH": "/usr/bin:/bin", "TZ": "UTC", **(environment or {})},
                "supervisor": asdict(ALWAYS_5S),
                "files": {
                    name: (host_root / name).read_text("utf-8")
                    for name in _COPIED
                    if (host_root / name).is_file()
                },
            },
        )


def simulate(
    host_root: Path,
    channel: str,
    *,
    driver: Driver = "class",
    supervisor: Supervisor = ALWAYS_5S,
    scenarios: Iterable[Scenario] = TABLE,
    node_tools: Path,
    registry: bool = False,
    start: str | None = None,
    ready_log: str | None = None,
    environment: Mapping[str, str] | None = None,
    node: str = "node",
    seed: int = 1,
) -> list[Outcome]:
    """Run the host in ``host_root`` through ``scenarios`` and say what it did.

    What the options mean: ``prepared``. Raises StormError.
    """
    with prepared(
        host_root,
        channel,
        driver=driver,
        node_tools=node_tools,
        registry=registry,
        start=start,
        ready_log=ready_log,
        environment=environment,
        node=node,
    ) as trial:
        return trial.run(scenarios, supervisor=supervisor, seed=seed)


def _fast_folder() -> str | None:
    """Memory, where there is some: a host writes some files 72,000 times a day."""
    fast = "/dev/shm"
    return fast if os.path.isdir(fast) and os.access(fast, os.W_OK | os.X_OK) else None


def _fences(node: str, work: Path) -> list[str]:
    """Node's permission model: reads anywhere, writes in ``work`` only, no children."""
    version = subprocess.run(
        [node, "--version"], capture_output=True, text=True, check=False
    ).stdout
    try:
        major, minor = (int(part) for part in version.strip().lstrip("v").split(".")[:2])
    except ValueError as error:
        raise StormError("node --version gives no version; install Node.js 20 or later") from error
    flag = "--permission" if (major, minor) >= (23, 5) else "--experimental-permission"
    return [flag, "--no-warnings", "--allow-fs-read=*", f"--allow-fs-write={work}{os.sep}*"]


def _lines(
    command: list[str], request_file: Path, request: dict[str, Any], work: Path, patience_s: float
) -> Iterator[dict[str, Any]]:
    """Run a script of the runner; its lines of JSON as they come.

    Raises _Hangs when no line comes for ``patience_s``, StormError when it fails.
    """
    if shutil.which(command[0]) is None:
        raise StormError(f"{command[0]}: not found; install Node.js 20 or later")
    request_file.write_text(json.dumps(request), "utf-8")
    home = work / "home"
    home.mkdir(exist_ok=True)
    environment = {"PATH": os.environ.get("PATH", ""), "HOME": str(home), "TZ": "UTC"}
    complaints = work / "stderr.txt"
    hung = False
    answers = 0

    def give_up() -> None:
        nonlocal hung
        hung = True
        child.kill()

    with complaints.open("w", encoding="utf-8") as stderr:
        child = subprocess.Popen(
            [*command, str(request_file)],
            cwd=work,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=stderr,
            text=True,
            encoding="utf-8",
        )
        assert child.stdout is not None
        timer = threading.Timer(patience_s, give_up)
        timer.start()
        try:
            for line in child.stdout:
                timer.cancel()
                answers += 1
                yield json.loads(line)
                timer = threading.Timer(patience_s, give_up)
                timer.start()
            child.wait()
        finally:
            timer.cancel()
            child.kill()
            child.stdout.close()
            child.wait()
    if hung:
        raise _Hangs(patience_s, at_once=answers == 0)
    if child.returncode:
        text = complaints.read_text("utf-8", errors="replace").strip()
        raise StormError(text or f"node ended with status {child.returncode}")


def _scenario_json(scenario: Scenario) -> dict[str, Any]:
    phases = [asdict(phase) for phase in scenario.phases]
    for phase in phases:
        phase["until_s"] = min(phase["until_s"], _FOREVER_S)
    acts = [asdict(act) for act in scenario.acts]
    for act in acts:
        act["until_s"] = min(act["until_s"], _FOREVER_S)
    return {
        "id": scenario.id,
        "creds": scenario.creds,
        "horizon_s": scenario.horizon_s,
        "phases": phases,
        "acts": acts,
    }


def _outcome(scenario: Scenario, raw: dict[str, Any]) -> Outcome:
    assert raw["scenario"] == scenario.id
    attempts_at = tuple(raw["attempts_at"])
    in_a_day = [at for at in attempts_at if at < DAY]
    exits: dict[str, int] = {}
    for at, code in raw["exits"]:
        if at < DAY:
            exits[str(code)] = exits.get(str(code), 0) + 1
    next_s: float | None = 0.0
    if scenario.fault_ends_s < inf:
        later = (at - scenario.fault_ends_s for at in attempts_at if at >= scenario.fault_ends_s)
        # A link that flapped and was open at the fault's end stays so: no attempt needed.
        next_s = next(later, 0.0 if raw["up_at_end"] else None)
    return Outcome(
        scenario=scenario,
        attempts=len(in_a_day),
        busiest_hour=max(busiest_hour(attempts_at), busiest_hour(raw["runs_at"])),
        runs=sum(at < DAY for at in raw["runs_at"]),
        starts=sum(at < DAY for at in raw["starts_at"]),
        exits=exits,
        next_s=next_s,
        first_up_s=raw["first_up_s"],
        up_at_end=raw["up_at_end"],
        settled_s=raw["settled_s"],
        settled_ok=raw["settled_ok"],
        ready_s=raw["ready_s"],
        faults=tuple(Fault(**fault) for fault in raw["faults"]),
        notes=tuple(raw["notes"]),
        attempts_at=attempts_at,
        starts_at=tuple(raw["starts_at"]),
        exits_at=tuple((at, code) for at, code in raw["exits"]),
        log=tuple((at, level, text) for at, level, text in raw["log"]),
        real_s=raw["real_s"],
        not_run=raw["not_run"],
        runs_at=tuple(raw["runs_at"]),
    )
