"""The commands, run on each host in turn: the worst exit status wins."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from skill import changed, transaction
from skill.commands import install
from skill.commands.added import added_modules
from skill.commands.demo import copy_host
from skill.commands.reset import memories, reset
from skill.commands.reverting import revert
from skill.commands.shell import quoted
from skill.commands.status import status
from skill.commands.verifying import show_verified, verified_row
from skill.commands.view import View
from skill.errors import SkillgenError
from skill.host import Host
from skill.options import ApplyOptions, GuardOptions, Options, ServiceOptions, StormOptions
from skill.plan import Plan, load_digest, make_plan, options_from_data, require_same, save_plan
from skill.report import data, folding, github, sarif, text
from skill.report.diff import diff_of
from skill.report.markdown import pull_request
from skill.report.next_steps import next_steps
from skill.report.printer import Printer
from skill.rulebook import require_known, rules, titled
from skill.settings import settings_of, with_settings
from skill.transaction import Recovery

if TYPE_CHECKING:
    from skill.proof.verdict import Proven

Row = dict[str, Any]
CHANGED = 1
DEMO_LINES = 10


class Session(View):
    """One command line. Text is printed as it comes, JSON once at the end."""

    def __init__(
        self, command: str, printer: Printer, form: str, given: Collection[str] = ()
    ) -> None:
        """given: the names of the options that stand in the command line."""
        super().__init__(printer, form == "text")
        self.command, self.form, self.given = command, form, given

    # -- commands

    def inspect(self, hosts: Sequence[Path], options: Options) -> int:
        return self._each(hosts, lambda host, row: self._inspect(host, row, options))

    def apply(self, hosts: Sequence[Path], options: Options, choice: ApplyOptions) -> int:
        saved = choice.saved
        digest = load_digest(saved) if saved else None
        chosen = options_from_data(digest["options"]) if digest else options

        def one(host: Host, row: Row) -> int:
            plan = self._plan(host, chosen if digest else self._options(host, row, chosen))
            if digest and saved:
                require_same(plan, digest, saved)
            proven = self._proved(host, plan, row) if choice.prove else None
            if proven and digest and saved:
                require_same(proven.plan, digest, saved)
            plan = proven.plan if proven else plan
            if choice.save_to:
                save_plan(plan, choice.save_to)
            return self._apply(host, plan, row, choice, proven)

        return self._each(hosts, one)

    def revert(self, host: Path, keep: Sequence[str]) -> int:
        return self._each([host], lambda opened, row: revert(self, opened, row, keep))

    def status(self, host: Path) -> int:
        return self._each([host], lambda opened, row: status(self, opened, row))

    def reset(self, host: Path) -> int:
        return self._each([host], self._reset)

    def install(self, host: Path, remove: bool) -> int:
        return self._each([host], lambda opened, row: self._install(opened, row, remove))

    def guard(self, host: Path, choice: GuardOptions) -> int:
        # Lazy: what reads units takes 0.05 s to import.
        from skill.guard.command import guard

        def one(opened: Host, row: Row) -> int:
            return guard(opened, row, choice, self.printer, self.as_text)

        return self._each([host], one)

    def service(self, host: Path, choice: ServiceOptions) -> int:
        # Lazy: what reads units takes 0.05 s to import.
        from skill.commands.service import service

        def one(opened: Host, row: Row) -> int:
            return service(opened, row, choice, self.printer, self.as_text)

        return self._each([host], one)

    def check(self, host: Path, options: Options, installed: bool) -> int:
        return self._each([host], lambda found, row: self._check(found, row, options, installed))

    def doctor(self, host: Path) -> int:
        # Lazy: what reads units takes 0.05 s to import.
        from skill.commands.doctor import doctor

        def one(opened: Host, row: Row) -> int:
            chosen = self._options(opened, row, Options())
            return doctor(opened, row, chosen, self.printer, self.as_text)

        return self._each([host], one)

    def rule(self, rule_id: str | None) -> int:
        found = rules()
        if rule_id:
            require_known([rule_id])
            found = {rule_id: found[rule_id]}
        if not self.as_text:
            rows = [{"id": r.id, "summary": r.summary, "page": r.page} for r in found.values()]
            self.printer.out(data.document(self.command, 0, rules=rows).rstrip())
        elif rule_id:
            self.printer.lines([self.printer.paint(rule_id, "head"), "", found[rule_id].page])
            for example in found[rule_id].examples:
                for title, text in titled(example):
                    self.printer.lines(["", title, _indented(text)])
        else:
            width = max(map(len, found), default=0)
            for rule in found.values():
                name = self.printer.paint(rule.id.ljust(width), "rule")
                self.printer.out(f"{name}  {rule.summary}")
        return 0

    def scenarios(self) -> int:
        # Lazy: the storm takes 0.1 s to import.
        from skill.storm.command import list_scenarios

        return list_scenarios(self.command, self.printer, self.as_text)

    def install_esbuild(self) -> int:
        # Lazy: the storm takes 0.1 s to import.
        from skill.storm.command import get_esbuild

        return get_esbuild(self.command, self.printer, self.as_text)

    def simulate(self, host: Path, wanted: StormOptions) -> int:
        # Lazy: the storm takes 0.1 s to import.
        from skill.storm.command import simulating

        return self._each([host], simulating(wanted, self.printer, self.as_text))

    def demo(self, options: Options, full: bool) -> int:
        root = copy_host()
        out = self.printer.out
        if self.as_text:
            out(f"A small WhatsApp bot, copied to {root}\n\n$ skillgen inspect {quoted(root)}")

        def one(host: Host, row: Row) -> int:
            plan = self._plan(host, options)
            if self.as_text:
                self.printer.lines(text.digest(plan, self.printer.paint, DEMO_LINES))
                out(f"\n$ skillgen apply {quoted(root)}")
                if full:
                    self.printer.diff(diff_of(plan.changes))
                else:
                    folding.show(plan.changes, self.printer, folding.is_beside_the_point, 1)
            return self._apply(host, plan, row, ApplyOptions(), is_shown=True)

        code = self._each([root], one)
        if code == 2:
            return 2
        if self.as_text:
            out(
                f"\nThe patched bot is in {root}; take it back with: skillgen revert {quoted(root)}"
            )
        return 0

    # -- one host

    def _each(self, hosts: Sequence[Path], action: Callable[[Host, Row], int]) -> int:
        """Run ``action`` on each host; a failure of one does not stop the others."""
        rows: list[Row] = []
        at_first = changed.times()
        for path in hosts:
            row: Row = {"host": str(path), "exit": 2, "error": None, "recovered": None}
            row["foreign_record"] = None
            rows.append(row)
            if len(hosts) > 1 and self.as_text:
                self.printer.out(self.printer.paint(f"== {self.printer.safe(str(path))}", "head"))
            before = changed.times()
            try:
                row["exit"] = self._one(path, row, action)
            except SkillgenError as error:
                row["error"] = line = str(error)
                if changed.times() == before:
                    self.printer.say(line)
                    continue
                row["exit"] = 1
                row["error"] = line.replace("nothing was written", "nothing more was written")
                self.printer.say(row["error"])
                self.printer.say(f"{path}: something was changed before that; see skillgen status")
        worst = max(int(row["exit"]) for row in rows)
        if worst == 2 and changed.times() > at_first:
            worst = 1  # something was written, if not in that host
        if self.form == "json":
            self.printer.out(data.document(self.command, worst, hosts=rows).rstrip())
        elif self.form == "sarif":
            self.printer.out(sarif.document(rows).rstrip())
        elif self.form == "github":
            self.printer.lines(github.workflow_commands(rows))
        return worst

    def _one(self, path: Path, row: Row, action: Callable[[Host, Row], int]) -> int:
        host = Host(path)
        try:
            recovery = transaction.recover(host.root)
        except transaction.ForeignRecord as foreign:
            row["foreign_record"] = str(foreign)
            return self._without_record(str(foreign), host, row, action)
        if recovery:
            row["recovered"] = self._say_recovered(path, recovery)
        return action(host, row)

    def _without_record(
        self, foreign: str, host: Host, row: Row, action: Callable[[Host, Row], int]
    ) -> int:
        """Go on where the command needs no record, and name the one that is left alone."""
        try:
            code = action(host, row)
        except transaction.ForeignRecord:
            raise  # the command's own error reports it
        except SkillgenError:
            self.printer.say(foreign)
            raise
        self.printer.say(foreign)
        return code

    def _say_recovered(self, path: Path, recovery: Recovery) -> Row:
        outcome = "as it was before it" if recovery.outcome == "before" else "as it is after it"
        self.printer.say(f"an earlier {recovery.verb} was cut short; {path} is now {outcome}")
        for kept in recovery.kept:
            self.printer.say(
                f"{kept}: was edited meanwhile and is left as it is; {kept}.skillgen-original "
                "is what it was before"
            )
        return {
            "command": recovery.verb,
            "outcome": recovery.outcome,
            "kept": list(recovery.kept),
        }

    def _options(self, host: Host, row: Row, options: Options, is_said: bool = True) -> Options:
        """The options with those that the host's project keeps; where there are some, say so."""
        settings = settings_of(host)
        row["settings"] = None
        if settings is None:
            return options
        row["settings"] = {"path": settings.path, "text": settings.text}
        if self.as_text and is_said:
            self.printer.say(f"options of {settings.path}: {settings.text}")
        return with_settings(options, self.given, settings)

    def _plan(self, host: Host, options: Options) -> Plan:
        host.require_project()
        with self.printer.working(f"looking at {host.root}"):
            return make_plan(host, options)

    def _inspect(self, host: Host, row: Row, options: Options, warnings: Sequence[str] = ()) -> int:
        plan = self._plan(host, self._options(host, row, options))
        row.update(data.seen(plan))
        row["warnings"] = [*self.warnings(host), *warnings]
        if self.as_text:
            self._show_findings(plan)
            self.show_warnings(row)
        return 1 if plan.findings else 0

    def _check(self, host: Host, row: Row, options: Options, installed: bool) -> int:
        if not installed:
            return self._inspect(host, row, options, self.installed(host))
        # Lazy: what reads units takes 0.05 s to import.
        from skill.commands.doctor import examined, exit_of, in_one_line, show

        if self.as_text and self.printer.quiet:
            chosen = self._options(host, row, options, is_said=False)
            plan = self._plan(host, chosen)
            answers, _ = examined(host, row, chosen, self.printer)
            line = in_one_line(host, answers, len(plan.findings))
            if line:
                self.printer.out(self.printer.safe(line))
            return 1 if line else 0
        code = self._inspect(host, row, options)
        chosen = self._options(host, row, options, is_said=False)
        answers, unseen = examined(host, row, chosen, self.printer)
        if self.as_text:
            show(answers, unseen, self.printer)
        return max(code, exit_of(answers))

    def _show_findings(self, plan: Plan) -> None:
        printer = self.printer
        for line in text.findings(plan.findings, printer.paint, printer.quiet):
            printer.out(line)
        if printer.verbose:
            printer.lines(text.notes(plan.notes))
        if not printer.verbose and not printer.quiet:
            printer.lines(text.outcomes(plan))
        printer.lines(text.exceptions(plan))
        if not plan.findings:
            printer.out(text.nothing(plan))
            return
        fixable = len(plan.settled)
        parts = [text.count(len(plan.findings), "finding")]
        if fixable:
            parts.append(f"{fixable} fixed by: skillgen apply {quoted(plan.root)}")
        if plan.hand_offs:
            parts.append(f"{len(plan.hand_offs)} by hand")
        printer.out("; ".join(parts))

    def _two_gates(self, host: Host) -> list[str]:
        """A warning where units load the guard although the host's own source is patched."""
        # Lazy: what reads units takes 0.05 s to import.
        from skill.guard.command import guarded

        units = guarded(host)
        if not units or not added_modules(host):
            return []
        path = units[0]["path"]
        return [
            f"{path} loads the guard as well: each attempt waits and counts once, in the patch; "
            f"once that runs, take the guard back with: {units[0]['undo']}"
        ]

    def _proved(self, host: Host, plan: Plan, row: Row) -> Proven:
        # Lazy: the storm takes 0.1 s to import.
        from skill.commands.proving import proved

        return proved(host, plan, row, self.printer, self.as_text)

    def _apply(
        self,
        host: Host,
        plan: Plan,
        row: Row,
        choice: ApplyOptions,
        proven: Proven | None = None,
        is_shown: bool = False,
    ) -> int:
        """is_shown: the changes have been printed already."""
        dry_run = choice.dry_run
        row.update(data.seen(plan))
        row["changes"] = [] if self.as_text else [data.change(change) for change in plan.changes]
        row.update(written=False, next=[], warnings=[])
        if proven and not proven.holds:
            # Lazy: the storm takes 0.1 s to import.
            from skill.commands.proving import nothing_written

            if self.as_text:
                self._show_plan(plan, choice, False, proven)
            raise SkillgenError(nothing_written(host, proven))
        verified = verified_row(host, plan, row, choice.verify, self.printer, self.as_text)
        if dry_run:
            transaction.preflight(plan)
        else:
            with self.printer.working(f"writing to {host.root}"):
                transaction.apply(plan)
            row["written"] = bool(plan.changes)
        if self.as_text:
            self._show_plan(plan, choice, not dry_run, proven, is_shown)
            show_verified(verified, self.printer)
        if not dry_run:
            self._show_next(Host(host.root), plan, row)
        if self.form == "markdown":
            ran = verified.rows if verified else ()
            self.printer.out(pull_request(plan, next_steps(host, plan), proven, ran))
        if choice.exit_code:
            return CHANGED if plan.changes else 0
        return 1 if plan.hand_offs else 0

    def _show_plan(
        self,
        plan: Plan,
        choice: ApplyOptions,
        done: bool,
        proven: Proven | None,
        is_shown: bool = False,
    ) -> None:
        printer = self.printer
        printer.lines(text.findings(plan.hand_offs, printer.paint, printer.quiet))
        if choice.dry_run and plan.changes and printer.terminal and not choice.full:
            folding.show(plan.changes, printer, folding.is_added)
        elif choice.dry_run and plan.changes:
            printer.diff(diff_of(plan.changes))
        elif not printer.quiet and not is_shown:
            for change in plan.changes:
                mark = "+" if change.is_addition else "M"
                printer.out(f"{mark} {printer.safe(change.path)} ({', '.join(change.rules)})")
        if printer.verbose:
            printer.lines(text.notes(plan.notes))
        printer.lines(text.exceptions(plan))
        words = None if proven is None else proven.summary
        printer.out(text.summary(plan, done, words) or text.nothing(plan))

    def _show_next(self, host: Host, plan: Plan, row: Row) -> None:
        row["warnings"] = self.warnings(host) + self._two_gates(host)
        if not plan.changes:
            self.show_warnings(row)
            return
        self.show_steps(host, next_steps(host, plan), row)

    def _install(self, host: Host, row: Row, remove: bool) -> int:
        done = install.remove(host) if remove else install.install(host)
        warn = not remove and not install.has_runner()
        row.update(asdict(done), warnings=[install.NO_RUNNER] if warn else [])
        if self.as_text and not self.printer.quiet:
            for what in ("added", "changed", "removed"):
                self.printer.lines(f"{what} {self.printer.safe(path)}" for path in row[what])
            if not any(row[what] for what in ("added", "changed", "removed", "kept")):
                self.printer.out("nothing to take back" if remove else "nothing to do: it is there")
            self.show_warnings(row)
        if self.as_text:
            for path in done.kept:
                self.printer.out(
                    f"kept {self.printer.safe(path)}: edited since it was installed, left as it is"
                )
        return 1 if done.kept else 0

    def _reset(self, host: Host, row: Row) -> int:
        seen = memories(host)
        cleared = {memory.path for memory in reset(host)}
        row["memories"] = [{**asdict(memory), "cleared": memory.path in cleared} for memory in seen]
        if self.as_text and not self.printer.quiet:
            for memory in seen:
                done = "cleared" if memory.path in cleared else "nothing to clear"
                self.printer.out(f"{self.printer.safe(memory.path)}: {done} ({memory.text})")
            if not seen:
                self.printer.out("no memory file here: the bot waits for nothing")
        return 0


def options_of(choices: dict[str, Any]) -> Options:
    """The options of a command line. Raises SkillgenError for a rule that there is not."""
    for name in ("select", "ignore"):
        choices[name] = chosen = frozenset(choices.get(name, ()))
        if chosen:
            require_known(sorted(chosen))
    return Options(**choices)


def _indented(block: str) -> str:
    return "\n".join(f"    {line}" if line else "" for line in block.rstrip("\n").split("\n"))
