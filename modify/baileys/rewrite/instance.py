"""Where a channel's Reconnect object is made: a field, or a constant before the function."""

from __future__ import annotations

import itertools
import re
from typing import TYPE_CHECKING

from modify.baileys.model.channel import Channel
from modify.baileys.model.host_context import DECLARING, Logger, instance_name, pairs_in_process
from modify.baileys.search.makers import CLASSES
from modify.kit.typescript.functions import named
from modify.kit.typescript.source import (
    FUNCTION_KINDS,
    Source,
    calls,
    enclosing_function,
    end_of,
    nodes_of,
    same,
    start_of,
    statement_around,
    statements,
    within,
)
from modify.rules import ids

if TYPE_CHECKING:
    from ast_grep_py import SgNode
from modify.baileys.rewrite.draft import COMMENT, LEVELS, Draft

# A call other than one that only puts a path together: its answer may change.
ASKS = re.compile(
    r"(?<![\w.])(?!(path\.)?(join|resolve|dirname|normalize)\(|fileURLToPath\()[\w.]+\("
)
# Names that every file of Node.js knows, and the words of an expression.
OF_NODE = frozenset(
    re.findall(
        r"\w+",
        "process console require module exports __dirname __filename Buffer URL JSON Math Object"
        " Array String Number Boolean Date RegExp Promise Error Symbol Map Set Infinity NaN"
        " undefined null true false this new typeof instanceof in void await as const import"
        " parseInt parseFloat isNaN encodeURIComponent decodeURIComponent"
        " string number boolean any unknown",
    )
)


def place_instance(draft: Draft, folder: str) -> None:
    """folder: the expression that names the credentials folder."""
    channel = draft.channel
    if known_later(draft, draft.logger.name):
        draft.logger = Logger("console")
    logger = draft.logger.name
    entries = [folder_entry(draft, folder)]
    entries.append(logger_entry(draft))
    if not pairs_in_process(channel):
        entries.append("pairing: false")
    draft.alive |= set(re.findall(r"\w+", folder)) | {logger}
    name = instance_name(channel)
    made = constructor_lines(draft, entries)
    place_import(draft)
    if channel.scope == "class":
        place_field(draft, name, made, deferred="this." in f"{folder}{logger}")
    else:
        place_variable(draft, name, made)


def folder_entry(draft: Draft, folder: str) -> str:
    """The option ``authDir``; a function where the folder is not known yet at construction."""
    asks = ASKS.search(folder) and draft.channel.scope != "class"
    if asks or known_later(draft, folder) or set_later(draft, folder):
        return f"authDir: () => {folder}"
    return f"authDir: {folder}" if folder != "authDir" else "authDir"


def known_later(draft: Draft, expression: str) -> bool:
    """Whether an expression names what is known only behind the object.

    That is a variable declared there, and a global that another file of the host sets: it may
    do so after it has loaded this one.
    """
    channel = draft.channel
    names = names_used(expression)
    if any(is_global(channel.source, name) for name in names):
        return True
    if channel.scope == "class":
        return False
    place = start_of(first_use(channel))
    return any(
        (target := each.field("name")) is not None
        and target.text() in names
        and start_of(each) > place
        and ((around := enclosing_function(each)) is None or within(channel.connect.node, around))
        for each in nodes_of(channel.source.root, "variable_declarator")
    )


def names_used(expression: str) -> set[str]:
    """The names that an expression begins its values with, not those of its strings."""
    text = re.sub(r"'[^'\n]*'|\"[^\"\n]*\"", "''", expression)
    text = re.sub(r"`[^`]*`", lambda found: " ".join(re.findall(r"\$\{([^}]*)", found[0])), text)
    return set(re.findall(r"(?<![.\w$])[A-Za-z_$][\w$]*", text))


def is_global(source: Source, name: str) -> bool:
    """Whether a name is a global of the host's own: nothing in the file declares it."""
    if name in ("global", "globalThis"):
        return True
    return name not in OF_NODE and not any(is_bound(node) for node in source.names.get(name, []))


