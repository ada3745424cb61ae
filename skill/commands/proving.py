"""``apply --prove``: the step between the plan and the writing."""

from __future__ import annotations

from typing import Any

from skill.commands.shell import quoted
from skill.host import Host
from skill.plan import Plan
from skill.proof.prove import prove
from skill.proof.verdict import Proven
from skill.report import proof as report
from skill.report.printer import Printer
from skill.storm.host.tools import node_tools
from skill.storm.simulate import WARNING, find_fence


def proved(host: Host, plan: Plan, row: dict[str, Any], printer: Printer, as_text: bool) -> Proven:
    """Prove the plan, show how that went, and fill the row with it. Raises SkillgenError."""
    fence = find_fence()
    printer.say(WARNING + fence.words)

    with printer.counting("runs") as progress:
        proven = prove(host, plan, node_tools=node_tools, fence=fence, progress=progress)
    row["proof"] = {"fence": fence.kind or None, **report.data(proven)}
    if as_text and not printer.quiet:
        printer.lines(printer.safe(line) for line in report.text(proven))
        printer.out("")
    return proven


def nothing_written(host: Host, proven: Proven) -> str:
    """Why a plan that was not proven is not written, and the next step."""
    first = proven.unproven[0]
    return (
        f"{first.path}: {first.text}; nothing was written (unproven: "
        f"skillgen apply {quoted(host.root)})"
    )
