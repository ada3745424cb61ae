"""``make figures``: the chart and the table of docs/proof.md, from the bundled demo host.

    <!-- figures: begin -->
    …
    <!-- figures: end -->

holds what ``skillgen simulate`` finds for that host in the scenarios that it runs by default.
Time in it is virtual, so the same code makes the same bytes.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from skill.host import Host
from skill.report.chart import bot_name, draw
from skill.report.storms import NO_FIGURE, cells
from skill.storm.catalogue import HEADLINE
from skill.storm.host.tools import CHECKOUT_TOOLS, require_node
from skill.storm.simulate import Report, simulate_host

CHECKOUT = Path(__file__).resolve().parents[3]
DEMO = CHECKOUT / "tests" / "hosts" / "v1-class"
PAGE, CHART = CHECKOUT / "docs" / "proof.md", CHECKOUT / "docs" / "storms.svg"
PLACE = re.compile(r"(<!-- figures: begin -->\n).*?(<!-- figures: end -->)", re.S)
SCENARIOS = [scenario.id for scenario in HEADLINE]


def measured(node_tools: Path) -> Report:
    return simulate_host(Host(DEMO), SCENARIOS, node_tools=lambda: (require_node(), node_tools))


def table(report: Report) -> Iterator[str]:
    [simulation] = report.simulations
    yield "| what happens | busiest hour | 24 hours | next attempt after it | ready |\n"
    yield "|---|---|---|---|---|\n"
    pairs = zip(simulation.before.outcomes, simulation.after.outcomes, strict=True)
    for before, after in pairs:
        hour, day, following, ready = cells(before, after)
        following = "" if following == NO_FIGURE else following
        yield f"| {after.scenario.title} | {hour} | {day} | {following} | {ready} |\n"


def chart(report: Report) -> str:
    return draw(report.simulations, bot_name(Host(DEMO)))


def with_figures(page: str, report: Report) -> str:
    text, made = PLACE.subn(lambda place: place[1] + "".join(table(report)) + place[2], page)
    assert made == 1, "docs/proof.md has one place for the figures"
    return text


def main() -> None:
    report = measured(CHECKOUT_TOOLS)
    PAGE.write_text(with_figures(PAGE.read_text("utf-8"), report), "utf-8")
    CHART.parent.mkdir(exist_ok=True)
    CHART.write_text(chart(report), "utf-8")
    print(f"{PAGE}\n{CHART}")


if __name__ == "__main__":
    main()