def is_bound(node: SgNode) -> bool:
    """Whether a name stands where it is declared: imported, as a variable, as a parameter."""
    inner = node
    for outer in node.ancestors():
        kind = outer.kind()
        if kind in ("import_clause", "import_require_clause", "formal_parameters", "catch_clause"):
            return True
        if kind in (*FUNCTION_KINDS, *CLASSES, "variable_declarator"):
            return same(outer.field("name"), inner) or same(outer.field("parameter"), inner)
        if kind not in (*DECLARING, "import_specifier", "namespace_import", "named_imports"):
            return False
        inner = outer
    return False


def set_later(draft: Draft, expression: str) -> bool:
    """Whether an expression reads a property that gets its value after the object is made."""
    class_node = draft.channel.class_node
    if class_node is None or "this." not in expression:
        return False
    if re.search(r"this\.\w+\s*[.(\[]", expression):
        return True
    return any(
        not is_set_early(class_node, name) for name in re.findall(r"this\.(\w+)", expression)
    )


def is_set_early(class_node: SgNode, name: str) -> bool:
    """Whether a property has its value when the constructor ends, and keeps it."""
    body = class_node.field("body")
    early = False
    for member in body.children() if body is not None else []:
        own = member.field("name") or member.field("property")
        makes = member.kind() == "method_definition" and named(member) is None
        sets = any(
            (left := each.field("left")) is not None and left.text() == f"this.{name}"
            for each in nodes_of(member, "assignment_expression")
        )
        if sets and not makes:
            return False
        if own is not None and own.text() == name and member.field("value") is not None:
            early = True
        if makes and (sets or is_parameter_property(member, name)):
            early = True
    return early


def is_parameter_property(constructor: SgNode, name: str) -> bool:
    """``constructor(private readonly name: string)``."""
    return any(
        (pattern := each.field("pattern")) is not None
        and pattern.text() == name
        and any(child.kind() in ("accessibility_modifier", "readonly") for child in each.children())
        for each in nodes_of(constructor, "required_parameter")
    )


def first_use(channel: Channel) -> SgNode:
    """The statement before which the object must be made.

    The connect function, or a call in the same block that leads to it and runs earlier.
    """
    statement = statement_around(channel.connect.node)
    block = statement.parent()
    for call in calls(channel.source.root):
        around = statement_around(call)
        if start_of(around) >= start_of(statement):
            break
        leads = channel.is_connect_call(call) or channel.helper_of(call) is not None
        if leads and same(around.parent(), block):
            return around
    return statement


def logger_entry(draft: Draft) -> str:
    name, takes = draft.logger.name, draft.logger.takes
    if takes == "text":
        return "logger" if name == "logger" else f"logger: {name}"
    step, arrow = draft.layout.style.indent, draft.layout.arrow("message")
    given = takes.replace("fields", "{}").replace("text", "message")
    levels = [f"{step}{each}: {arrow} {name}.{each}({given})" for each in LEVELS]
    return "logger: {\n" + ",\n".join(levels) + f"{draft.layout.comma}\n}}"


def constructor_lines(draft: Draft, entries: list[str]) -> list[str]:
    step, comma = draft.layout.style.indent, draft.layout.comma
    body = ",\n".join(entries) + comma
    return [
        "new Reconnect({",
        *(step + line for line in body.split("\n")),
        f"}}){draft.layout.end}",
    ]


