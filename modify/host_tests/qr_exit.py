"""The host's own tests that assert the fault: a QR code that must end with exit 1.

Only where the channel that the test imports has had that exit changed, and only in the
test that sends a QR code. Everything else in the host's tests stays.
"""

from __future__ import annotations

import posixpath
import re
from typing import TYPE_CHECKING

from modify.baileys.model.startup import resolve_import
from modify.effects import EndsProcess, has_effect
from modify.kit.typescript.functions import named_functions
from modify.kit.typescript.source import (
    Source,
    arguments_of,
    callee_of,
    calls,
    enclosing,
    span,
)
from modify.rules import ids
from skill.edit import Patch
from skill.finding import Finding
from skill.host import Host
from skill.options import Options
from skill.source_paths import SCRIPTS, is_test

if TYPE_CHECKING:
    from ast_grep_py import SgNode

    from modify.baileys.patching import Rewritten

RULE = ids.FAULT_ASSERTING_TEST
MATCHER = re.compile(
    r"\.(toHaveBeenCalledWith|toHaveBeenLastCalledWith|toBeCalledWith|toHaveBeenNthCalledWith)$"
)
CASES = re.compile(r"^(it|test)(\.\w+)*$")


def examine(host: Host, rewritten: list[Rewritten], patch: Patch, options: Options) -> None:
    changed = {
        made.source.path
        for made in rewritten
        if any(has_effect(edit, EndsProcess) for edit in made.edits)
    }
    if not changed or RULE in options.ignore:
        return
    for file in host.with_suffix(*SCRIPTS):
        if not is_test(file.path):
            continue
        content = host.read(file.path)
        if b"CalledWith(1)" not in content or b"qr" not in content:
            continue
        if (source := Source.readable(host, file.path)) is None:
            continue
        if not imports(host, source, changed):
            continue
        for assertion, number in exit_assertions(source):
            start, end = span(number)
            patch.add_edits(file.path, [source.edit(start, end, "0", RULE)])
            line, column = source.place(assertion)
            message = "asserts that a QR code ends the process with exit 1"
            patch.findings.append(Finding(file.path, line, column, RULE, message, "asserts exit 0"))


def imports(host: Host, source: Source, changed: set[str]) -> bool:
    """Whether a test imports one of the changed files, in the tree or beside it in a skill."""
    for module in re.findall(r"""(?:from|import\(|import)\s*['"](\.[^'"]+)['"]""", source.text):
        if resolve_import(host, source.path, module) in changed:
            return True
    folder = posixpath.dirname(source.path)
    return (
        any(posixpath.dirname(path) == folder for path in changed)
        and "whatsapp" in source.path.lower()
    )


def exit_assertions(source: Source) -> list[tuple[SgNode, SgNode]]:
    """``expect(exit).toHaveBeenCalledWith(1)`` in cases that send a QR code: (call, the 1)."""
    found = []
    for call in calls(source.root):
        callee = call.field("function")
        given = arguments_of(call)
        if callee is None or not MATCHER.search(callee.text()) or not given:
            continue
        if given[-1].text() != "1" or ".not." in callee.text():
            continue
        case = enclosing(call, {"call_expression"})
        while case is not None and not CASES.match(callee_of(case)):
            case = enclosing(case, {"call_expression"})
        if case is None or not re.search(r"\bqr\s*[:,}]", case.text()):
            continue
        if asserts_exit(source, callee.text(), case):
            found.append((call, given[-1]))
    return found


def asserts_exit(source: Source, callee: str, case: SgNode) -> bool:
    """Whether the asserted mock stands for ``process.exit``."""
    mock = re.match(r"expect\(\s*([\w.]+)\s*\)", callee)
    if mock is None:
        return False
    name = mock.group(1)
    if name == "process.exit":
        return True
    if spies(source.text, rf"\b{re.escape(name)}\s*(?::[^=;]+)?=[^;]*"):
        return True
    # const exit = mockExit(), where mockExit is a helper of the test's own
    made = re.search(rf"\b{re.escape(name)}\s*=\s*(?:await\s+)?(\w+)\(", case.text())
    helpers = [f for f in named_functions(source.root) if made and f.name == made.group(1)]
    return any(spies(helper.node.text(), "") for helper in helpers)


def spies(text: str, before: str) -> bool:
    return re.search(rf"{before}spyOn\(\s*process\s*,\s*['\"]exit['\"]", text) is not None
