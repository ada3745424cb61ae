"""The chart and the table of docs/proof.md are what the code makes now."""

from __future__ import annotations

from pathlib import Path

from tests.slow.docs import figures


def test_the_figures_are_those_of_the_demo_host(node_tools: Path) -> None:
    report = figures.measured(node_tools)
    page = figures.PAGE.read_text("utf-8")
    assert figures.with_figures(page, report) == page, "make them anew: make figures"
    assert figures.CHART.read_text("utf-8") == figures.chart(report), "make figures"
    [simulation] = report.simulations
    assert simulation.broken == []
    assert any(one.broken() for one in simulation.before.outcomes)
