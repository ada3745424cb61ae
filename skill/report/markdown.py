"""The text of a pull request for the maintainers of a host (``apply --format markdown``).

What was wrong and what it costs comes from the rules' own pages, the rest from the plan.
It names files of the host only, nothing of the machine it was made on.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from itertools import groupby
from typing import TYPE_CHECKING

from modify.rules import Rule
from skill import __version__
from skill.finding import Finding
from skill.plan import Change, Plan
from skill.report.folding import size
from skill.report.next_steps import NextStep
from skill.report.printer import one_line
from skill.report.text import count, nothing
from skill.rulebook import rules

if TYPE_CHECKING:
    from skill.proof.verdict import Proven

TITLE = "Keep the bot from hammering WhatsApp"
# One line a paragraph: forges show a line break as one.
WHY = (
    "Connection attempts that repeat too fast get a number blocked (\"can't link new devices "
    'now"), then banned. Figures below are connection attempts, measured on real channel code '
    "under virtual time, with the supervisor's restarts, unless they say otherwise."
)
GATED = (
    "Every attempt now passes a gate that keeps count in a file beside the credentials folder: "
    "at most 20 attempts in any hour, restarts included, while that file can be written. "
    "Keep that file out of git like the credentials."
)
Row = tuple[str, str, str]
BUILD = re.compile(r"^(npm|pnpm|yarn|bun) run ")
SECTION = re.compile(r"^Why it is bad\n((?:    .*\n|\n)+)", re.M)


def pull_request(
    plan: Plan,
    steps: Iterable[NextStep],
    proven: Proven | None = None,
    ran: Iterable[Row] = (),
) -> str:
    """Title and body; the first line is the title. proven: where the plan was proven.

    ran: the project's own checks that were run before and after, by name, command and result.
    """
    if not plan.findings:
        return nothing(plan)
    blocks = [f"# {TITLE}", WHY, "## What was wrong", *_faults(plan.findings)]
    if plan.changes:
        blocks += ["## What changes", *_changes(plan)]
    if proven and proven.proofs:
        blocks += ["## What was proven", *_proofs(proven)]
    ran = list(ran)
    if ran:
        blocks += ["## What was run", *_ran(ran)]
    unseen = "build and tests" if proven else "code and tests"
    blocks += ["## How to check it", *_checks(plan, list(steps), "" if ran else unseen)]
    if plan.hand_offs:
        blocks += ["## Left to you", *_hand_offs(plan.hand_offs)]
    blocks.append(
        f"Made by skillgen {__version__}. The same tree and version give the same bytes; "
        "`skillgen revert` takes them back where they were applied, `git revert` anywhere."
    )
    return "\n\n".join(blocks)


def _faults(found: Iterable[Finding]) -> Iterator[str]:
    pages = rules()
    by_rule = sorted(found, key=lambda finding: (finding.rule, finding))
    for rule, group in groupby(by_rule, key=lambda finding: finding.rule):
        places = [f"- {_place(finding)}: {_text(finding.message)}" for finding in group]
        page = pages.get(rule)
        head = f"### {rule}"
        if page is None:
            yield f"{head}\n\n" + "\n".join(places)
        else:
            yield f"{head}\n\n{_marked(page.summary)}\n\n" + "\n".join(places)
            yield from _why(page)


def _why(page: Rule) -> Iterator[str]:
    section = SECTION.search(page.page + "\n")
    if section:
        for paragraph in section[1].strip().split("\n\n"):
            yield _marked(" ".join(paragraph.split()))


def _changes(plan: Plan) -> Iterator[str]:
    fixes: dict[str, dict[str, None]] = {}
    for finding in plan.settled:
        fixes.setdefault(finding.path, {})[finding.fix or ""] = None
    rows = ["| file | lines | change |", "|---|---|---|"]
    for change in plan.changes:
        added, removed = size(change)
        what = "; ".join(_text(fix) for fix in fixes.get(change.path, ())) or _new(change)
        path = _code(change.path).replace("|", "\\|")
        rows.append(f"| {path} | +{added} −{removed} | {what} |")
    yield "\n".join(rows)
    if any(change.path.endswith(_MODULE) for change in plan.changes):
        yield GATED


def _proofs(proven: Proven) -> Iterator[str]:
    yield (
        "The bot's own code, before and after the change, with a fake WhatsApp and virtual time. "
        "Every promise held, and the patched bot did nothing worse than before. Attempts in 24 h:"
    )
    for proof in proven.proofs:
        if len(proven.proofs) > 1:
            yield f"{_code(proof.path)}, {_text(proof.text)}:"
        rows = ["| what happens | before | after |", "|---|---:|---:|"]
        rows += [f"| {title} | {was or 'not run'} | {now} |" for title, was, now in proof.dials]
        yield "\n".join(rows)


_MODULE = ("-reconnect.ts", "-reconnect.js", "-reconnect.mjs", "-reconnect.cjs")
_MODULE_TEST = re.compile(r"-reconnect\.test\.\w+$")


def _new(change: Change) -> str:
    if change.path.endswith(_MODULE):
        return "new: the gate; Node's own modules only" if change.is_addition else "the gate"
    if change.path.endswith("_reconnect.py"):
        return (
            "new: when it may connect; standard library only" if change.is_addition else "the gate"
        )
    if _MODULE_TEST.search(change.path):
        return "new: tests of the gate" if change.is_addition else "tests of the gate"
    for_whom = ", ".join(f"`{rule}`" for rule in change.rules)
    verb = "new" if change.is_addition else "goes with the others"
    return f"{verb}: {for_whom}" if for_whom else verb


def _ran(rows: list[Row]) -> Iterator[str]:
    yield "The project's own checks, in copies of it before and after the change:"
    lines = [
        f"| {_text(name)} | {_code(command).replace('|', '&#124;')} | {_text(result)} |"
        for name, command, result in rows
    ]
    yield "\n".join(["| check | command | before → after |", "|---|---|---|", *lines])


def _checks(plan: Plan, steps: list[NextStep], unseen: str) -> Iterator[str]:
    """unseen: what skillgen has not run of the project, or nothing."""
    if plan.changes:
        not_run = f"Not run by it: the project's {unseen}. " if unseen else ""
        yield (
            "Done by skillgen: each changed source and unit file was parsed again after its "
            "change, and the units were read again for what is left. "
            f"{not_run}To run, each to end with status 0:"
        )
        commands = [step.command for step in steps if step.command and BUILD.match(step.command)]
        if plan.hand_offs:
            why = "status 1 until what is left below is settled"
            last = f"- [ ] `skillgen check` ({why})"
        else:
            last = "- [ ] `skillgen check`"
        yield "\n".join([*(f"- [ ] `{command}`" for command in commands), last])
        after = [step for step in steps if not (step.command and BUILD.match(step.command))]
        if after:
            yield "After the merge, where the bot runs:"
            yield "\n".join(f"{number}. {_step(step)}" for number, step in enumerate(after, 1))
    else:
        yield "Nothing is changed here. `skillgen check` ends with status 0 when all is settled."


def _step(step: NextStep) -> str:
    return f"`{step.command}`: {step.why}" if step.command else step.why


def _hand_offs(found: tuple[Finding, ...]) -> Iterator[str]:
    yield f"{count(len(found), 'finding')} that a person or an agent has to settle:"
    rows = []
    for finding in found:
        bounded = " Its attempts are bounded all the same." if finding.contained else ""
        accept = f" `skillgen check` accepts: {_text(finding.accept)}." if finding.accept else ""
        reason = _text(finding.reason or "no safe change is known")
        where = f"{_place(finding)} (`{finding.rule}`)"
        message = _text(finding.message)
        rows.append(f"- {where}: {message}. By hand, because {reason}.{bounded}{accept}")
    yield "\n".join(rows)


def _place(finding: Finding) -> str:
    return _code(f"{finding.path}:{finding.line}")


def _code(text: str) -> str:
    """As code on one line, whatever backticks and line breaks a file's name has."""
    text = one_line(text)
    if "`" not in text:
        return f"`{text}`"
    return f"`` {text} ``"


def _marked(page: str) -> str:
    """A rule's page, which is reStructuredText as far as code goes."""
    return re.sub(r"``(.+?)``", r"`\1`", page, flags=re.S)


def _text(message: str) -> str:
    """A message with parts of the host's own text: nothing in it is markup."""
    return re.sub(r"([\\`*_<>|\[\]])", r"\\\1", " ".join(message.split()))
