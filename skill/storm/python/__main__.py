"""``python -m skill.storm.python HOST``: the Python channels of one host, in a table.

For the project's own work; what users get is ``skillgen simulate``.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from skill.errors import SkillgenError
from skill.host import Host
from skill.storm.details import exits_of, print_details, seconds, settled
from skill.storm.python.discover import PythonChannel, discover
from skill.storm.python.run import PythonOutcome, simulate_python
from skill.storm.python.scenarios import BRIDGE, NEONIZE, TABLES
from skill.storm.supervisor import ALWAYS_5S, BY_NAME

_COLUMNS = "{:18} {:>8} {:>6} {:>6} {:>6} {:>7}  {:16} {:>8} {:>9} {:>8} {:>7}"


def main() -> int:
    """Exit status 0; 1 when a bound is broken (``--check``); 2 when there is no channel."""
    every = {scenario.id: scenario for scenario in (*BRIDGE, *NEONIZE)}
    parser = argparse.ArgumentParser(prog="python -m skill.storm.python", description=__doc__)
    parser.add_argument("host", type=Path)
    parser.add_argument("--channel", help="only the channels of this file")
    parser.add_argument("--supervisor", choices=list(BY_NAME), default="always")
    parser.add_argument("--scenario", action="append", choices=sorted(every))
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--log", action="store_true", help="first and last lines of each log")
    parser.add_argument("--check", action="store_true", help="judge by the patched bounds")
    options = parser.parse_args()
    try:
        channels = discover(Host(options.host))
    except SkillgenError as error:
        print(error, file=sys.stderr)
        return 2
    channels = [one for one in channels if options.channel in (None, one.path)]
    if not channels:
        print(f"{options.host}: no Python channel found", file=sys.stderr)
        return 2
    broken = False
    for channel in channels:
        print(f"{channel.path}:{channel.line}  {channel.shape}  ", end="")
        print((channel.cannot and f"not run: {channel.cannot}") or channel.label)
        if channel.cannot:
            continue
        wanted = [every[one] for one in options.scenario or ()] or TABLES[channel.way]
        outcomes = simulate_python(
            options.host,
            channel,
            supervisor=BY_NAME.get(options.supervisor, ALWAYS_5S),
            scenarios=wanted,
            workers=options.workers,
        )
        show(channel, outcomes, log=options.log, judged=options.check)
        broken = broken or any(one.broken() for one in outcomes)
    return int(options.check and broken)


def show(
    channel: PythonChannel,
    outcomes: list[PythonOutcome],
    *,
    log: bool = False,
    judged: bool = False,
) -> None:
    """The table, times in virtual seconds; the last column is the real time it took."""
    print(
        _COLUMNS.format(
            "scenario", "attempts", "hour", "bound", "hour", "starts", "exits",
            "next", "settled", "ended", "real",
        )
    )  # fmt: skip
    for one in outcomes:
        if one.not_run:
            print(f"{one.scenario.id:18} not run: {one.not_run}")
            for at, level, text in one.log if log else ():
                print(f"    | {at:10.1f} {level}: {text}")
            continue
        print(
            _COLUMNS.format(
                one.scenario.id,
                one.attempts,
                one.busiest_hour,
                one.scenario.bound.day,
                one.scenario.bound.hour,
                one.starts,
                exits_of(one),
                seconds(one.next_s),
                settled(one),
                seconds(one.ended_s),
                f"{one.real_s:.1f} s",
            )
        )
        print_details(one, log=log, judged=judged)


if __name__ == "__main__":
    raise SystemExit(main())
