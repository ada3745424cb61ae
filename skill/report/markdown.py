"""The text of a pull request for the maintainers of a host (``apply --format markdown``).

At most 40 lines where nothing is left to a person: what changes for those who run the bot, what
changes in which file, how it was proven, what a maintainer has to know, and the way back. It names
files of the host only, nothing of the machine it was made on.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import TYPE_CHECKING, NamedTuple

from modify.rules import ids, unit_rule_ids
from skill import __version__
from skill.finding import Finding
from skill.plan import Change, Plan
from skill.report.folding import size
from skill.report.next_steps import NextStep
from skill.report.printer import one_line
from skill.report.text import count, nothing
from skill.source_paths import SKILL_ASSETS, is_among_tests

if TYPE_CHECKING:
    from skill.proof.verdict import Proven

TITLE = "Keep the bot from hammering WhatsApp"
# One line a paragraph: forges show a line break as one.
WHY = (
    "Connection attempts that repeat too fast get a number blocked by WhatsApp (\"can't link new "
    'devices now").'
)
Row = tuple[str, str, str]
BUILD = re.compile(r"^(npm|pnpm|yarn|bun) run ")
DIALS = re.compile(r"^([\d,]+)")
MOST_FILES, MOST_STORMS, MOST_LEFT = 7, 4, 8
HELD = "waits for its turn"


class Topic(NamedTuple):
    """What a group of rules changes. label: in the table of files. text: for who runs the bot."""

    rules: frozenset[str]
    label: str
    text: str


WAITS = Topic(
    frozenset(
        (
            *(ids.UNGATED_CONNECT, ids.FLAT_RETRY, ids.STACKED_TIMERS),
            *(ids.PREMATURE_RESET, ids.SILENT_REDIAL),
        )
    ),
    "attempts to connect wait for their turn",
    "**Attempts wait for their turn**: 5 s, 10 s, 20 s … 5 min after failures, and at most 20 "
    "attempts in any hour, restarts included",
)
BRIDGE = "**The link to the bridge** is tried again after 5 s, 10 s, 20 s … 60 s"
SERVICE = "**The service** is restarted after a failure only, and not without end"
ENDS = Topic(
    frozenset(
        (
            *(ids.AUTH_FAILURE_EXIT, ids.QR_EXIT),
            *(ids.LOGOUT_UNHEARD, ids.LOGOUT_HIDDEN_BY_BRIDGE),
        )
    ),
    "the end of a session is final",
    "**Once WhatsApp has ended the session** (logged out, blocked, a QR code asked for) no further "
    "attempt is made until the bot is linked again",
)
RETURNS = Topic(
    frozenset((ids.CHANNEL_GIVES_UP, ids.LOST_FIRST_OPEN, ids.NO_CONNECT_DEADLINE)),
    "a failed attempt is followed by another",
    "**An attempt that fails or gets no answer** is followed by another: the bot comes back by "
    "itself",
)
STOPS = Topic(
    frozenset((ids.RECONNECT_AFTER_STOP,)),
    "a stop is final",
    "**A shutdown** does not connect again",
)
FOLLOWS = Topic(
    frozenset((ids.FAULT_ASSERTING_TEST, ids.STALE_SKILL_COPY)),
    "follows the change",
    "Tests and copies that repeat the old behaviour follow",
)
TOPICS = (WAITS, ENDS, RETURNS, STOPS, FOLLOWS)


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
    ran, steps = list(ran), list(steps)
    blocks = [f"# {TITLE}"]
    if plan.changes:
        blocks += [f"{WHY} With this change:\n" + "\n".join(_bullets(plan))]
        blocks += ["\n".join(_files(plan))]
        blocks += list(_proof(proven, ran))
        blocks += ["\n".join(_to_know(plan))]
        blocks += ["\n".join(_checks(plan, steps, proven, bool(ran)))]
    if plan.hand_offs:
        blocks += ["\n".join(_hand_offs(plan))]
    if plan.changes:
        blocks.append(
            f"Made by skillgen {__version__}. Undo: `git revert`, or where it was applied "
            "`skillgen revert`; both give every byte back."
        )
    return "\n\n".join(blocks)


def _bullets(plan: Plan) -> Iterator[str]:
    """What changes for those who run the bot."""
    for topic in TOPICS:
        about = [each for each in plan.settled if _topic(each) is topic]
        if topic is FOLLOWS and any(_is_of_a_unit(each) for each in plan.settled):
            yield f"- {SERVICE}."
        if about:
            yield f"- {_text_of(topic, about)}."


def _text_of(topic: Topic, about: Sequence[Finding]) -> str:
    if topic is ENDS and any(map(_ends_with_0, about)):
        return f"{topic.text}; a process that ends there has status 0"
    if topic is not WAITS:
        return topic.text
    gated = any(each.rule == ids.UNGATED_CONNECT or _is_typed(each) for each in about)
    flat = next((each for each in about if each.rule == ids.FLAT_RETRY), None)
    until_now = f". Until now: {_text(flat.message)}" if flat else ""
    return (topic.text if gated else BRIDGE) + until_now


def _ends_with_0(finding: Finding) -> bool:
    fix = finding.fix or ""
    return finding.rule in ENDS.rules and HELD not in fix and fix.endswith("0")


def _topic(finding: Finding) -> Topic | None:
    """What settling a finding changes; of what is held, its wait is all that is promised."""
    held = HELD in (finding.fix or "") and finding.rule not in ENDS.rules
    if held:
        return WAITS
    return next((topic for topic in TOPICS if finding.rule in topic.rules), None)


def _is_typed(finding: Finding) -> bool:
    return not finding.path.endswith(".py")


def _is_of_a_unit(finding: Finding) -> bool:
    return finding.rule in unit_rule_ids() - FOLLOWS.rules


def _files(plan: Plan) -> Iterator[str]:
    """A row a file: what matters first, and what does not fit as one row."""
    yield "| file | lines | change |"
    yield "|---|---|---|"
    changes = sorted(plan.changes, key=lambda each: (_weight(each), each.path))
    shown = changes if len(changes) <= MOST_FILES else changes[: MOST_FILES - 1]
    for change in shown:
        added, removed = size(change)
        path = _code(change.path).replace("|", "\\|")
        yield f"| {path} | +{added} −{removed} | {_what(plan, change)} |"
    rest = changes[len(shown) :]
    if rest:
        added, removed = (sum(each) for each in zip(*map(size, rest), strict=True))
        what = f"| {count(len(rest), 'more file')} | +{added} −{removed} |"
        yield f"{what} the same in tests, copies and pages |"


def _weight(change: Change) -> int:
    """The bot's own sources first, then what is added, tests, and copies."""
    if change.path.startswith(SKILL_ASSETS):
        return 4
    if change.path.endswith((".md", ".mdx")):
        return 3
    if is_among_tests(change.path):
        return 2
    return 1 if change.is_addition else 0


