"""The verdict on one channel, by what it did before and after the patch."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

from skill.plan import Plan
from skill.storm.outcome import Outcome
from skill.storm.simulate import Simulation

Change = Literal["rewritten", "held", "unchanged"]
Verdict = Literal["proven", "failed", "not run"]
TRACE = 14
"""So many events of a failed scenario are shown."""


@dataclass(frozen=True, slots=True)
class Proof:
    """One channel's. change: what the plan does to it. way: how it was started.

    scenarios: how many were run, on both sides. why: what it fails, or what stood in the way.
    stood_in: what the bot asked for and a stand-in answered, such as packages.
    scenario, trace: the one that it fails, and the first events in it. dials: of each scenario,
    its title and the attempts in 24 h, unpatched and patched.
    """

    path: str
    line: int
    change: Change
    verdict: Verdict
    way: str = ""
    scenarios: int = 0
    why: str = ""
    stood_in: tuple[str, ...] = ()
    scenario: str = ""
    trace: tuple[str, ...] = ()
    dials: tuple[tuple[str, str, str], ...] = ()

    @property
    def text(self) -> str:
        """``proven in 9 scenarios``, or why it is not."""
        if self.verdict == "proven":
            return f"proven in {self.scenarios} scenarios"
        return f"not proven: {self.why}"


@dataclass(frozen=True, slots=True)
class Proven:
    """plan: what is left of the plan. proofs: of its channels. failed: patches taken back.

    remembered: whether all this was seen in an earlier run, on the same bytes.
    """

    plan: Plan
    proofs: tuple[Proof, ...]
    failed: tuple[Proof, ...] = ()
    remembered: bool = False

    @property
    def holds(self) -> bool:
        """Whether every channel was proven, so that the plan may be written."""
        return all(proof.verdict == "proven" for proof in self.proofs)

    @property
    def summary(self) -> str:
        """The words of the last line: ``proven in 11 scenarios``, or ``not proven``."""
        if not self.holds:
            return "not proven"
        if not self.proofs:
            return ""
        return f"proven in {min(proof.scenarios for proof in self.proofs)} scenarios"

    @property
    def unproven(self) -> list[Proof]:
        return [proof for proof in self.proofs if proof.verdict != "proven"]


def proof_of(simulation: Simulation, changed: Collection[str]) -> Proof:
    """changed: the files that the plan changes."""
    channel = simulation.channel
    change = _change(simulation, changed)
    known: dict[str, Any] = {
        "path": channel.path,
        "line": channel.line,
        "change": change,
        "way": simulation.way,
        "stood_in": tuple(simulation.stood_in),
    }
    ran = _applicable(simulation)
    failed = next(_failures(simulation, change, ran), None)
    if failed is not None:
        outcome, why = failed
        title = f" ({outcome.scenario.title})" if not simulation.after.why else ""
        return Proof(
            **known,
            verdict="failed",
            why=why + title,
            scenario=outcome.scenario.id,
            trace=tuple(trace_of(outcome)),
        )
    not_run = next((one for one in ran if one.not_run), None)
    if not_run is not None or not ran:
        why = not_run.not_run if not_run else simulation.after.why or "no scenario is one for it"
        return Proof(**known, verdict="not run", why=why)
    dials = [
        (one.scenario.title, _attempts(simulation.unpatched(one)), _attempts(one)) for one in ran
    ]
    return Proof(**known, verdict="proven", scenarios=len(dials), dials=tuple(dials))


def _applicable(simulation: Simulation) -> list[Outcome]:
    """The patched outcomes, but for scenarios that a Python channel cannot meet on either side.

    One without a stop() cannot be stopped, and one that hears nothing of a logout is not told.
    """
    after = simulation.after.outcomes
    if simulation.channel.language != "python" or simulation.after.why:
        return after

    def cannot_either(outcome: Outcome) -> bool:
        before = simulation.unpatched(outcome)
        return before is not None and before.not_run == outcome.not_run

    return [one for one in after if not one.not_run or not cannot_either(one)]


def _change(simulation: Simulation, changed: Collection[str]) -> Change:
    if simulation.held:
        return "held"
    files = {simulation.channel.path, simulation.channel.maker}
    return "rewritten" if files & set(changed) else "unchanged"


def _failures(
    simulation: Simulation, change: Change, ran: Sequence[Outcome]
) -> Iterator[tuple[Outcome, str]]:
    """Each outcome of the patched side that breaks a promise, with the first one it breaks.

    One that cannot be run to its end, and could be unpatched, was broken by the patch. A channel
    that is left as it was promises nothing; it may only not be worse, for its unit may have
    changed.
    """
    for outcome in ran:
        same = simulation.unpatched(outcome)
        if outcome.not_run and same is not None and not same.not_run:
            yield outcome, f"{outcome.not_run}, and unpatched it runs"
        elif change == "unchanged":
            for text in (*outcome.worse_than(same), *outcome.comes_back_less(same)):
                yield outcome, text
        elif not outcome.not_run or outcome.attempts:
            for text in simulation.amiss(outcome):
                yield outcome, text


def _attempts(outcome: Outcome | None) -> str:
    """``64``, ``more than 2,000``, or nothing where it was not run."""
    if outcome is None or outcome.not_run:
        return ""
    number = max(outcome.attempts, outcome.runs)
    storms = outcome.more and number > outcome.scenario.bound.hundredfold
    return f"more than {number - 1:,}" if storms else f"{number:,}"


def trace_of(outcome: Outcome) -> Iterator[str]:
    """The first events of a run, a line each: starts, dials, log lines, exits."""
    events: list[tuple[float, int, str]] = [(at, 0, "start") for at in outcome.starts_at[:TRACE]]
    events += [(at, 2, "attempt") for at in outcome.attempts_at[:TRACE]]
    events += [(at, 1, f"{level}: {text}") for at, level, text in outcome.log[:TRACE]]
    events += [(at, 3, f"exit {code}") for at, code in outcome.exits_at[:TRACE]]
    events += [(one.first_s, 2, f"{one.kind}: {one.text}") for one in outcome.faults[:TRACE]]
    for at, _, what in sorted(events)[:TRACE]:
        yield f"{at:.1f} s {what}"[:160]


def as_data(proof: Proof) -> Mapping[str, Any]:
    """The proof as plain values, for JSON."""
    names = ("scenario", "before", "after")
    return {**asdict(proof), "dials": [dict(zip(names, row, strict=True)) for row in proof.dials]}
