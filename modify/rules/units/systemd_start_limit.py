"""A unit that systemd may start again and again, without end.

What it finds
    Finds a systemd unit that starts the host itself, restarts it, and has no start limit
    that trips: none at all, one in ``[Service]``, ``StartLimitIntervalSec=0``, or an
    interval that the pauses alone outlast. Also a limit that trips although the host's own
    start ends with a failure while something else does not answer: Docker, a database.

Why it is bad
    Each start may be a connection attempt. ``StartLimitIntervalSec=`` is read in ``[Unit]`` only
    since systemd 230 ("Unknown key … ignoring" in ``[Service]``): a real systemd made 9
    starts in 28 s and went on with the lines in ``[Service]``, and stopped after 5 with the
    same lines in ``[Unit]``. The default of 5 starts in 10 s never trips with
    ``RestartSec=10``. A bug that kills the bot 2 s after each start cost 7,200 attempts in
    24 hours. But a limit that trips leaves the bot down until a person comes: where Docker
    takes 90 s at boot, five starts 10 s apart are over after 40 s. So the pauses grow, to
    300 s, which the limit allows.

What is done
    ``StartLimitIntervalSec=300`` and ``StartLimitBurst=5`` (``--start-limit``) stand in
    ``[Unit]``, once. A limit in ``[Service]`` moves there, with its values when they trip;
    the legacy ``StartLimitInterval=`` gets its present name. A limit that trips is left
    alone: burst × pause shorter than the interval. A restarting unit without a pause gets
    ``RestartSec=10``, else five starts in half a second leave the bot dead. Where the pause
    is so long that 300 s would never trip, the interval is a longer one.

    The pauses grow (``RestartSteps=4``, ``RestartMaxDelaySec=300``): 10, 23, 55, 128 and
    300 s are five starts in any five minutes, which the limit allows, and 16 in any hour; the
    bot runs within five minutes once what it waits for is there. systemd reads the two keys
    since version 254; an older one says that it ignores them, and stops at the limit. Where
    the host's own start fails without something else the pause is 61 s: 5 starts in 300 s are
    then out of reach under every version, at 60 starts an hour before 254 and 15 since. A
    unit without such a need that an earlier skillgen has patched is right as it is.

When it is handed off
    When a limit is computed, or it is unclear what the unit starts. The limit counts
    starts by hand, too: ``systemctl reset-failed`` clears it.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

from modify.rules import Example, Rule, Sight
from modify.units.managers.systemd import RESTARTS_ON_SUCCESS, Directive, SystemdUnit, seconds
from modify.units.restarts import (
    BURST_NAMES,
    GROWTH,
    INTERVAL_NAMES,
    Limit,
    paced,
    pause_after,
    trips,
    values,
    wanted,
)
from skill.edit import Edit
from skill.options import Options

RESTARTING = (*RESTARTS_ON_SUCCESS, "on-failure")

rule = Rule(
    __name__,
    fix="StartLimitIntervalSec=300, StartLimitBurst=5 in [Unit]",
    accept=(
        "StartLimitIntervalSec= and StartLimitBurst= in [Unit], with burst × RestartSec < interval"
    ),
    examples=(
        Example(
            "systemd",
            "[Unit]\nDescription=Bot\n\n"
            "[Service]\nExecStart=/usr/bin/node /opt/bot/dist/index.js\n"
            "Restart=on-failure\nRestartSec=10\n",
            "[Unit]\nDescription=Bot\nStartLimitIntervalSec=300\nStartLimitBurst=5\n\n"
            "[Service]\nExecStart=/usr/bin/node /opt/bot/dist/index.js\n"
            "Restart=on-failure\nRestartSec=10\n" + GROWTH,
        ),
        Example(
            "systemd",
            "[Unit]\nDescription=Bot\n\n"
            "[Service]\nExecStart=/usr/bin/node /opt/bot/dist/index.js\n"
            "Restart=on-failure\nRestartSec=10\nStartLimitIntervalSec=600\nStartLimitBurst=5\n",
            "[Unit]\nDescription=Bot\nStartLimitIntervalSec=600\nStartLimitBurst=5\n\n"
            "[Service]\nExecStart=/usr/bin/node /opt/bot/dist/index.js\n"
            "Restart=on-failure\nRestartSec=10\n" + GROWTH.replace("=4", "=3"),
        ),
        Example(
            "systemd",
            "[Unit]\nDescription=Bot\nStartLimitIntervalSec=0\n\n"
            "[Service]\nExecStart=/usr/bin/node /opt/bot/dist/index.js\n"
            "Restart=on-failure\nRestartSec=10\n",
            "[Unit]\nDescription=Bot\nStartLimitIntervalSec=300\nStartLimitBurst=5\n\n"
            "[Service]\nExecStart=/usr/bin/node /opt/bot/dist/index.js\n"
            "Restart=on-failure\nRestartSec=10\n" + GROWTH,
        ),
    ),
)


@rule.detects("systemd")
def check(unit: SystemdUnit, options: Options) -> Iterator[Sight]:
    restart = unit.restart
    if restart is None or restart.value not in RESTARTING or unit.is_one_shot:
        return
    if inherits_limit(unit) or math.isinf(pause_after(unit)):
        return
    misplaced = [item for item in unit.directives if is_limit(item) and item.section == "Service"]
    limits = [item for item in unit.directives if is_limit(item)]
    unread = [item for item in limits if item.computed]
    if unread or unit.text.computes(rb"\bStartLimit"):
        position = unread[0].start if unread else unit.text.start
        reason = "its value is not known before it is written"
        yield rule.hand_off(unit.text, position, "the start limit is computed", reason)
        return
    limit = wanted(unit, options)
    edits = placed(unit, limit, misplaced)
    if restart.value == "on-failure" and not edits and unit.waits_for:
        yield from ends_for_good(unit, restart, limit)
        return
    if not edits:
        return
    if restart.value == "on-failure":
        edits += paced(unit, restart, limit, rule.id, keep=not unit.waits_for).edits
    position = limits[0].start if limits else restart.start
    if misplaced:
        position = misplaced[0].start
    fix = f"StartLimitIntervalSec={limit.interval} in [Unit]"
    if limit.burst:
        fix = f"StartLimitIntervalSec={limit.interval}, StartLimitBurst={limit.burst} in [Unit]"
    yield rule.at(unit.text, position, complaint(unit, misplaced, limits), fix, edits)


def ends_for_good(unit: SystemdUnit, restart: Directive, limit: Limit) -> Iterator[Sight]:
    """A limit that is right but for the bot's own start, which fails while something is missing."""
    pauses = paced(unit, restart, limit, rule.id)
    if not pauses.edits:
        return
    interval = values(unit)[0]
    place = restart.start if interval is None else interval.start
    message = f"the start limit ends the bot for good: {unit.waits_for}"
    fix = f"RestartSec={pauses.pause}, " if pauses.pause else ""
    yield rule.at(unit.text, place, message, f"{fix}pauses that grow", pauses.edits)


