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
from pathlib import Path
from typing import Any, Literal

from skill.storm.outcome import Outcome, StormError, fast_folder
from skill.storm.scenarios import TABLE, Scenario
from skill.storm.supervisor import ALWAYS_5S, Supervisor

Driver = Literal["class", "factory", "module", "main"]
RUNNER = Path(__file__).parent / "runner"
_LIMIT_S = 60.0  # processor time of one scenario, in seconds; the runner looks at it by itself
_LOOK_S = 10.0  # of the look at it
_PATIENCE = 8.0  # so many times as long may it take, on a busy machine, until it is ended
_FOREVER_S = 1e12  # JSON has no infinity
# Files a host may read at its start, beside its code.
_COPIED = ("package.json",)


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
                self._run(left, seed, limit_s, lambda raw: take(Outcome.of(left[0], raw)))
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
    with tempfile.TemporaryDirectory(prefix="storm-", dir=fast_folder()) as made:
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
