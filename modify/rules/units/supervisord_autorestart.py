"""A supervisord program that starts the bot again after every exit.

What it finds
    Finds ``autorestart=true`` in a ``[program:…]`` section that runs the host itself, and
    ``exitcodes`` without 0, which make a clean exit an unexpected one.

Why it is bad
    A bot whose session was revoked ends with 0 and is started again, forever. With
    ``startsecs=1``, the default, even ``unexpected`` starts a bot that ends at once 4 times
    (supervisord 4.3.0): exiting too quickly beats ``exitcodes``.

What is done
    ``autorestart=unexpected``, ``exitcodes=0`` and ``startsecs=0``. These do not bound a
    crash loop (34 starts in 19 s): the channel's memory does. Where only the ``exitcodes``
    are wrong, 0 goes before them.

When it is handed off
    When it is unclear what the program runs.
    ``unexpected`` and ``false`` stay.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from modify.rules import Example, Rule, Sight
from modify.units.managers.supervisord import Program
from skill.edit import Edit
from skill.options import Options

BEFORE = "[program:bot]\ncommand=node dist/index.js\nautorestart=true\nstopwaitsecs=20\n"
rule = Rule(
    __name__,
    fix="autorestart=unexpected, exitcodes=0, startsecs=0",
    ends_clean_restarts=True,
    examples=(
        Example(
            "supervisord",
            BEFORE,
            BEFORE.replace("restart=true\n", "restart=unexpected\nexitcodes=0\nstartsecs=0\n"),
        ),
    ),
)


@rule.detects("supervisord")
def check(program: Program, options: Options) -> Iterator[Sight]:
    policy = program.settings.get("autorestart")
    value = policy.value.lower() if policy else "unexpected"
    if value == "unexpected":
        yield from clean_exit(program)
    if policy is None or value not in ("true", "yes", "1", "on"):
        return
    text = program.text
    edits = [Edit(policy.start, policy.end, b"unexpected", rule.id)]
    lead = text.line_break
    sign = policy.sign
    new = b""
    codes = program.settings.get("exitcodes")
    if codes is None:
        new += lead + b"exitcodes" + sign + b"0"
    elif codes.value != "0":
        edits.append(Edit(codes.start, codes.end, b"0", rule.id))
    seconds = program.settings.get("startsecs")
    if seconds is None:
        new += lead + b"startsecs" + sign + b"0"
    elif seconds.value != "0":
        edits.append(Edit(seconds.start, seconds.end, b"0", rule.id))
    if new:
        edits.append(Edit(policy.line.end, policy.line.end, new, rule.id))
    message = "supervisord restarts the bot even after its session was revoked"
    yield rule.at(text, policy.line.start, message, edits=edits)


def clean_exit(program: Program) -> Iterator[Sight]:
    """A program that supervisord starts again because 0 is none of its expected codes."""
    codes = program.settings.get("exitcodes")
    if codes is None or not re.fullmatch(r"\d+(\s*,\s*\d+)*", codes.value):
        return
    if 0 in map(int, codes.value.split(",")):
        return
    message = "supervisord takes a clean exit for a failure and starts the bot again"
    edit = Edit(codes.start, codes.start, b"0,", rule.id)
    yield rule.at(program.text, codes.line.start, message, "exitcodes with 0", [edit])
