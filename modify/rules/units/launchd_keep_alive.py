"""A property list that starts the bot again after every exit, a clean one included.

What it finds
    Finds a ``KeepAlive`` other than ``{SuccessfulExit: false}`` in a launchd property list
    that starts the host itself, and a ``ThrottleInterval`` below 10 seconds.

Why it is bad
    ``KeepAlive`` true restarts a bot whose session was revoked, forever: under the same
    policy systemd made 16,302 attempts in 24 hours. The keys of a ``KeepAlive`` dictionary
    are ORed (launchd.plist(5)), so ``Crashed`` or ``PathState`` beside ``SuccessfulExit``
    start the bot again after a clean exit, too.

What is done
    The whole value becomes ``{SuccessfulExit: false}``; a ``ThrottleInterval`` below 10
    becomes 10, which launchd takes where the key is missing. launchd has no start limit:
    what bounds a crash loop there is the memory of the channel.

When it is handed off
    When the property list cannot be read, the value is computed, or it is unclear what it
    starts. ``KeepAlive`` false or absent stays.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from modify.rules import Example, Rule, Sight
from modify.units.managers.launchd import Entry, LaunchdUnit
from skill.edit import Edit
from skill.options import Options

THROTTLE = 10
RIGHT = {"SuccessfulExit": False}
COMMENT = re.compile(rb"<!--.*?-->", re.DOTALL)
TEMPLATE = (
    '<plist version="1.0">\n<dict>\n\t<key>Label</key>\n\t<string>bot</string>\n'
    "\t<key>ProgramArguments</key>\n\t<array>\n\t\t<string>/usr/local/bin/node</string>\n"
    "\t\t<string>/opt/bot/dist/index.js</string>\n\t</array>\n{}</dict>\n</plist>\n"
)
AFTER = "\t<key>KeepAlive</key>\n\t<dict>\n\t\t<key>SuccessfulExit</key>\n\t\t<false/>\n\t</dict>\n"
THROTTLED = "\t<key>ThrottleInterval</key>\n\t<integer>{}</integer>\n"

rule = Rule(
    __name__,
    fix="KeepAlive = {SuccessfulExit: false}",
    accept="KeepAlive as a dictionary of SuccessfulExit false and nothing else",
    ends_clean_restarts=True,
    examples=(
        Example(
            "launchd",
            TEMPLATE.format("\t<key>KeepAlive</key>\n\t<true/>\n"),
            TEMPLATE.format(AFTER),
        ),
        Example(
            "launchd",
            TEMPLATE.format(AFTER + THROTTLED.format(5)),
            TEMPLATE.format(AFTER + THROTTLED.format(10)),
        ),
    ),
)


@rule.detects("launchd")
def check(unit: LaunchdUnit, options: Options) -> Iterator[Sight]:
    text = unit.text
    if unit.problem:
        position = text.content.find(b"<key>KeepAlive</key>", text.start, text.end)
        if position >= 0:
            yield rule.hand_off(text, position, "KeepAlive may restart the bot", unit.problem)
        return
    entry = unit.entries.get("KeepAlive")
    if entry is None:
        if text.computes(rb"KeepAlive"):
            message = "what keeps the bot alive is computed"
            reason = "skillgen does not run the code that writes this property list"
            yield rule.hand_off(text, text.start, message, reason)
        return
    if entry.computed:
        reason = "its value is not known before it is written"
        yield rule.hand_off(text, entry.key_start, "KeepAlive is computed", reason)
        return
    value = unit.data["KeepAlive"]
    if value is False:
        return
    if value != RIGHT:
        message = "KeepAlive restarts the bot even after its session was revoked"
        edit = Edit(entry.start, entry.end, rewritten(unit, entry), rule.id)
        fix = "KeepAlive = {SuccessfulExit: false}"
        yield rule.at(text, entry.key_start, message, fix, [edit])
    throttle, pause = unit.entries.get("ThrottleInterval"), unit.data.get("ThrottleInterval")
    if throttle and not throttle.computed and isinstance(pause, int) and pause < THROTTLE:
        message = f"ThrottleInterval of {pause} s starts a failing bot again too soon"
        new = f"<integer>{THROTTLE}</integer>".encode()
        edit = Edit(throttle.start, throttle.end, new, rule.id)
        yield rule.at(text, throttle.key_start, message, f"ThrottleInterval = {THROTTLE}", [edit])


def rewritten(unit: LaunchdUnit, entry: Entry) -> bytes:
    """The new value, in the indentation and line breaks of the file; its comments stay."""
    text = unit.text
    comments = COMMENT.findall(text.content[entry.start : entry.end])
    parts = [*comments, b"<key>SuccessfulExit</key>", b"<false/>"]
    line = text.line_at(entry.start)
    own_line = not text.seen(line.start, entry.start).strip()
    if not own_line:
        return b"<dict>" + b"".join(parts) + b"</dict>"
    outer = text.indentation(entry.start)
    step = indentation_step(unit, outer)
    inner = text.line_break + outer + step
    return (
        b"<dict>" + b"".join(inner + part for part in parts) + text.line_break + outer + b"</dict>"
    )


def indentation_step(unit: LaunchdUnit, outer: bytes) -> bytes:
    """What one level more is in this file: its own nesting, else that of the outer dictionary."""
    text = unit.text
    for line in text.lines:
        seen = text.seen(line.start, line.end)
        if seen.strip() in (b"<array>", b"<dict>") and text.indentation(line.start) == outer:
            following = text.lines[text.lines.index(line) + 1]
            deeper = text.indentation(following.start)
            if deeper.startswith(outer) and len(deeper) > len(outer):
                return deeper[len(outer) :]
    if not outer:
        return b""
    return b"\t" if outer.endswith(b"\t") else outer[-4:] if len(outer) % 4 == 0 else b"  "