def is_limit(item: Directive) -> bool:
    return item.section in ("Unit", "Service") and item.name.startswith("StartLimit")


def inherits_limit(unit: SystemdUnit) -> bool:
    """A drop-in without limits of its own: its unit has the limit, or gets it."""
    if unit.base is None or any(is_limit(item) for item in unit.directives):
        return False
    restart = unit.base.restart
    return restart is not None and restart.value in RESTARTING


def complaint(unit: SystemdUnit, misplaced: list[Directive], limits: list[Directive]) -> str:
    if misplaced:
        return f"{misplaced[0].name}= is not read in [Service] as a start limit"
    if not limits:
        return "no start limit: a crash loop restarts the bot forever"
    if any(seconds(item.value) == 0 for item in limits):
        return "the start limit is switched off"
    if trips(*values(unit), pause_after(unit)):
        return f"{limits[0].name}= is a legacy name, or stands twice"
    return "the start limit never trips: the pauses outlast its interval"


def placed(unit: SystemdUnit, limit: Limit, misplaced: list[Directive]) -> list[Edit]:
    """The edits that leave ``limit`` in [Unit], once, and nothing of it in [Service]."""
    edits: list[Edit] = []
    removed = list(misplaced)
    new: list[str] = []
    for names, value in ((INTERVAL_NAMES, limit.interval), (BURST_NAMES, limit.burst)):
        there, last = unit.all("Unit", *names), unit.last("Unit", *names)
        removed += [item for item in there if item is not last]
        written = f"{names[0]}={value}"
        if last is None:
            new += [written] if value else []
        elif (last.name, last.value) != (names[0], value):
            edits.append(Edit(last.start, last.value_end, written.encode(), rule.id))
    new += [
        f"{item.name}={item.source}"  # StartLimitAction=, honoured in [Service] by its old name
        for item in misplaced
        if item.name not in INTERVAL_NAMES + BURST_NAMES and not unit.all("Unit", item.name)
    ]
    edits += unit.text.remove([(item.first, item.last) for item in removed], rule.id)
    return edits + (inserted(unit, new) if new else [])


def inserted(unit: SystemdUnit, new: list[str]) -> list[Edit]:
    text = unit.text
    headers = [header for header in unit.headers if header.section == "Unit"]
    if headers:
        within = [item for item in unit.directives if item.section == "Unit"]
        first = within[-1].first if within else headers[0].line
        last = within[-1].last if within else headers[0].line
        return [text.insert_after(first, last, new, rule.id)]
    begin = unit.headers[0].line
    indentation = text.indentation(begin.start)
    lines_of_section = ["[Unit]", *new, ""]
    joined = b"".join(indentation + line.encode() + text.line_break for line in lines_of_section)
    return [Edit(begin.start, begin.start, joined, rule.id)]
