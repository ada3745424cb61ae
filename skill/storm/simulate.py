"""``skillgen simulate``: a host's own channel code, before and after the patch, in the storm.

The only command that runs the host's code, and it says so: copies of the host's sources, with a
fake WhatsApp and virtual time (``node``, ``python``), in the fence that the system has, or else
without one, as a line says beforehand (``fence``). ``host`` holds what is read from the host:
``copies`` makes the two sides, ``channels`` finds how to start them, ``units`` what restarts them.
"""

from __future__ import annotations

import difflib
import os
from collections.abc import Callable, Collection, Iterable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

from skill.errors import SkillgenError
from skill.guard.render import render_wrapping
from skill.host import Host
from skill.options import Options
from skill.plan import Plan
from skill.storm import fence as fences
from skill.storm.catalogue import BY_ID, EVERY, HEADLINE
from skill.storm.child import stoppable
from skill.storm.fence import Fence
from skill.storm.host.channels import Channels, HostChannel, Way, channels_of
from skill.storm.host.copies import Copies, copies, laid_out
from skill.storm.host.units import OwnUnit, own_unit
from skill.storm.node.run import Look, Trial, prepared
from skill.storm.outcome import Outcome, StormError
from skill.storm.python.scenarios import HEADLINE as PYTHON_HEADLINE
from skill.storm.python.scenarios import PythonScenario, scenarios_of_kind
from skill.storm.scenarios import Scenario

WARNING = "runs the bot's own code, from a copy, with a fake WhatsApp and virtual time; "


@dataclass(slots=True)
class Side:
    """before or after: the unit it ran under, and an outcome a scenario, in their order.

    why: set where the whole side was not run. guard: the host runs under the guard.
    stood_in: what its code asked for and a stand-in answered, such as packages and settings.
    """

    unit: OwnUnit
    outcomes: list[Outcome] = field(default_factory=list)
    why: str = ""
    guard: bool = False
    stood_in: tuple[str, ...] = ()


@dataclass(slots=True)
class Simulation:
    """One channel of the host, on both sides.

    promised: whether the patch answers for it; else the channel is left as it is, for no rule
    finds anything in it. It is held to the same bounds: what breaks one was called right wrongly.
    held: its dial waits for its turn, and what follows a close is decided by the bot's own code.
    is_among_others: the host starts it with its other channels, which wait for it.
    """

    channel: HostChannel
    before: Side
    after: Side
    promised: bool = True
    held: bool = False
    way: str = ""
    is_among_others: bool = False

    @property
    def stood_in(self) -> list[str]:
        """What stand-ins answered for, on either side."""
        return sorted({*self.before.stood_in, *self.after.stood_in})

    @property
    def broken(self) -> list[tuple[str, str]]:
        """(scenario's id, what is amiss) where the patched side falls short of the promise."""
        return [(one.scenario.id, text) for one in self.after.outcomes for text in self.amiss(one)]

    def unpatched(self, after: Outcome) -> Outcome | None:
        """The outcome before the patch in the same scenario; None where there is none."""
        same = (one for one in self.before.outcomes if one.scenario is after.scenario)
        return next(same, None)

    def amiss(self, after: Outcome) -> list[str]:
        """What one outcome of the patched side falls short of, a line each."""
        before = self.unpatched(after)
        own = after.broken_when_held(before) if self.held else after.broken()
        if self.is_among_others and self.promised and not self.held:
            own += after.holds_up_others()
        return list(dict.fromkeys([*own, *after.worse_than(before)]))


@dataclass(slots=True)
class Report:
    """left_out: (path, why) of channels that were not simulated."""

    simulations: list[Simulation] = field(default_factory=list)
    left_out: list[tuple[str, str]] = field(default_factory=list)

    @property
    def code(self) -> int:
        """0; 1: a promise is broken; 2: nothing of the patched host could be run."""
        if any(simulation.broken for simulation in self.simulations):
            return 1
        ran = any(not one.not_run for sim in self.simulations for one in sim.after.outcomes)
        return 0 if ran else 2


