"""What must hold after a fault: the promises about single files, whole hosts and exit codes."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from tests.slow.faults.cases import Case, Files, World
from tests.slow.faults.injector import ERRORS, KILL, Fault, Point, Ran, points_of

ATTEMPTS = 4
STAGED = re.compile(r"\.skillgen-")


@dataclass
class Trial:
    """One command, learned without a fault first, then tried with any.

    start: all files as the command finds them; after: as it leaves them; undone: after what
    undoes it. before: what a command that does nothing leaves: start, or where that is what a
    kill left, as it was before that.
    """

    case: Case
    folder: Path
    points: list[Point] = field(default_factory=list)

    def __post_init__(self) -> None:
        shutil.rmtree(self.folder, ignore_errors=True)
        self.world, self.saved = World(self.folder / "world"), self.folder / "saved"
        self.world.make()
        fresh = self.world.files()
        self.case.prepare(self.world)
        self.world.save(self.saved)
        self.start = self.world.files()
        self.before = fresh if self.case.recovers else self.start
        while True:
            ran = self.world.run(self.case.command, trace=True)
            assert ran.code == self.case.exits, ran
            before, self.points = self.points, points_of(ran.log)
            if before == self.points:  # the same twice, so the same again
                break
            self.world.restore(self.saved)
        self.after = self.world.files()
        self.undone: Files = {}
        if self.case.undo:
            self.world.must(*self.case.undo)
            self.undone = self.world.files()

    def faults(self, lasting: bool) -> Iterator[Fault]:
        """Every one: a kill, and each error, once or from then on."""
        for point in self.points:
            for kind in ERRORS if lasting else (KILL, *ERRORS):
                yield Fault(point, kind, lasting)

    def spread(self, least: int) -> list[Fault]:
        """Some of them: each name of a call, and over the whole length; kinds take turns."""
        step = max(1, len(self.points) // least)
        chosen = dict.fromkeys(self.points[step // 2 :: step])
        known = {point.call for point in chosen}
        for point in self.points:
            if point.call not in known:
                known.add(point.call)
                chosen[point] = None
        kinds = (KILL, *ERRORS)
        return [Fault(point, kinds[at % len(kinds)]) for at, point in enumerate(chosen)]

    def broken(self, fault: Fault) -> list[str]:
        """What does not hold after that fault; nothing where all does.

        Now and then a run opens one file more to read it (the system's own), and the fault
        meets another call: then once more.
        """
        for _ in range(ATTEMPTS):
            self.world.restore(self.saved)
            ran = self.world.run(self.case.command, fault)
            if fault.proven(ran):
                break
        else:
            return [f"not injected: {ran.log[-300:]}"]
        return [*self._of_the_run(fault, ran), *self._of_what_follows()]

    def _of_the_run(self, fault: Fault, ran: Ran) -> Iterator[str]:
        now = self.world.files()
        expected = (-9,) if fault.kind == KILL else (0, 1, 2)
        if ran.code not in expected:
            yield f"exit {ran.code}"
        for bad in ("Traceback", "a defect of skillgen"):
            if bad in ran.err:
                yield f"{bad}: {ran.err[-300:]}"
        lines = ran.err.splitlines()
        can_say = not (fault.lasting and fault.point.call == "write")
        if any(not line.startswith("skillgen: ") for line in lines):
            yield f"stderr: {ran.err}"
        yield from self._torn(now)
        if ran.code == 2:
            if own(now) != own(self.start):
                yield f"exit 2 with {differing(own(now), own(self.start))} written: {said(ran)}"
            if len(lines) != 1 and can_say:
                yield f"exit 2 with {len(lines)} lines: {ran.err}"
        if ran.code == 1 and not lines and self.case.exits != 1 and can_say:
            yield "exit 1, and nothing says why"
        if ran.code == 0 and now != self.after and not (self.case.recovers and now == self.before):
            yield f"exit 0 without {differing(now, self.after)}"
        if "nothing was written" in ran.err and own(now) != own(self.start):
            what = differing(own(now), own(self.start))
            yield f"says that nothing was written, but {what} was: {said(ran)}"

    def _torn(self, now: Files) -> Iterator[str]:
        for name in {*self.before, *self.after, *now}:
            whole = [files[name] for files in (self.before, self.after) if name in files]
            if name in now and whole and now[name] not in whole:
                yield f"torn: {name}"
            elif name not in now and len(whole) == 2:
                yield f"lost: {name}"

    def _of_what_follows(self) -> Iterator[str]:
        status = self.world.run(("status", "{w}/bot"))
        if status.code not in (0, 1):
            yield f"the next command ends with {status.code}: {said(status)}"
        now = self.world.files()
        yield from self._torn(now)
        if inside(now) not in (inside(self.before), inside(self.after)):
            yield f"after the next command neither before nor after: {differing(now, self.after)}"
        again = self.world.run(self.case.command)
        now = self.world.files()
        if now != self.after and not (self.case.recovers and now == self.before):
            yield f"again: {again.code}, and not as after: {differing(now, self.after)}"
        if self.case.undo:
            undone = self.world.run(self.case.undo)
            now = self.world.files()
            if now != self.undone:
                yield f"undo: {undone.code}, and not as before: {differing(now, self.undone)}"


def own(files: Files) -> Files:
    """Without what the next command cleans up by its name."""
    return {name: file for name, file in files.items() if not STAGED.search(name)}


def inside(files: Files) -> Files:
    return {name: file for name, file in files.items() if name.startswith("bot/")}


def said(ran: Ran) -> str:
    return ran.err.strip() or "(nothing)"


def differing(one: Files, other: Files) -> str:
    names = {*one, *other}
    return ", ".join(sorted(n for n in names if one.get(n, 0) != other.get(n, 0))) or "nothing"
