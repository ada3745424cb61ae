"""Put a host's channel through the scenarios: bundle it, run it, judge what it did.

The host's code runs in a Node process of its own, in the fence that the system has
(``skill.storm.fence``): virtual time, a fake Baileys, no module that reaches the network, a
throw-away home and working folder. It shares the process with the runner, so a bot that means
harm can make up its figures; but what comes back is bounded, and is looked at before use.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from functools import cache
from itertools import count
from math import inf
from pathlib import Path
from typing import Any

from modify.baileys.search.names import is_baileys
from modify.baileys.search.packages import packages_of
from modify.units.supervisor import Supervisor
from skill.host import LARGEST_SOURCE, Host
from skill.source_paths import SCRIPTS
from skill.storm import fence as fences
from skill.storm.child import NotRun, answers, junk
from skill.storm.fence import MIB, Fence, Limits
from skill.storm.folder import throw_away
from skill.storm.host.channels import Driver
from skill.storm.host.copies import is_secret
from skill.storm.outcome import Outcome, StormError, checked, fast_folder
from skill.storm.scenarios import MOST_WHEN_HELD, TABLE, Scenario
from skill.storm.supervisor import ALWAYS_5S, rules

RUNNER = Path(__file__).parent / "runner"
_LIMIT_S = 60.0  # processor time of one scenario, in seconds; the runner looks at it by itself
_LOOK_S = 10.0  # of the look at it
_PATIENCE = 8.0  # so many times as long may it take, on a busy machine, until it is ended
_STARTS = 300  # a bot restarted so often while nothing changes is restarted forever
_FOREVER_S = 1e12  # JSON has no infinity
_MEMORY = 2048 * MIB
_THREADS = 64
_BUNDLING = Limits(_MEMORY, cpu_s=120, threads=128, children=True)
# What the runner says of a scenario.
_SEEN = (
    *("attempts_at", "runs_at", "starts_at", "exits", "settled_s", "settled_ok", "first_up_s"),
    *("ready_s", "up_at_end", "faults", "notes", "log", "real_s", "not_run", "more", "saves"),
)
# So many bytes may the modules of a host be, as they are run.
_MOST_MODULES = 128 * MIB
TYPES = (".d.ts", ".d.mts", ".d.cts")
_KINDS = ("cjs", "esm", "async", "bad")


@dataclass(frozen=True, slots=True)
class Look:
    """What a host does in a healthy minute: whether it can be driven at all.

    settled: whether connect(), setup() or main resolved. problems: errors and notes.
    stood_in: what it asked for and is not there, such as packages: a stand-in answered.
    unanswered: whether more could be made up for one that does not dial: ``prepared``.
    """

    attempts: int
    opened: int
    settled: bool | None
    folders: tuple[str, ...]
    problems: tuple[str, ...]
    stood_in: tuple[str, ...] = ()
    unanswered: bool = False


Progress = Callable[[Outcome], None]


class Trial:
    """A bundled host, ready to be run, also in several runs at a time. Made by ``prepared``."""

    def __init__(self, node: str, place: Path, request: dict[str, Any], fence: Fence) -> None:
        self._node, self._place, self._request, self._fence = node, place, request, fence
        self._numbers = count(1)

    @property
    def bundle(self) -> Path:
        """The host's modules as they are run, in one file."""
        return Path(self._request["bundle"])

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
        briefly: bool = False,
        dials_only: bool = False,
    ) -> list[Outcome]:
        """One outcome for each scenario; ``not_run`` is set where the host's code takes longer
        than ``limit_s`` of processor time, breaks off, or spoils the runner's answer.

        briefly: a storm is cut short once it breaks the scenario's bound a hundredfold; by its
        dials and by the times that it loads its credentials, or by its dials_only. So are
        restarts that go on, where nothing will ever change.
        """
        left = list(scenarios)
        done: list[Outcome] = []

        def take(outcome: Outcome) -> None:
            done.append(outcome)
            left.pop(0)
            if progress:
                progress(outcome)

        while left:
            try:
                wanted = [_scenario_json(scenario, briefly, dials_only) for scenario in left]
                self._run(
                    wanted, seed, limit_s, lambda raw: take(_outcome(left[0], raw)), supervisor
                )
            except NotRun as error:
                hung = list(left) if error.at_once else left[:1]
                for scenario in hung:
                    take(Outcome.missing(scenario, str(error)))
        return done

    def _run(
        self,
        scenarios: Sequence[dict[str, Any]],
        seed: int,
        limit_s: float,
        take: Callable[[object], None],
        supervisor: Supervisor = ALWAYS_5S,
    ) -> Look:
        """Raises NotRun."""
        work = _folder(self._place / f"work-{next(self._numbers)}")
        request = {
            **self._request,
            "work": str(work),
            "home": str(work / "home"),
            "cwd": str(work / "host"),
            "supervisor": rules(supervisor),
            "scenarios": scenarios,
            "seed": seed,
            "limitMs": limit_s * 1000,
        }
        wanted, heard = len(scenarios), 0
        look: Look | None = None
        said = answers(
            [self._node, *_guards(self._node, work), str(RUNNER / "main.cjs")],
            request,
            fence=self._fence,
            reads=[RUNNER, *(self._request[key] for key in ("bundle", "index", "root"))],
            place=self._place,
            work=work,
            limits=Limits(
                _MEMORY, cpu_s=int(limit_s * (len(scenarios) + 1)) + 30, threads=_THREADS
            ),
            patience_s=limit_s * _PATIENCE,
        )
        for heard, answer in enumerate(said):
            try:
                if heard == 0:
                    look = _look(answer["look"])
                elif heard <= wanted:
                    take(answer)
                else:
                    raise ValueError("more answers than scenarios")
            except (ValueError, KeyError, TypeError):
                raise NotRun(junk(json.dumps(answer)), at_once=heard == 0) from None
        if look is None:
            raise NotRun("the runner gave no answer", at_once=True)
        if heard < wanted:
            raise NotRun("its process ended before the scenario did", at_once=False)
        return look


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
    fence: Fence | None = None,
    guard: str = "",
    first: str = "",
    made_up: bool = False,
) -> Iterator[Trial]:
    """Bundle a host into a temporary folder, which is gone afterwards. Raises StormError.

    channel: its channel file (or, for driver ``main``, its main), relative to the root.
    registry: a second channel is connected, which keeps the process alive. class_name,
    start: the exported class and its method that driver ``class`` calls (else the first with
    ``connect``); for driver ``module`` start is the exported function (else the import
    starts it, or a function with a telling name). ready_log: for driver ``main``, a regular
    expression for the line that says that main is through; without one the first open
    counts. environment: variables of the host's, such as another channel's token.
    node_tools: a folder whose node_modules holds esbuild. fence: None for what works here.
    guard: the module that Baileys' exports pass through (``skill.guard.render``), if any.
    first: a file that is run before the channel file, as the host's main. made_up: its database
    knows one session, which is linked where the scenario's bot is, a person answers at its
    terminal, and what its main may hand over switched on is off.
    """
    fence = fences.find() if fence is None else fence
    node = _program(node)
    if not os.path.isfile(host_root / channel):
        raise StormError(f"{channel}: no such file in {host_root}")
    host = Host(host_root)
    with throw_away("storm-", None if fence.kind else fast_folder()) as place:
        readable = _readable(host, place) if fence.other_user else host
        modules = _modules(node, host, readable, node_tools, fence, place)
        modules.require_readable(channel)
        bundle, index = place / "bundle.js", place / "index.json"
        bundle.write_bytes(modules.texts)
        index.write_text(json.dumps({"files": modules.files, "modules": modules.index}), "utf-8")
        for file in (bundle, index):
            file.chmod(0o644)
        yield Trial(
            node,
            place,
            {
                "bundle": str(bundle),
                "index": str(index),
                "root": str(readable.root),
                "entry": channel,
                "first": first,
                "madeUp": made_up,
                "driver": driver,
                "registry": registry,
                "className": class_name,
                "startName": start,
                "readyLog": ready_log,
                "environment": {"PATH": "/usr/bin:/bin", "TZ": "UTC", **(environment or {})},
                "baileys": sorted(_libraries(host)),
                "guard": guard,
            },
            fence,
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
    fence: Fence | None = None,
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
        fence=fence,
    ) as trial:
        return trial.run(scenarios, supervisor=supervisor, seed=seed)


