"""``python -m skill.storm HOST CHANNEL --driver … --node-tools …``: the table of one host.

For the project's own work; what users get is ``skillgen simulate``.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from skill.host import Host
from skill.simulate.units import own_unit
from skill.storm.catalogue import BY_ID as SCENARIOS
from skill.storm.details import exits_of, print_details, seconds, settled
from skill.storm.outcome import Outcome, StormError
from skill.storm.run import simulate
from skill.storm.scenarios import TABLE
from skill.storm.supervisor import ALWAYS_5S, BY_NAME

_COLUMNS = "{:14} {:>8} {:>6} {:>7} {:>7} {:>7}  {:14} {:>8} {:>9} {:>9} {:>7}  {}"


def main() -> int:
    """Exit status 0; 1 when a bound is broken (``--check``); 2 when the host does not run."""
    every = SCENARIOS
    parser = argparse.ArgumentParser(prog="python -m skill.storm", description=__doc__)
    parser.add_argument("host", type=Path)
    parser.add_argument("channel", help="the channel file, relative to HOST")
    parser.add_argument("--driver", choices=["class", "factory", "module", "main"], default="class")
    parser.add_argument("--node-tools", type=Path, required=True)
    parser.add_argument("--supervisor", choices=["host", *BY_NAME], default="host")
    parser.add_argument("--scenario", action="append", choices=sorted(every))
    parser.add_argument("--registry", action="store_true", help="a second channel is connected")
    parser.add_argument("--start", help="the exported function to call (driver module)")
    parser.add_argument("--ready-log", help="a pattern for main's last log line (driver main)")
    parser.add_argument("--env", action="append", default=[], metavar="NAME=VALUE")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--times", action="store_true", help="with --json: every attempt")
    parser.add_argument(
        "--log", action="store_true", help="the first and last lines of each scenario's log"
    )
    parser.add_argument("--check", action="store_true", help="judge by the patched bounds")
    options = parser.parse_args()
    own = own_unit(Host(options.host)).rules if options.supervisor == "host" else None
    try:
        outcomes = simulate(
            options.host,
            options.channel,
            driver=options.driver,
            supervisor=own or BY_NAME.get(options.supervisor, ALWAYS_5S),
            scenarios=[every[name] for name in options.scenario] if options.scenario else TABLE,
            node_tools=options.node_tools,
            registry=options.registry,
            start=options.start,
            ready_log=options.ready_log,
            environment=dict(one.split("=", 1) for one in options.env),
        )
    except StormError as error:
        print(error, file=sys.stderr)
        return 2
    if options.json:
        json.dump([one.as_json(times=options.times) for one in outcomes], sys.stdout, indent=1)
        print()
    else:
        show(outcomes, log=options.log, judged=options.check)
    return int(options.check and any(one.broken() for one in outcomes))


def show(outcomes: list[Outcome], *, log: bool = False, judged: bool = False) -> None:
    """The table, times in virtual seconds; the last column is the real time it took."""
    print(
        _COLUMNS.format(
            "scenario", "attempts", "hour", "bound", "runs", "starts", "exits",
            "next", "settled", "first up", "ready", "real",
        )
    )  # fmt: skip
    for one in outcomes:
        print(
            _COLUMNS.format(
                one.scenario.id,
                one.attempts,
                one.busiest_hour,
                one.scenario.bound.day,
                one.runs,
                one.starts,
                exits_of(one),
                seconds(one.next_s),
                settled(one),
                seconds(one.first_up_s),
                seconds(one.ready_s),
                f"{one.real_s:.1f} s",
            )
        )
        print_details(one, log=log, judged=judged)


if __name__ == "__main__":
    raise SystemExit(main())