_MODULE = re.compile(r"(?:-reconnect\.\w+|_reconnect\.py)$")
_MODULE_TEST = re.compile(r"-reconnect\.test\.\w+$|test_\w+_reconnect\.py$")


def _what(plan: Plan, change: Change) -> str:
    if _MODULE_TEST.search(change.path):
        return "tests of that file" if not change.is_addition else "new: tests of the new file"
    if _MODULE.search(change.path):
        uses = "the standard library" if change.path.endswith(".py") else "Node's own modules"
        return f"{'new: ' if change.is_addition else ''}counts and paces attempts; {uses} only"
    found = [each for each in plan.settled if each.path == change.path]
    parts: dict[str, None] = {}
    for finding in found:
        topic = _topic(finding)
        parts[topic.label if topic else _text(finding.fix or "")] = None
    return "; ".join(parts) or FOLLOWS.label


def _proof(proven: Proven | None, ran: Sequence[Row]) -> Iterator[str]:
    if proven and proven.proofs:
        one = max(proven.proofs, key=lambda proof: proof.scenarios)
        yield (
            f"**Proven** on the bot's own code, before and after, with a fake WhatsApp: "
            f"{proven.summary.removeprefix('proven in ')}, every promise kept, nothing worse than "
            "before. Attempts in 24 h:"
        )
        worst = sorted(one.dials, key=lambda row: -_number(row[1]) / max(1, _number(row[2])))
        rows = [
            f"| {title} | {was or 'not run'} | {now} |" for title, was, now in worst[:MOST_STORMS]
        ]
        yield "\n".join(["| what happens | before | after |", "|---|---:|---:|", *rows])
    if ran:
        rows = [
            f"| {_text(name)} | {_code(command).replace('|', '&#124;')} | {_text(result)} |"
            for name, command, result in ran
        ]
        yield "\n".join(["| check | command | before → after |", "|---|---|---|", *rows])


