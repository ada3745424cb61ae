"""A Node bridge that is a child process, and how Python takes its end.

In some programs every exit of the child becomes a fatal error that is worth a retry, so a
bridge that was logged out is started again and again.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

import libcst as cst

from modify.kit.python.source import Source, all_of, block_of, called, dotted, string_of
from modify.python.about_whatsapp import is_whatsapp

RETRY = ("retryable", "retry", "can_retry", "restart")
CODE = re.compile(r"(?:return_?code|exit_?code|status|rc)$", re.I)
# sysexits.h: no permission. Small statuses and 137 have meanings in the tests of real hosts.
CODES = (77, 76, 79, 80)


@dataclass(frozen=True)
class ChildBridge:
    """retry: ``retryable=True``; code: the name that holds the exit status there.

    deaths: the branches of the start-up that see the child die and give up without a word;
    prepared: the exit status that is final already, 0 if none is. message: the one line that
    sets the text of the error, None where it is made in another way. fatal: how the host calls
    a fatal error, ``self._set_fatal_error``.
    """

    source: Source
    function: cst.FunctionDef
    retry: cst.Arg
    call: cst.Call
    code: str
    deaths: tuple[cst.If, ...]
    prepared: int = 0
    message: cst.SimpleStatementLine | None = None

    @property
    def fatal(self) -> str:
        return called(self.call)


def children(source: Source) -> Iterator[ChildBridge]:
    for call in all_of(source.module, cst.Call, functions=True):
        retry = next((arg for arg in call.args if is_retry(arg)), None)
        function = source.nearest(call, cst.FunctionDef)
        if retry is None or function is None:
            continue
        code = next(
            (
                dotted(target.target)
                for node in all_of(function, cst.Assign)
                for target in node.targets
                if CODE.search(dotted(target.target)) and reads_status(node.value)
            ),
            "",
        )
        if code and is_whatsapp(source, function) and speaks_of_bridge(source, function):
            left = tuple(deaths(source, call))
            text = message_of(source, function, call, code)
            yield ChildBridge(source, function, retry, call, code, left, final_status(retry), text)


def message_of(
    source: Source, function: cst.FunctionDef, call: cst.Call, code: str
) -> cst.SimpleStatementLine | None:
    """``message = f"… exited (code {returncode})"``, where the status is known already."""
    names = {dotted(arg.value) for arg in call.args if arg.keyword is None} - {""}
    lines = [line for line in all_of(function, cst.SimpleStatementLine) if name_set(line) in names]
    if len(lines) != 1 or source.start(lines[0]) > source.start(call):
        return None
    above = [one for one in all_of(function, cst.SimpleStatementLine) if name_set(one) == code]
    known = bool(above) and source.end(above[0]) <= source.start(lines[0])
    return lines[0] if known else None


def name_set(line: cst.BaseStatement) -> str:
    """``message`` of ``message = …``; "" for any other line."""
    only = line.body[0] if isinstance(line, cst.SimpleStatementLine) else None
    if isinstance(only, cst.Assign) and len(only.targets) == 1:
        return dotted(only.targets[0].target)
    return ""


def speaks_of_bridge(source: Source, function: cst.FunctionDef) -> bool:
    return "bridge" in source.module.code_for_node(function).lower()


def is_retry(arg: cst.Arg) -> bool:
    named = arg.keyword is not None and arg.keyword.value in RETRY
    return named and (dotted(arg.value) == "True" or final_status(arg) != 0)


def final_status(arg: cst.Arg) -> int:
    """77 of ``retryable=returncode != 77``."""
    test = arg.value
    if isinstance(test, cst.Comparison) and len(test.comparisons) == 1:
        only = test.comparisons[0]
        if isinstance(only.operator, cst.NotEqual) and isinstance(only.comparator, cst.Integer):
            return int(only.comparator.value) if CODE.search(dotted(test.left)) else 0
    return 0


def reads_status(node: cst.BaseExpression) -> bool:
    name = called(node) or dotted(node)
    return name.endswith((".poll", ".returncode", ".wait"))


def deaths(source: Source, call: cst.Call) -> Iterator[cst.If]:
    """``if self._bridge_process.poll() is not None: … return False`` while it starts."""
    owner = source.nearest(call, cst.ClassDef)
    for branch in all_of(owner, cst.If, functions=True) if owner is not None else ():
        test = branch.test
        if not isinstance(test, cst.Comparison) or not called(test.left).endswith(".poll"):
            continue
        if "bridge" not in called(test.left).lower():
            continue
        operator = test.comparisons[0].operator
        block = block_of(branch)
        if isinstance(operator, cst.IsNot) and block and returns_false(block[-1]):
            yield branch


def returns_false(statement: cst.BaseStatement) -> bool:
    only = statement.body[0] if isinstance(statement, cst.SimpleStatementLine) else None
    return isinstance(only, cst.Return) and dotted(only.value) == "False"


def free_code(sources: list[bytes]) -> int:
    """An exit status that no source of the host mentions."""
    for code in CODES:
        if not any(re.search(rb"(?<![\w.])%d(?![\w.])" % code, text) for text in sources):
            return code
    return CODES[0]


def text_of_error(child: ChildBridge) -> str:
    return string_of(child.call.args[0].value) or "whatsapp_bridge_exited"
