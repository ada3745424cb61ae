"""A compose service that Docker starts again whatever happens.

What it finds
    Finds ``restart: always`` in a compose file, at the service that runs the host itself:
    its command, the command of the Dockerfile that it is built from, or its image say so.

Why it is bad
    A bot whose session was revoked exits, and Docker starts it again, forever. Even
    ``docker stop`` does not last: under ``always`` a bot that was stopped to end a storm
    is back, and connecting, when Docker or the machine starts again.

What is done
    ``restart: unless-stopped``, and nothing else. Not ``on-failure``: a bot that handles
    SIGTERM and exits 0 would stay down after every reboot or Docker upgrade, and
    ``on-failure:5`` counts over the container's life. What bounds the attempts there is the
    memory of the channel: a restarted process makes none before its time.
    Where an anchor gives the policy to other services, too, only the bot's is changed.

When it is handed off
    When it is unclear what the service runs, the file cannot be read, or the policy is
    shared with other services in a way that one line cannot part. ``no`` and ``on-failure``
    stay, and so does Swarm's ``deploy.restart_policy``, which knows no ``unless-stopped``.
"""

from __future__ import annotations

from collections.abc import Iterator

from modify.kit.text.yaml_nodes import Scalar
from modify.rules import Example, Rule, Sight
from modify.units.managers.compose import ALWAYS, ComposeService, Unread
from skill.edit import Edit
from skill.options import Options

MESSAGE = "restart: always starts the bot again, even one that was stopped by hand"

rule = Rule(
    __name__,
    fix="restart: unless-stopped",
    accept="restart: unless-stopped at the service that runs the bot",
    examples=(
        Example(
            "compose",
            "services:\n  bot:\n    build: .\n    command: node dist/index.js\n"
            "    restart: always # keep it up\n  redis:\n    image: redis:7\n    restart: always\n",
            "services:\n  bot:\n    build: .\n    command: node dist/index.js\n"
            "    restart: unless-stopped # keep it up\n  redis:\n    image: redis:7\n"
            "    restart: always\n",
        ),
    ),
)


@rule.detects("compose")
def check(service: ComposeService | Unread, options: Options) -> Iterator[Sight]:
    text = service.text
    if isinstance(service, Unread):
        if b"always" in text.content[service.position : service.position + 40]:
            yield rule.hand_off(text, service.position, MESSAGE, service.problem)
        return
    entry = service.restart
    if entry is None or not isinstance(entry.value, Scalar):
        return
    value = entry.value
    if not ALWAYS.fullmatch(value.value):
        return
    position = entry.key.start if service.is_own else service.key.start
    if not service.shared:
        place = text.content.rfind(b"always", value.start, value.end)
        edit: Edit | None = Edit(place, place + len(b"always"), b"unless-stopped", rule.id)
    elif service.is_own and entry.alias is not None:
        edit = Edit(*entry.alias, b"unless-stopped", rule.id)
    else:
        edit = own_line(service)
    if edit is None:
        reason = f"{', '.join(service.shared)} shares this value by an anchor"
        yield rule.hand_off(text, position, MESSAGE, reason)
        return
    yield rule.at(text, position, MESSAGE, edits=[edit])


def own_line(service: ComposeService) -> Edit | None:
    """The policy as a line of the service's own, below its merge key; none has room elsewhere."""
    merge = service.node.merge_key
    if merge is None or service.is_own or service.node.is_flow or merge.alias is None:
        return None
    text = service.text
    line = text.line_at(merge.key.start)
    if text.line_at(merge.alias[1]) is not line:
        return None
    indentation = text.content[line.start : merge.key.start]
    if indentation.strip():
        return None
    return Edit(line.end, line.end, text.line_break + indentation + rule.fix.encode(), rule.id)