@cache
def _version(node: str) -> tuple[int, ...]:
    done = subprocess.run([node, "--version"], cwd="/", capture_output=True, text=True, check=False)
    try:
        return tuple(int(part) for part in done.stdout.strip().lstrip("v").split(".")[:2])
    except ValueError as error:
        raise StormError("node --version gives no version; install Node.js 20 or later") from error


@cache
def _program(node: str) -> str:
    """The Node.js itself, and not what a version manager puts in its place."""
    found = shutil.which(node)
    if found is None:
        raise StormError(f"{node}: not found; install Node.js 20 or later")
    command = [found, "-p", "process.execPath"]
    done = subprocess.run(command, cwd="/", capture_output=True, text=True, check=False)
    said = done.stdout.strip()
    return said if os.path.isabs(said) and os.access(said, os.X_OK) else found


def _guards(node: str, work: Path) -> list[str]:
    """Node's permission model, against accidents: writes in ``work`` only, no children."""
    flag = "--permission" if _version(node) >= (23, 5) else "--experimental-permission"
    return [flag, "--no-warnings", "--allow-fs-read=*", f"--allow-fs-write={work}{os.sep}*"]


@dataclass(frozen=True, slots=True)
class _Modules:
    """A host's modules as they are run. files: sizes by path. index: kind, whether it opens a
    database, and where its text is, by path.
    """

    texts: bytes
    index: dict[str, tuple[str, bool, int, int]]
    files: dict[str, int]

    def require_readable(self, entry: str) -> None:
        """Raises StormError."""
        kind, _, start, length = self.index.get(entry, ("bad", False, 0, 0))
        if kind == "bad":
            why = self.texts[start : start + length].decode("utf-8")
            raise StormError(why or f"{entry}: is too large to be source")