Progress = Callable[[int, int], None]


class NothingToRun(SkillgenError):
    """No channel of a host can be run; the text says why."""


def find_fence(*, required: bool = False) -> Fence:
    """What keeps a bot's code in, here. Raises SkillgenError where it is required and is not."""
    fence = fences.find()
    if required and not fence.kind:
        raise SkillgenError(
            f"no fence here ({fence.why}), so with --require-fence nothing was run; install "
            "bubblewrap and libseccomp, or run it where a container does not forbid them"
        )
    return fence


def simulate_host(
    host: Host,
    wanted: Collection[str] = (),
    *,
    options: Options | None = None,
    plan: Plan | None = None,
    only: tuple[str, ...] = (),
    after_only: bool = False,
    guarded: bool = False,
    briefly: bool = False,
    node_tools: Callable[[], tuple[str, Path]],
    progress: Progress = lambda _done, _of: None,
    fence: Fence | None = None,
) -> Report:
    """Run every channel of the host through the scenarios, before and after the patch.

    wanted: ids of scenarios, or none for all of them. plan: the host's, where it was made
    already. only: channel files to run instead of those of the host's program. after_only: the
    unpatched side is not run. guarded: after is the host as it is, under the guard, instead of
    the patched one. briefly: a storm is cut short once it breaks its bound a hundredfold.
    node_tools: gives Node and a folder with esbuild, asked only for a TypeScript or JavaScript
    channel. progress: told how many runs are done, of how many. fence: None for what works
    here. A signal ends what runs, and leaves nothing behind. Raises SkillgenError.
    """
    fence = fences.find() if fence is None else fence
    with stoppable(), copies(host, options or Options(), plan) as made:
        if guarded and made.before is None:
            raise SkillgenError(f"{host.root}: cannot be run without its patch: {made.why}")
        known = Host(made.before or made.after)
        found = channels_of(known, only, _dialling(made, guarded))
        _require_any(host, found, only)
        report = Report(left_out=found.left_out)
        run = _Run(made, wanted, after_only, guarded, briefly, node_tools, progress, fence)
        report.simulations += [run.simulation(channel) for channel in found.run]
        return report


def _require_any(host: Host, found: Channels, only: tuple[str, ...]) -> None:
    if found.run:
        return
    if only:
        raise SkillgenError(
            f"{', '.join(only)}: no WhatsApp channel in it; see skillgen inspect -v"
        )
    reasons = "; ".join(f"{path}: {why}" for path, why in found.left_out)
    raise NothingToRun(
        f"{host.root}: no WhatsApp channel that could be run"
        + (f" ({reasons})" if reasons else "; see skillgen inspect -v")
    )


@dataclass(frozen=True, slots=True)
class _Run:
    """How each channel is run; the fields are those of simulate_host."""

    made: Copies
    wanted: Collection[str]
    after_only: bool
    guarded: bool
    briefly: bool
    node_tools: Callable[[], tuple[str, Path]]
    progress: Progress
    fence: Fence

    def simulation(self, channel: HostChannel) -> Simulation:
        """One channel on both sides, run."""
        simulation, sides = self.sides(channel)
        own = scenarios_of(channel, self.wanted)
        cannot = channel.cannot
        if self.guarded and channel.language == "python":
            cannot = "the guard holds Baileys, which is for Node, and this is Python"
        if cannot or not own:
            for side, _ in sides:
                _not_run(side, own, cannot or "none of these scenarios is one for it")
        elif channel.language == "python":
            self.run_python(simulation, sides, own)
        else:
            node = _Node(*self.node_tools(), self.fence, self.briefly)
            _run_node(simulation, sides, own, node, self.progress)
        if simulation.before.why:
            _not_run(simulation.before, own, simulation.before.why)
        if simulation.held:
            for side, _ in sides:
                side.outcomes = [one.dials_only() for one in side.outcomes]
        return simulation

    def sides(self, channel: HostChannel) -> tuple[Simulation, list[tuple[Side, Path]]]:
        """The sides that are to be run, each with its copy of the host."""
        made = self.made
        root = made.before if self.guarded and made.before else made.after
        after = Side(own_unit(Host(root)), guard=self.guarded)
        before = Side(own_unit(Host(made.before)) if made.before else after.unit, why=made.why)
        held = self.guarded or channel.path in _dialling(made, self.guarded)
        simulation = Simulation(channel, before, after, held or _is_promised(channel, made), held)
        sides = [(after, root)]
        if self.after_only and made.before:
            before.why = "only the patched side was asked for"
        elif made.before:
            sides.insert(0, (before, made.before))
        return simulation, sides

    def run_python(
        self, simulation: Simulation, sides: list[tuple[Side, Path]], own: Sequence[Scenario]
    ) -> None:
        channel = simulation.channel
        simulation.way = f"by {channel.name}"
        for side, root in sides:
            try:
                side.outcomes = _run_python(root, channel, side, own, self.fence, self.briefly)
            except StormError as error:
                _not_run(side, own, _first_line(str(error)))
            self.progress(sum(len(each.outcomes) for each, _ in sides), len(own) * len(sides))