def place_field(draft: Draft, name: str, made: list[str], deferred: bool) -> None:
    channel, source = draft.channel, draft.channel.source
    assert channel.class_node is not None
    body = channel.class_node.field("body")
    assert body is not None
    typed = not source.path.endswith((".js", ".mjs", ".cjs", ".jsx"))
    modifier = "private " if typed else ""
    fields = [
        c for c in body.children() if c.kind() in ("public_field_definition", "field_definition")
    ]
    members = [c for c in body.children() if c.is_named() and c.kind() != "comment"]
    state = list(itertools.takewhile(lambda m: m.kind() != "method_definition", members))
    # Functions that are kept in fields may stand anywhere.
    plain = [f for f in fields if (v := f.field("value")) is None or v.kind() != "arrow_function"]
    first = [f for f in plain if any(same(f, member) for member in state)]
    anchor = first[-1] if first else end_of_run(plain, members)
    indent = source.indent_at(start_of(members[0])) if members else draft.layout.style.indent
    lines = [f"// {COMMENT}"]
    constructor = next(
        (m for m in members if m.kind() == "method_definition" and named(m) is None), None
    )
    if deferred and constructor is not None:
        lines.append(f"{modifier}{name}{': Reconnect' if typed else ''}{draft.layout.end}")
        block = constructor.field("body")
        assert block is not None
        inner = draft.inner_indent(block)
        assignment = (f"\n{inner}").join([f"this.{name} = {made[0]}", *made[1:]])
        last = statements(block)[-1] if statements(block) else None
        place = end_of(last) if last is not None else start_of(block) + 1
        empty = not block.text()[1:-1]  # constructor(…) {}
        tail = f"\n{source.indent_at(start_of(block))}" if empty else ""
        draft.insert_at(place, f"\n{inner}{assignment}{tail}", ids.UNGATED_CONNECT)
    else:
        lines += [f"{modifier}{name} = {made[0]}", *made[1:]]
    text = "".join(f"{indent}{line}\n" for line in lines)
    if anchor is not None:
        place = source.line_end(end_of(anchor))
        draft.insert_at(place, f"\n{text}", ids.UNGATED_CONNECT)
    else:
        place = source.line_end(start_of(body))
        draft.insert_at(place, text + "\n", ids.UNGATED_CONNECT)


def end_of_run(fields: list[SgNode], members: list[SgNode]) -> SgNode | None:
    """The last of the first fields that stand together."""
    last = None
    for member in members:
        if any(same(member, each) for each in fields):
            last = member
        elif last is not None:
            break
    return last


def place_variable(draft: Draft, name: str, made: list[str]) -> None:
    source = draft.channel.source
    statement = first_use(draft.channel)
    place = source.line_start(start_of(statement))
    previous = statement.prev()
    while previous is not None and previous.kind() == "comment":
        if draft.text[end_of(previous) : place].count("\n") > 1:
            break
        place = source.line_start(start_of(previous))
        previous = previous.prev()
    indent = source.indent_at(start_of(statement))
    lines = [f"// {COMMENT}", f"const {name} = {made[0]}", *made[1:]]
    text = "".join(f"{indent}{line}\n" for line in lines)
    if (place, place) in draft.changes:  # right behind the import
        text = "\n" + text
    draft.insert_at(place, text + "\n", ids.UNGATED_CONNECT)


def place_import(draft: Draft) -> None:
    source, layout = draft.channel.source, draft.layout
    module = layout.quoted(draft.module_import)
    imports = [n for n in source.root.children() if n.kind() == "import_statement"]
    if imports:
        text = f"import {layout.braces('Reconnect')} from {module}{layout.end}\n"
        anchor = imports[-1]
        relative = [n for n in imports if re.search(r"from\s*['\"]\./", n.text())]
        if relative:
            anchor = relative[-1]
        draft.insert_at(source.line_end(end_of(anchor)), text, ids.UNGATED_CONNECT)
        return
    if layout.style.modules == "esm":  # Baileys by ``await import()``, and nothing else
        text = f"import {layout.braces('Reconnect')} from {module}{layout.end}\n\n"
        draft.insert_at(first_code(source.root), text, ids.UNGATED_CONNECT)
        return
    text = f"const {layout.braces('Reconnect')} = require({module}){layout.end}\n"
    requires = [
        n
        for n in source.root.children()
        if n.kind() in ("lexical_declaration", "variable_declaration")
        and "require(" in n.text()
        and end_of(n) < start_of(first_use(draft.channel))
    ]
    place = source.line_end(end_of(requires[-1])) if requires else first_code(source.root)
    draft.insert_at(place, text, ids.UNGATED_CONNECT)


def first_code(root: SgNode) -> int:
    """The offset of the first statement that is no directive and no comment."""
    for child in root.children():
        if child.is_named() and child.kind() not in ("comment", "hash_bang_line"):
            if child.kind() == "expression_statement" and re.match(
                r"['\"]use strict", child.text()
            ):
                continue
            return start_of(child)
    return 0
