"""The Python half of a bridge that is a child process: one exit status means "logged out"."""

from __future__ import annotations

import libcst as cst

from modify.bridge.bridge_process import ChildBridge, name_set, text_of_error
from modify.kit.python.source import Source, block_of, called
from modify.rules import ids
from skill.edit import Edit

RULE = ids.LOGOUT_HIDDEN_BY_BRIDGE
REASON = '"WhatsApp ended the session: link the bot again."'


def child_edits(child: ChildBridge, code: int) -> list[Edit]:
    source = child.source
    statement = source.statement(child.call)
    assert statement is not None
    note = f"# {code}: the bridge was logged out, and starting it again cannot help"
    edits = [
        source.before(statement, note, RULE),
        source.replace(child.retry.value, f"{child.code} != {code}", RULE),
    ]
    if child.message is not None:
        edits.append(reason(source, child, child.message, code))
    for branch in child.deaths:
        edits.append(death(source, child, branch, code))
    return edits


def reason(source: Source, child: ChildBridge, message: cst.BaseStatement, code: int) -> Edit:
    """Make the host record what to do, instead of an unexpected end."""
    return source.after(
        message, f"if {child.code} == {code}:\n    {name_set(message)} = {REASON}", RULE
    )


def death(source: Source, child: ChildBridge, branch: cst.If, code: int) -> Edit:
    """The child dies while it starts: the same status is final there, too."""
    block = block_of(branch)
    assert block is not None and isinstance(branch.test, cst.Comparison)
    process = called(branch.test.left).removesuffix(".poll")
    keyword = child.retry.keyword
    name = text_of_error(child)
    lines = [
        f"if {process}.returncode == {code}:",
        f"    {child.fatal}(",
        f'        "{name}",',
        f"        {REASON},",
        f"        {keyword.value if keyword else 'retryable'}=False,",
        "    )",
    ]
    return source.before(block[-1], "\n".join(lines), RULE)