def scenarios_of(channel: HostChannel, wanted: Collection[str]) -> list[Scenario]:
    """The scenarios for this kind of channel; of them those that are wanted, if any are."""
    typescript = channel.language == "typescript"
    table = EVERY if typescript else scenarios_of_kind(channel.kind)
    return [scenario for scenario in table if not wanted or scenario.id in wanted]


def every_scenario() -> tuple[Scenario, ...]:
    """Of Baileys channels, then those that only Python channels have."""
    more = [one for one in scenarios_of_kind() if one.id not in BY_ID]
    return (*EVERY, *more)


def headline() -> frozenset[str]:
    """The ids of the scenarios that are run unless others are asked for."""
    return PYTHON_HEADLINE | {scenario.id for scenario in HEADLINE}


def require_scenarios(wanted: Iterable[str]) -> frozenset[str]:
    """Raises SkillgenError for an id that no scenario has."""
    known = {scenario.id for scenario in every_scenario()}
    for id in wanted:
        if id not in known:
            near = difflib.get_close_matches(id, known, 1)
            hint = f"; did you mean {near[0]}?" if near else ""
            raise SkillgenError(f"no scenario {id}{hint} (skillgen simulate --list)")
    return frozenset(wanted)


def _dialling(made: Copies, guarded: bool) -> dict[str, int]:
    """The first line that dials, by file, of those that are held; under the guard, of all."""
    kinds = ("held", "guard", "rewritten") if guarded else ("held",)
    found: dict[str, int] = {}
    for note in made.plan.notes:
        if note.kind in kinds:
            found.setdefault(note.path, note.line)
    return found


def _is_promised(channel: HostChannel, made: Copies) -> bool:
    if made.before is None or any(one.path == channel.path for one in made.plan.hand_offs):
        return True
    # The socket may be made in another file than the listener's.
    files = {channel.path, *(way.entry for way in channel.ways if way.driver == "module")}
    return any((made.before / one).read_bytes() != (made.after / one).read_bytes() for one in files)


def _not_run(side: Side, scenarios: Sequence[Scenario], why: str) -> None:
    side.why = why
    side.outcomes = [Outcome.missing(scenario, why) for scenario in scenarios]


def _run_python(
    root: Path,
    channel: HostChannel,
    side: Side,
    scenarios: Sequence[Scenario],
    fence: Fence,
    briefly: bool,
) -> list[Outcome]:
    """Raises StormError when the channel is not found in ``root`` or cannot be started."""
    # Lazy: libcst takes 0.1 s to import, and most hosts have no Python channel.
    from skill.storm.host.python_channels import discover
    from skill.storm.python.run import simulate_python

    same = [one for one in discover(Host(root)) if one.path == channel.path]
    named = [one for one in same if one.label == channel.name] or same
    outcomes = simulate_python(
        root,
        named[0] if named else channel.path,
        supervisor=side.unit.rules,
        scenarios=[one for one in scenarios if isinstance(one, PythonScenario)],
        workers=os.cpu_count() or 1,
        fence=fence,
        briefly=briefly,
    )
    return list(outcomes)


