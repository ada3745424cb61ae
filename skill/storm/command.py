"""``skillgen simulate``: runs what is asked for, and shows it."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from skill.host import Host
from skill.options import Options, StormOptions
from skill.report import chart as drawing
from skill.report import data, storms
from skill.report.printer import Printer
from skill.settings import settings_of, with_settings
from skill.storm.host.tools import install_esbuild, node_tools
from skill.storm.simulate import (
    WARNING,
    every_scenario,
    find_fence,
    headline,
    require_scenarios,
    simulate_host,
)


def list_scenarios(command: str, printer: Printer, as_text: bool) -> int:
    """Exit status 0."""
    known, first = every_scenario(), headline()
    if as_text:
        printer.lines(storms.scenario_list(known, first))
    else:
        rows = [{"id": one.id, "title": one.title, "headline": one.id in first} for one in known]
        printer.out(data.document(command, 0, scenarios=rows).rstrip())
    return 0


def get_esbuild(command: str, printer: Printer, as_text: bool) -> int:
    """Exit status 0. Raises SkillgenError where it cannot be installed."""
    folder = install_esbuild(printer.say)
    if as_text:
        printer.out(f"esbuild is in {folder}")
    else:
        printer.out(data.document(command, 0, esbuild=str(folder)).rstrip())
    return 0


def simulating(
    wanted: StormOptions, printer: Printer, as_text: bool
) -> Callable[[Host, dict[str, Any]], int]:
    """The action on one host. Raises SkillgenError for an id that no scenario has."""
    ids = require_scenarios(wanted.scenarios)
    if not ids and not wanted.every:
        ids = headline()
    return partial(_simulate, ids=ids, wanted=wanted, printer=printer, as_text=as_text)


def _options(host: Host) -> Options:
    """Those that apply would take."""
    settings = settings_of(host)
    return Options() if settings is None else with_settings(Options(), (), settings)


def _simulate(
    host: Host,
    row: dict[str, Any],
    *,
    ids: frozenset[str],
    wanted: StormOptions,
    printer: Printer,
    as_text: bool,
) -> int:
    """Fill the row with the report as data; the exit status is the report's."""
    host.require_project()
    fence = find_fence(required=wanted.require_fence)
    row["fence"] = fence.kind or None
    printer.say(WARNING + fence.words)

    with printer.counting("runs") as progress:
        report = simulate_host(
            host,
            ids,
            options=_options(host),
            only=wanted.channels,
            after_only=wanted.after_only,
            guarded=wanted.guarded,
            node_tools=partial(node_tools, wanted.node_tools),
            progress=progress,
            fence=fence,
        )
    row.update(storms.as_data(report))
    if as_text:
        for simulation in report.simulations:
            printer.lines(printer.safe(line) for line in storms.text(simulation, printer.width))
            printer.out("")
        for path, why in report.left_out if not printer.quiet else ():
            printer.out(f"left out: {printer.safe(path)}: {why}")
        if not (wanted.scenarios or wanted.every or printer.quiet):
            printer.out("these are the headline scenarios; --all runs every one")
    if wanted.chart is not None:
        drawing.write(report, host, wanted.chart)
    return report.code
