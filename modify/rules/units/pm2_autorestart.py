"""A pm2 app that starts the bot again after a clean exit, or at once after each crash.

What it finds
    Finds apps of a pm2 ecosystem file that run the host itself, restart it
    (``autorestart`` is on by default), and do not stop on exit status 0 or do not wait.

Why it is bad
    pm2 7.0.4 started a bot that ended with 0 at once 17 times before it gave up, and one that
    lives longer than a second forever: each start connects with the revoked session again.
    ``max_restarts`` alone bounds nothing: with 3 it made 73 starts and went on, for only
    exits within ``min_uptime`` count.

What is done
    ``stop_exit_codes: [0]``, and ``exp_backoff_restart_delay: 5000`` where neither it nor a
    ``restart_delay`` of 5 seconds or more is there; pm2 lets the pause grow to 15 seconds.
    Neither bounds a crash loop by itself: the channel's memory does. ``max_restarts`` and
    ``min_uptime`` stay as they are. With a pause, pm2 7.0.4 lists a bot that ended with 0 as
    "waiting restart"; it stays down all the same. pm2 7.0.4 takes the end by a signal for exit
    status 0, so a bot that was killed, as for want of memory, stays down until ``pm2 restart``.

When it is handed off
    When the exit codes are computed, or it is unclear what the app runs.
"""

from __future__ import annotations

from collections.abc import Iterator

from modify.kit.typescript.source import span
from modify.rules import Example, Rule, Sight
from modify.units.managers.pm2 import App
from skill.edit import Edit
from skill.options import Options

CODES, BACKOFF, DELAY = "stop_exit_codes", "exp_backoff_restart_delay", "restart_delay"
PAUSE = 5000

rule = Rule(
    __name__,
    fix=f"{CODES}: [0], {BACKOFF}: {PAUSE}",
    accept=f"{CODES}: [0] and {BACKOFF} in this app",
    ends_clean_restarts=True,
    examples=(
        Example(
            "pm2",
            "module.exports = {\n  apps: [\n    {\n      name: 'bot',\n"
            "      script: 'dist/index.js',\n"
            "      autorestart: true,\n    },\n  ],\n};\n",
            "module.exports = {\n  apps: [\n    {\n      name: 'bot',\n"
            "      script: 'dist/index.js',\n"
            "      autorestart: true,\n      stop_exit_codes: [0],\n"
            "      exp_backoff_restart_delay: 5000,\n    },\n  ],\n};\n",
        ),
    ),
)


@rule.detects("pm2")
def check(app: App, options: Options) -> Iterator[Sight]:
    restarts = app.value("autorestart")
    if restarts is not None and restarts.text() == "false":
        return
    text = app.text
    edits: list[Edit] = []
    new: list[tuple[str, str]] = []
    codes = app.value(CODES)
    message = "pm2 restarts the bot even after its session was revoked"
    if codes is None:
        new.append((CODES, "[0]"))
    elif codes.kind() == "array":
        values = [child for child in codes.children() if child.is_named()]
        if all(value.text() != "0" for value in values):
            start = span(codes)[0] + 1
            edits.append(Edit(start, start, b"0, " if values else b"0", rule.id))
    elif codes.kind() != "number" or codes.text() != "0":
        yield rule.hand_off(text, span(app.pairs[CODES])[0], message, "they are computed")
        return
    fixes = [f"{CODES}: [0]"] if edits else []
    if not waits(app):
        new.append((BACKOFF, str(PAUSE)))
        if not edits and len(new) == 1:
            message = "pm2 starts a bot that crashed again without a growing pause"
    edits += added(app, new)
    fixes += [f"{name}: {value}" for name, value in new]
    if edits:
        yield rule.at(text, app.position, message, ", ".join(fixes), edits)


def waits(app: App) -> bool:
    """Whether the app has a pause that grows, or one that is long or computed."""
    if BACKOFF in app.pairs:
        return True
    pause = app.number(DELAY)
    return DELAY in app.pairs and (pause is None or pause >= PAUSE)


def added(app: App, new: list[tuple[str, str]]) -> list[Edit]:
    """The new pairs behind the one that they go with, as that one stands."""
    if not new:
        return []
    text = app.text
    pair = app.pairs.get("autorestart") or app.pairs["script"]
    key = pair.field("key")
    quote = key.text()[0] if key is not None and key.text()[0] in "'\"" else ""
    items = [f"{quote}{name}{quote}: {value}" for name, value in new]
    start, end = span(pair)
    following = pair.next()
    has_comma = following is not None and following.kind() == ","
    line = text.line_at(end)
    begin = text.line_at(start)
    if text.content[begin.start : start].strip():  # it does not begin its line
        return [Edit(end, end, "".join(f", {item}" for item in items).encode(), rule.id)]
    behind = span(following)[1] if has_comma and following is not None else end
    rest = text.content[behind : line.end].strip()
    lead = text.line_break + text.content[begin.start : start]
    if rest and not rest.startswith((b"//", b"/*")):
        return [Edit(end, end, b"".join(b"," + lead + item.encode() for item in items), rule.id)]
    joined = (b"," + lead).join(item.encode() for item in items)
    if has_comma:
        return [Edit(line.end, line.end, lead + joined + b",", rule.id)]
    if not rest:
        return [Edit(end, end, b"," + lead + joined, rule.id)]
    return [Edit(end, end, b",", rule.id), Edit(line.end, line.end, lead + joined, rule.id)]