def _stamp(host: Host) -> int:
    """A number that changes when a file of the host does."""
    files = host.files.values()
    return hash(tuple((one.path, one.size, one.absolute.stat().st_mtime_ns) for one in files))


_MADE: dict[tuple[Path, int], _Modules] = {}
_MOST_MADE = 4  # both sides of a host, and of one before


def _modules(
    node: str, host: Host, readable: Host, tools: Path, fence: Fence, place: Path
) -> _Modules:
    """The host's modules, made before or now. Raises StormError.

    readable: the host, or its copy that the fence's user can read.
    """
    key = (host.root, _stamp(host))
    if key not in _MADE:
        made = _bundle(node, readable, tools, fence, place)
        while len(_MADE) >= _MOST_MADE:
            _MADE.pop(next(iter(_MADE)), None)
        _MADE[key] = made
    return _MADE[key]


def _bundle(node: str, host: Host, tools: Path, fence: Fence, place: Path) -> _Modules:
    """Raises StormError."""
    root = host.root
    files = {file.path: file.size for file in host.files.values() if not is_secret(file.path)}
    scripts = [path for path, size in files.items() if _is_script(path, size)]
    said = answers(
        [node, str(RUNNER / "bundle.cjs")],
        {"root": str(root), "tools": str(tools.resolve()), "files": [*files], "scripts": scripts},
        fence=fence,
        reads=[RUNNER, root, *_tools(tools)],
        place=place,
        work=_folder(place / "bundling"),
        limits=_BUNDLING,
        patience_s=_LIMIT_S * _PATIENCE,
    )
    texts, index = bytearray(), {}
    for answer in said:
        try:
            path, kind, heavy, text = (answer[key] for key in ("path", "kind", "heavy", "text"))
            if path not in files or kind not in _KINDS or type(heavy) is not bool:
                raise ValueError("fields")
            written = text.encode("utf-8", "replace")
        except (AttributeError, KeyError, TypeError, ValueError):
            raise StormError(junk(json.dumps(answer))) from None
        index[path] = (kind, heavy, len(texts), len(written))
        texts += written
        if len(texts) > _MOST_MODULES:
            raise StormError(f"its modules are more than {_MOST_MODULES // MIB} MB")
    return _Modules(bytes(texts), index, files)


