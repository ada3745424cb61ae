"""A shell loop, or a parent in code, that starts the bot again whatever happened.

What it finds
    Finds ``while true; do node dist/index.js; sleep 5; done`` in the host's shell scripts:
    a loop without an end around the host itself, and one that ends on success
    (``until node …``) but waits the same few seconds each time. In JavaScript: a parent that
    forks or spawns the bot and does so again in the handler of its ``exit``, and ``forever`` in
    the scripts of package.json.

Why it is bad
    It is ``Restart=always`` with a five second pause, and without a limit: a bot whose
    session was revoked made 16,302 attempts in 24 hours under that policy. What ends a
    service (``systemctl stop``) does not even end the loop.

What is done
    The loop ends when the bot ends with 0 (``&& break``), and the pause doubles from the
    host's own, at least 5 seconds, up to 300. Nothing else in the script changes.

When it is handed off
    When the shape is not plain: the program's exit status is hidden by a pipe, it runs in
    the background or in a condition, ``set -e`` rules the script, the pause is computed, or
    the loop has an end of its own that is not for status 0. Loops that count their rounds,
    and loops around other programs, stay. A parent in code is always handed off: what else its
    handler does is the host's own.
"""

from __future__ import annotations

from collections.abc import Iterator

from modify.kit.typescript.source import span
from modify.rules import Example, Rule, Sight
from modify.units.shell_loops import Loop, command_end
from skill.edit import Edit
from skill.options import Options

SHORTEST, LONGEST = 5, 300
WHY = " # 0: stopped by hand, or the session is over"

rule = Rule(
    __name__,
    fix="ends on exit 0 and waits longer each time",
    accept="a loop that ends when the bot ends with 0, and waits longer each time",
    ends_clean_restarts=True,
    examples=(
        Example(
            "shell",
            "#!/bin/sh\nwhile true; do\n  node dist/index.js\n  sleep 5\ndone\n",
            "#!/bin/sh\npause=5\nwhile true; do\n"
            "  node dist/index.js && break # 0: stopped by hand, or the session is over\n"
            '  sleep "$pause"\n  pause=$((pause < 150 ? pause * 2 : 300))\ndone\n',
        ),
        Example(
            "shell",
            "#!/bin/sh\nuntil node dist/index.js; do sleep 1; done\n",
            '#!/bin/sh\npause=5\nuntil node dist/index.js; do sleep "$pause"; '
            "pause=$((pause < 150 ? pause * 2 : 300)); done\n",
        ),
    ),
)


@rule.detects("shell")
def check(loop: Loop, options: Options) -> Iterator[Sight]:
    if loop.ends and loop.paces:
        return
    message = "the loop restarts the bot even after its session was revoked"
    if loop.ends:
        message = "the loop starts the bot again after the same short pause each time"
    problem = loop.problem or ("" if loop.paces or room_before(loop) else "it begins amid a line")
    if problem:
        yield rule.hand_off(loop.text, loop.position, message, problem)
        return
    edits = [] if loop.ends else [ended(loop)]
    edits += [] if loop.paces else list(paced(loop))
    fixes = [] if loop.ends else ["ends on exit 0"]
    fixes += [] if loop.paces else ["waits longer each time"]
    yield rule.at(loop.text, loop.position, message, " and ".join(fixes), joined(edits))


def joined(edits: list[Edit]) -> list[Edit]:
    """Insertions at one place as one, in their order."""
    places: dict[tuple[int, int], bytes] = {}
    for edit in edits:
        key = (edit.start, edit.end)
        places[key] = places.get(key, b"") + edit.text
    return [Edit(start, end, text, rule.id) for (start, end), text in places.items()]


def ended(loop: Loop) -> Edit:
    end = command_end(loop)
    rest = loop.text.content[end : loop.text.line_at(end).end]
    return Edit(end, end, b" && break" + (b"" if rest.strip() else WHY.encode()), rule.id)


def paced(loop: Loop) -> Iterator[Edit]:
    """The pause as a variable: set before the loop, used in it, doubled behind it."""
    text = loop.text
    name = "pause" if b"pause" not in text.content else "restart_pause"
    seconds = max(loop.seconds, SHORTEST)
    start = loop.position
    set_before = f"{name}={seconds}".encode()
    yield Edit(start, start, set_before + text.line_break + text.indentation(start), rule.id)
    wait = f'sleep "${name}"'
    longer = f"{name}=$(({name} < {LONGEST // 2} ? {name} * 2 : {LONGEST}))"
    if loop.sleep is not None:
        begin, end = span(loop.sleep)
        yield Edit(begin, end, wait.encode(), rule.id)
        yield behind(loop, end, [longer])
        return
    statements = [child for child in loop.body.children() if child.is_named()]
    yield behind(loop, span(statements[-1])[1], [wait, longer])


def behind(loop: Loop, end: int, commands: list[str]) -> Edit:
    """More commands behind a statement: on lines of their own where it ends its line."""
    text = loop.text
    line = text.line_at(end)
    rest = text.content[end : line.end].strip()
    if rest and not rest.startswith(b"#"):
        return Edit(end, end, "".join(f"; {command}" for command in commands).encode(), rule.id)
    lead = text.line_break + text.indentation(end)
    return Edit(line.end, line.end, b"".join(lead + item.encode() for item in commands), rule.id)


def room_before(loop: Loop) -> bool:
    text, start = loop.text, loop.position
    return not text.content[text.line_at(start).start : start].strip()
