"""The Python half of a bridge that is a child process: one exit status means "logged out"."""

from __future__ import annotations

import libcst as cst

from modify.python.child import ChildBridge, text_of_error
from modify.python.source import Source, block_of, called
from skill.edit import Edit

RULE = "logout-hidden-by-bridge"


def child_edits(child: ChildBridge, code: int) -> list[Edit]:
    source = child.source
    statement = source.statement(child.call)
    assert statement is not None
    note = f"# {code}: the bridge was logged out, and starting it again cannot help"
    edits = [
        source.before(statement, note, RULE),
        source.replace(child.retry.value, f"{child.code} != {code}", RULE),
    ]
    for branch in child.deaths:
        edits.append(death(source, child, branch, code))
    return edits


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
        '        "WhatsApp ended the session: link the bot again.",',
        f"        {keyword.value if keyword else 'retryable'}=False,",
        "    )",
    ]
    return source.before(block[-1], "\n".join(lines), RULE)