def _number(text: str) -> int:
    found = DIALS.search(text.removeprefix("more than "))
    return int(found[1].replace(",", "")) if found else 0


def _to_know(plan: Plan) -> Iterator[str]:
    after = b"\n".join(change.after or b"" for change in plan.changes)
    yield "**To know**"
    if any(map(_ends_with_0, plan.settled)):
        yield (
            "- Status 0 is success to a supervisor: no alert fires after a logout. The log says "
            "why, and so does `skillgen status`."
        )
    if any(_MODULE.search(change.path) for change in plan.changes):
        yield (
            "- The count lies in a file beside the credentials, `…-reconnect.json`: keep it out of "
            "git, like them. Where it cannot be written the hourly bound ends with the process."
        )
    if b"StartLimitBurst=" in after:
        spread = "From systemd 254 on restarts spread up to 5 min; before, the start limit"
        who = spread if b"RestartSteps=" in after else "The start limit"
        yield f"- {who} may leave the unit `failed`: `systemctl reset-failed` clears it."


def _checks(
    plan: Plan, steps: Sequence[NextStep], proven: Proven | None, ran: bool
) -> Iterator[str]:
    unseen = "" if ran else "the project's build and tests" if proven else "the project's code"
    yield "**To check**, each with status 0" + (f" (not run here: {unseen})" if unseen else "")
    commands = [step.command for step in steps if step.command and BUILD.match(step.command)]
    after = "; status 1 until what is left below is settled" if plan.hand_offs else ""
    yield "- [ ] " + ", ".join([*map(_code, commands), f"`skillgen check`{after}"])
    later = [step for step in steps if not (step.command and BUILD.match(step.command))]
    if later:
        yield "- After the merge, where the bot runs: " + "; ".join(map(_step, later)) + "."


def _step(step: NextStep) -> str:
    if step.command is None:
        return _text(step.why)
    return _code(step.command)


def _hand_offs(plan: Plan) -> Iterator[str]:
    found = plan.hand_offs
    yield f"**Left to you**: {count(len(found), 'finding')} to settle by hand"
    for finding in islice(found, MOST_LEFT):
        bounded = " Its attempts are bounded all the same." if finding.contained else ""
        accept = f" `skillgen check` accepts: {_text(finding.accept)}." if finding.accept else ""
        reason = _text(finding.reason or "no safe change is known")
        where = f"{_code(f'{finding.path}:{finding.line}')} (`{finding.rule}`)"
        yield f"- {where}: {_text(finding.message)}. By hand: {reason}.{bounded}{accept}"
    if len(found) > MOST_LEFT:
        yield f"- and {len(found) - MOST_LEFT} more, which `skillgen check` lists"


def _code(text: str) -> str:
    """As code on one line, whatever backticks and line breaks a file's name has."""
    text = one_line(text)
    if "`" not in text:
        return f"`{text}`"
    return f"`` {text} ``"


def _text(message: str) -> str:
    """A message with parts of the host's own text: nothing in it is markup."""
    return re.sub(r"([\\`*_<>|\[\]])", r"\\\1", " ".join(message.split()))
