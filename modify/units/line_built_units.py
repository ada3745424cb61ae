"""Units that a program puts together line by line: reported, not changed.

``lines.push('Restart=always')`` has no text to edit as a whole, and what the lines add up
to depends on conditions. A line that is the fault by itself is handed off.
"""

from __future__ import annotations

import re
from functools import partial
from typing import TYPE_CHECKING

from modify.kit.typescript import javascript
from modify.kit.typescript.source import span
from modify.rules import ids
from modify.units.bot_project import BotProject
from modify.units.locate.literal import resolve
from modify.units.model import UnitText
from modify.units.started_program import Reader, split
from skill.edit import Patch
from skill.finding import Finding, Note
from skill.host import LARGEST_SOURCE, Host
from skill.options import Options
from skill.source_paths import SCRIPTS, is_among_tests

if TYPE_CHECKING:
    from ast_grep_py import SgNode

LINE = re.compile(r"\s*Restart=(always|on-success)(\\n)*\s*$")
COMMAND = re.compile(r"ExecStart=(.+?)(?:\\n)*$", re.DOTALL)
SCOPES = ("function_declaration", "method_definition", "arrow_function", "program")
REASON = "the unit is put together from single lines"
ACCEPT = (
    "Restart=on-failure and RestartSec=10 there, StartLimitIntervalSec=300 and "
    "StartLimitBurst=5 among the lines of [Unit]"
)


def examine(host: Host, path: str, units: list[UnitText], options: Options) -> Patch:
    """Report lines of a JavaScript file that restart forever, outside of any unit text."""
    patch, rule = Patch(), ids.SYSTEMD_RESTART_ALWAYS
    if not path.endswith(SCRIPTS) or is_among_tests(path) or not options.wants(rule):
        return patch
    if host.files[path].size > LARGEST_SOURCE:
        return patch
    content = host.read(path)
    if b"[Service]" not in content or b"Restart=" not in content:
        return patch
    taken = [(unit.start, unit.end) for unit in units if unit.path == path]
    for node in javascript.literals(javascript.parse(content, path)):
        start, end = span(node)
        found = LINE.match(node.text()[1:-1])
        if found is None or any(a <= start and end <= b for a, b in taken):
            continue
        line = content.count(b"\n", 0, start) + 1
        command = command_near(node)
        reader = Reader(BotProject(host), partial(resolve, content, path, start))
        started = reader.command(split(command)) if command else None
        if started is not None and started.kind == "side":
            message = f"starts {started.what}, not the bot"
            patch.notes.append(Note(path, line, "side-service", message))
            continue
        column = start - content.rfind(b"\n", 0, start)
        message = f"Restart={found[1]} restarts the bot even after its session was revoked"
        patch.findings.append(
            Finding(path, line, column, rule, message, reason=REASON, accept=ACCEPT)
        )
    return patch


def command_near(node: SgNode) -> str:
    """The ``ExecStart=`` among the literals of the same function or file."""
    for above in node.ancestors():
        if above.kind() in SCOPES:
            for literal in javascript.literals(above):
                found = COMMAND.match(literal.text()[1:-1])
                if found:
                    return found[1]
    return ""