def _run_node(
    simulation: Simulation,
    sides: list[tuple[Side, Path]],
    scenarios: Sequence[Scenario],
    node: _Node,
    progress: Progress,
) -> None:
    processors = os.cpu_count() or 1
    order = {scenario.id: place for place, scenario in enumerate(scenarios)}
    done = 0

    def run(trial: Trial, side: Side, part: Sequence[Scenario]) -> list[Outcome]:
        try:
            return trial.run(
                part,
                supervisor=side.unit.rules,
                progress=count,
                briefly=node.briefly,
                dials_only=simulation.held,
            )
        except StormError as error:
            return [Outcome.missing(scenario, _first_line(str(error))) for scenario in part]

    jobs: list[tuple[Side, Future[list[Outcome]]]] = []
    with ExitStack() as kept, ThreadPoolExecutor(processors) as pool:
        found = [pool.submit(_driven, simulation.channel, *side, node, kept) for side in sides]
        driven = [one.result() for one in found]
        total = sum(trial is not None for _, trial, _ in driven) * len(scenarios)

        def count(_outcome: Outcome) -> None:
            nonlocal done
            done += 1
            progress(done, total)

        for (side, _), (way, trial, why) in zip(sides, driven, strict=True):
            if way is None or trial is None:
                _not_run(side, scenarios, why)
                continue
            simulation.way = way.text
            simulation.is_among_others = way.driver == "factory"
            # No more of them than run at a time: each starts a bot that V8 does not know yet.
            parts = min(processors, len(scenarios))
            for first in range(parts):
                jobs.append((side, pool.submit(run, trial, side, scenarios[first::parts])))
        for side, job in jobs:
            side.outcomes += job.result()
    for side, _ in sides:
        side.outcomes.sort(key=lambda outcome: order[outcome.scenario.id])


@dataclass(frozen=True, slots=True)
class _Node:
    """What a TypeScript or JavaScript channel is run with; tools: a folder with esbuild."""

    program: str
    tools: Path
    fence: Fence
    briefly: bool


def _driven(
    channel: HostChannel, side: Side, copy: Path, node: _Node, kept: ExitStack
) -> tuple[Way | None, Trial | None, str]:
    """The first way by which the healthy host connects, bundled; or no trial, and why.

    kept: what holds the trial until its scenarios are run.
    """
    root = laid_out(copy, channel.path)
    reasons: list[str] = []
    # What a database or a person would have to say is made up only where no way dials without it.
    ways = [(way, False) for way in channel.ways]
    for way, made_up in ways:
        with ExitStack() as stack:
            try:
                trial = stack.enter_context(
                    prepared(
                        root,
                        way.entry,
                        driver=way.driver,
                        class_name=way.class_name,
                        start=way.start,
                        first=way.first,
                        made_up=made_up,
                        node=node.program,
                        node_tools=node.tools,
                        fence=node.fence,
                        guard=render_wrapping() if side.guard else "",
                    )
                )
                look = trial.look()
            except StormError as error:
                reasons.append(f"{way.text}: {_first_line(str(error))}")
                continue
            if look.attempts and look.opened:
                side.stood_in = look.stood_in
                kept.push(stack.pop_all())
                return way, trial, ""
            if look.unanswered and not made_up:
                # A database is a main's: it knows which session to start.
                at = len(channel.ways) if way.driver == "main" else len(ways)
                ways.insert(at, (way, True))
            reasons.append(f"{way.text}: {_problem(look)}")
    return None, None, "; ".join(dict.fromkeys(reasons)) or "no way to start it is known"


def _problem(look: Look) -> str:
    if look.problems:
        return _first_line(look.problems[0])
    return "it never connects" if not look.attempts else "the link never opens"


def _first_line(text: str) -> str:
    return text.strip().partition("\n")[0][:200]