def _libraries(host: Host) -> Iterator[str]:
    """Names by which the host's packages mean Baileys or a fork of it."""
    packages = packages_of(host)
    yield from packages.aliases
    for folder in packages.folders:
        yield from filter(is_baileys, packages.dependencies(folder))


def _is_script(path: str, size: int) -> bool:
    return path.endswith(SCRIPTS) and not path.endswith(TYPES) and size <= LARGEST_SOURCE


def _tools(folder: Path) -> Iterator[Path]:
    """Where esbuild is; a package manager may keep it behind links."""
    modules = folder.resolve() / "node_modules"
    yield modules
    yield (modules / "esbuild").resolve().parent


def _is_open(folder: Path) -> bool:
    return folder.stat().st_mode & 0o5 == 0o5


def _readable(host: Host, place: Path) -> Host:
    """The host, or a copy of its sources where another user cannot read it."""
    folders = {
        host.root,
        *(parent for one in host.files.values() for parent in one.absolute.parents),
    }
    inside = (one for one in folders if one.is_relative_to(host.root))
    if all(one.mode & 0o4 for one in host.files.values()) and all(map(_is_open, inside)):
        return host
    copied = place / "source"
    for file in host.files.values():
        if file.size <= LARGEST_SOURCE:
            target = copied / file.path
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(file.absolute, target)
            target.chmod(0o644)
    for folder, _, _ in os.walk(copied):
        os.chmod(folder, 0o755)
    return Host(copied)


def _folder(path: Path) -> Path:
    path.mkdir(exist_ok=True)
    return path


def _look(seen: Any) -> Look:
    """Raises ValueError, KeyError or TypeError for anything else."""
    checked(seen, ["settled_ok"])
    texts = [seen[name] for name in ("folders", "notes", "faults", "stood_in")]
    counts = [seen[name] for name in ("attempts", "opened")]
    if not all(type(text) is str for some in texts for text in some):
        raise ValueError("texts")
    if not all(type(count) is int for count in counts):
        raise ValueError("counts")
    folders, notes, faults, stood_in = texts
    problems = tuple(dict.fromkeys([*notes, *faults]))
    return Look(
        *(counts[0], counts[1], seen["settled_ok"], tuple(folders), problems, tuple(stood_in)),
        unanswered=seen["unanswered"] is True,
    )


def _outcome(scenario: Scenario, raw: Any) -> Outcome:
    """Raises ValueError."""
    seen = checked(raw, _SEEN)
    if raw.get("scenario") != scenario.id:
        raise ValueError("scenario")
    return Outcome.of(scenario, seen)


def _enough(scenario: Scenario, dials_only: bool) -> dict[str, int]:
    """So much of a storm is enough to see."""
    most = {"most": MOST_WHEN_HELD if dials_only else scenario.bound.hundredfold}
    if not dials_only:
        most["most_runs"] = scenario.bound.hundredfold
    if scenario.fault_ends_s == inf:
        most["most_starts"] = _STARTS
    return most


def _scenario_json(scenario: Scenario, briefly: bool, dials_only: bool) -> dict[str, Any]:
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
        **(_enough(scenario, dials_only) if briefly else {}),
    }
