"""``skillgen doctor``, and ``skillgen check --installed``, which asks the same."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict
from typing import Any

from skill.commands.shell import quoted
from skill.doctor.answer import Answer, Unseen
from skill.doctor.questions import asked
from skill.doctor.scene import Scene
from skill.host import Host
from skill.options import Options
from skill.report.printer import Printer
from skill.report.text import Paint, count
from skill.service.tools import Tools

Row = dict[str, Any]
STYLES = {"ok": "fix", "warning": "hand", "wrong": "-"}
WIDTH = len("warning")


def doctor(host: Host, row: Row, options: Options, printer: Printer, as_text: bool) -> int:
    """Answer the questions about one host: 1 when something is wrong. Raises SkillgenError."""
    host.require_project()
    answers, unseen = examined(host, row, options, printer)
    if as_text:
        show(answers, unseen, printer)
    return exit_of(answers)


def examined(
    host: Host, row: Row, options: Options, printer: Printer
) -> tuple[list[Answer], list[Unseen]]:
    row.update(answers=[], unseen=[])
    with printer.working("looking at the bot and what runs it"):
        answers, unseen = asked(Scene(host, Tools(host.root), options))
    row["answers"] = [asdict(each) for each in answers]
    row["unseen"] = [asdict(each) for each in unseen]
    return answers, unseen


def exit_of(answers: Sequence[Answer]) -> int:
    return 1 if any(each.state == "wrong" for each in answers) else 0


def show(answers: Sequence[Answer], unseen: Sequence[Unseen], printer: Printer) -> None:
    chosen = [each for each in answers if not printer.quiet or each.state == "wrong"]
    printer.lines(
        line for each in chosen for line in answer_lines(each, printer.paint, printer.safe)
    )
    if printer.quiet:
        return
    printer.lines(f"not looked at: {printer.safe(f'{each.what}: {each.why}')}" for each in unseen)
    printer.out(summary(answers, unseen))


def answer_lines(answer: Answer, paint: Paint, safe: Any) -> Iterator[str]:
    state = paint(answer.state.ljust(WIDTH), STYLES[answer.state])
    yield f"{state}  {answer.question}: {safe(answer.text)}"
    yield from (f"{' ' * WIDTH}    {safe(command)}" for command in answer.next)


def summary(answers: Sequence[Answer], unseen: Sequence[Unseen]) -> str:
    wrong, warnings = (
        [each for each in answers if each.state == state] for state in ("wrong", "warning")
    )
    parts = [f"{len(wrong)} wrong"] if wrong else []
    parts += [count(len(warnings), "warning")] if warnings else []
    if unseen:
        parts.append(f"{count(len(unseen), 'thing')} could not be looked at")
    return "; ".join(parts) or "all well: this bot is safe"


def in_one_line(host: Host, answers: Sequence[Answer], findings: int) -> str:
    """Of ``check --installed --quiet``: what is wrong, or nothing."""
    wrong = [each for each in answers if each.state == "wrong"]
    if not wrong and not findings:
        return ""
    what = wrong[0].text if wrong else count(findings, "finding")
    more = f" (and {len(wrong) - 1} more)" if len(wrong) > 1 else ""
    return f"{host.root}: {what}{more}; see: skillgen doctor {quoted(host.root)}"
