"""Removes code that a rewrite has left unused: helpers, counters, timers, imports.

A host's own linter would complain of them otherwise, and a reader would wonder. Only
what had a part in the old loop is looked at (``seeds``), and only when nothing of the
file still refers to it; what is exported, public or has an effect stays.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from modify.baileys.cleanup.idle_flags import idle_operand, idle_return
from modify.baileys.model.channel import is_log_statement
from modify.kit.typescript.nodes import NOTHING, around, part
from modify.kit.typescript.source import (
    FUNCTION_KINDS,
    NAME_KINDS,
    Source,
    callee_of,
    calls,
    enclosing,
    enclosing_function,
    end_of,
    name_nodes,
    same,
    span,
    start_of,
    statement_around,
    walk,
    within,
)

if TYPE_CHECKING:
    from ast_grep_py import SgNode

Range = tuple[int, int]
DECLARATIONS = frozenset(("lexical_declaration", "variable_declaration"))
FIELDS = frozenset(("public_field_definition", "field_definition"))
PROPERTIES = frozenset(("property_identifier", "private_property_identifier"))
PURE_KINDS = frozenset(
    [
        "number",
        "string",
        "template_string",
        "true",
        "false",
        "null",
        "undefined",
        "identifier",
        "this",
        "member_expression",
        "binary_expression",
        "unary_expression",
        "parenthesized_expression",
        "ternary_expression",
        "as_expression",
        "non_null_expression",
        "array",
        "subscript_expression",
        "template_substitution",
        "string_fragment",
        "property_identifier",
        "predefined_type",
        "update_expression",
        "object_type",
        "property_signature",
        "type_annotation",
        "type_identifier",
        "union_type",
        "array_type",
        "optional_chain",
        "literal_type",
        "generic_type",
        "type_arguments",
        "nested_type_identifier",
        "satisfies_expression",
        "escape_sequence",
        "private_property_identifier",
        "regex",
    ]
)
RESET = ("false", "null", "undefined", "0")
# The close itself: a log line about it stays.
STATUS = re.compile(r"lastDisconnect|statusCode|\berror\b|loggedOut", re.IGNORECASE)
PURE_CALLS = re.compile(r"^(Math\.\w+|Number|String|Date\.now|parseInt|performance\.now)$")


@dataclass
class Sweep:
    """gone: character ranges that the rewrite replaces or removes; alive: names it writes.

    loop: names of the old loop; log lines that mention only these names are removed.
    """

    source: Source
    gone: list[Range]
    alive: set[str]
    loop: set[str] = field(default_factory=set)
    removed: list[Range] = field(default_factory=list)

    def run(self, seeds: Iterable[str], branch: SgNode | None) -> list[Range]:
        """Return the ranges (whole lines where possible) to remove. seeds: names to look at."""
        pending = set(seeds) | self.loop
        changed = True
        while changed:
            changed = False
            for name in sorted(pending):
                for range_, freed in self._unused(name, branch):
                    if any(inside(range_, other) for other in self.gone):
                        continue
                    self.gone.append(range_)
                    self.removed.append(range_)
                    pending |= freed
                    changed = True
        return self.removed

    def orphans(self) -> set[str]:
        """Names of the loop that what remains of the file would use wrongly.

        Either their value is looked into (``timer.unref()``) although nothing sets it any
        more, or they are set and the place that sets them back has gone: a flag would
        stay set.
        """
        found = set()
        for name in self.loop:
            nodes = self.source.names.get(name, [])
            gone = [node for node in nodes if any(inside(span(node), r) for r in self.gone)]
            left = [node for node in self.references(name) if not is_declaration(node)]
            set_gone = [value for node in gone if (value := value_set(node)) is not None]
            set_left = [value for node in left if (value := value_set(node)) is not None]
            if not set_gone:
                continue
            if any(is_looked_into(node) for node in left) and not any(
                v not in RESET for v in set_left
            ):
                found.add(name)
            if any(v not in RESET for v in set_left) and any(v in RESET for v in set_gone):
                found.add(name)
        return found

    def references(self, name: str) -> list[SgNode]:
        return [
            node
            for node in self.source.names.get(name, [])
            if not any(inside(span(node), range_) for range_ in self.gone)
        ]

    def _unused(self, name: str, branch: SgNode | None) -> Iterator[tuple[Range, set[str]]]:
        if name in self.alive:
            return
        references = self.references(name)
        variables = [node for node in references if node.kind() not in PROPERTIES]
        if any(is_declaration(node) for node in variables):
            references = variables  # x.name and { name: … } do not use it
        declared = [node for node in references if is_declaration(node)]
        uses = [node for node in references if not any(same(node, d) for d in declared)]
        if len(declared) != 1:
            return
        node = declared[0]
        parent = node.parent()
        if parent is None:
            return
        if parent.kind() in ("import_specifier", "import_clause"):
            if not uses:
                yield self._import(parent), set()
        elif parent.kind() in FUNCTION_KINDS:
            outside = [use for use in uses if not within(use, parent)]
            if not removable_function(parent):
                return
            if not outside:
                yield self._with_comments(parent), names_in(parent)
            elif self._is_emptied(parent) and all(call_statement(use) for use in outside):
                for use in outside:
                    yield self._with_comments(statement_around(use)), set()
                yield self._with_comments(parent), names_in(parent)
        elif parent.kind() in FIELDS:
            yield from self._written_only(name, parent, uses, is_private(parent), branch)
        elif parent.kind() == "variable_declarator":
            statement = parent.parent()
            if statement is None or statement.kind() not in DECLARATIONS:
                return
            if len([c for c in statement.children() if c.kind() == "variable_declarator"]) != 1:
                return
            if around(statement, "export_statement"):
                return
            yield from self._written_only(name, statement, uses, True, branch)

    def _is_emptied(self, function: SgNode) -> bool:
        """Whether every statement of a function has gone."""
        body = function.field("body")
        inner = [c for c in body.children() if c.is_named()] if body is not None else []
        left = [s for s in inner if not any(inside(span(s), r) for r in self.gone)]
        return bool(inner) and all(
            s.kind() == "comment" or (s.kind() == "if_statement" and returns_only(s)) for s in left
        )

    def _written_only(
        self,
        name: str,
        declaration: SgNode,
        uses: list[SgNode],
        private: bool,
        branch: SgNode | None,
    ) -> Iterator[tuple[Range, set[str]]]:
        """A variable or field that is only written, cleared or logged any more."""
        value = declared_value(declaration)
        if not private or (value is not None and not is_pure(value)):
            return
        statements = []
        parts: list[Range] = []
        tells_of_loop = name in self.loop and (value is None or not STATUS.search(value.text()))
        falls_idle = tells_of_loop and self._is_raised_by_loop_only(name, value, uses, branch)
        for use in uses:
            idle = idle_operand(use) if falls_idle else None
            if idle is not None:
                parts.append(idle)
                continue
            statement = write_statement(use)
            if statement is None and falls_idle:
                statement = idle_return(use)
            if statement is None and tells_of_loop and branch is not None and within(use, branch):
                line = statement_around(use)
                statement = line if is_log_statement(line) else None
            if statement is None:
                return
            statements.append(statement)
        for statement in statements:
            yield self._with_comments(statement), names_in(statement)
        for idle in parts:
            yield idle, set()
        yield self._with_comments(declaration), names_in(declaration)

    def _is_raised_by_loop_only(
        self, name: str, value: SgNode | None, uses: list[SgNode], branch: SgNode | None
    ) -> bool:
        """A flag that begins as false, and that nothing outside the close branch sets."""
        if value is None or value.text() != "false" or branch is None:
            return False
        raised = [use for use in uses if value_set(use) not in (None, "false")]
        return bool(raised) and all(within(use, branch) for use in raised)

    def _with_comments(self, node: SgNode) -> Range:
        """The node's whole lines, the comment lines right above it, and one blank line."""
        text = self.source.text
        start, end = span(node)
        if node.kind() in FIELDS and text[end : end + 1] == ";":
            end += 1
        first = self.source.line_start(start)
        if text[first:start].strip() or text[end : self.source.line_end(end)].strip(" \t\r\n;"):
            trailing = text[end : self.source.line_end(end)].strip()
            if text[first:start].strip() or not trailing.startswith("//"):
                return start, end
        last = self.source.line_end(end)
        previous = node.prev()
        while previous is not None and previous.kind() == "comment":
            line = self.source.line_start(start_of(previous))
            if text[line : start_of(previous)].strip() or text[end_of(previous) : first].strip():
                break
            if text[end_of(previous) : first].count("\n") > 1:
                break
            first = line
            previous = previous.prev()
        blank_before = text[:first].endswith(("\n\n", "\n\r\n"))
        opens_block = text[:first].rstrip().endswith("{") or not text[:first].strip()
        blank_after = re.match(r"[ \t]*\r?\n", text[last:])
        closes_block = text[last:].lstrip()[:1] in ("}", "")  # or the file
        if blank_after and (blank_before or opens_block):
            last += blank_after.end()
        elif blank_before and closes_block:
            first = first - (2 if text[:first].endswith("\r\n") else 1)
        return first, last

    def _import(self, node: SgNode) -> Range:
        """An import specifier with its comma; the whole statement when it is the only one."""
        text = self.source.text
        statement = enclosing(node, {"import_statement"})
        assert statement is not None
        alive = [
            other
            for other in statement.find_all(kind="import_specifier")
            if not same(other, node)
            and not any(inside(span(other), range_) for range_ in self.gone)
        ]
        if (
            node.kind() == "import_clause"
            or (not alive and statement.find(kind="namespace_import") is None)
        ) and (not default_import(statement) or node.kind() == "import_clause"):
            return self._with_comments(statement)
        start, end = span(node)
        first = self.source.line_start(start)
        if not text[first:start].strip() and re.match(r",?[ \t]*(//[^\n]*)?\r?\n", text[end:]):
            return first, self.source.line_end(end)
        following = re.match(r"\s*,[ \t]*", text[end:])
        if following and not text[end + following.end() :].startswith("}"):
            return start, end + following.end()
        before = re.search(r",\s*$", text[:start])
        return (before.start() if before else start), end


def inside(range_: Range, outer: Range) -> bool:
    return outer[0] <= range_[0] and range_[1] <= outer[1]


def names_in(node: SgNode) -> set[str]:
    return {inner.text() for inner in name_nodes(node)}


def names_between(source: Source, start: int, end: int) -> set[str]:
    """The names that stand in a range of the file."""
    return {
        name
        for name, nodes in source.names.items()
        if any(start <= start_of(node) and end_of(node) <= end for node in nodes)
    }


def is_declaration(node: SgNode) -> bool:
    parent = node.parent()
    if parent is None:
        return False
    kind = parent.kind()
    if kind == "import_specifier":
        alias = parent.field("alias")
        return same(alias or parent.field("name"), node)
    if kind == "import_clause":
        return True
    if kind in FUNCTION_KINDS or kind == "variable_declarator":
        return same(parent.field("name"), node)
    if kind in FIELDS:
        return same(parent.field("name") or parent.field("property"), node)
    return False


def default_import(statement: SgNode) -> bool:
    clause = statement.find(kind="import_clause")
    return clause is not None and any(child.kind() == "identifier" for child in clause.children())


def removable_function(node: SgNode) -> bool:
    """A private method, or a function of the module that is not exported."""
    if node.kind() == "method_definition":
        return is_private(node)
    if node.kind() != "function_declaration":
        return False
    parent = node.parent()
    return parent is not None and parent.kind() != "export_statement"


def is_private(node: SgNode) -> bool:
    name = node.field("name") or node.field("property")
    if name is not None and name.text().startswith("#"):
        return True
    return any(
        child.kind() == "accessibility_modifier" and child.text() == "private"
        for child in node.children()
    )


def declared_value(declaration: SgNode) -> SgNode | None:
    if declaration.kind() in FIELDS:
        return declaration.field("value")
    declarator = next(c for c in declaration.children() if c.kind() == "variable_declarator")
    return declarator.field("value")


def is_pure(node: SgNode) -> bool:
    """Whether an expression only computes: no call but arithmetic, no assignment."""
    for inner in walk(node):
        if not inner.is_named():
            continue
        if inner.kind() in ("call_expression", "arguments"):
            if inner.kind() == "call_expression" and not PURE_CALLS.match(callee_of(inner)):
                return False
        elif inner.kind() not in PURE_KINDS or inner.kind() == "update_expression":
            return False
    return True


def first_named(node: SgNode) -> SgNode:
    return next((child for child in node.children() if child.is_named()), NOTHING)


def write_statement(use: SgNode) -> SgNode | None:
    """The statement around a use when all it does is write, clear or test-and-clear the name."""
    statement = statement_around(use)
    if statement.kind() == "if_statement":
        alike = same(enclosing_function(use), enclosing_function(statement))
        return statement if alike and only_writes_if(statement, use.text()) else None
    if not is_write(statement, use.text()):
        return None
    outer = enclosing(statement, {"if_statement"})
    guarded = write_statement_guard(outer, use.text()) if outer is not None else None
    return guarded or statement


def write_statement_guard(outer: SgNode, name: str) -> SgNode | None:
    """``if (x) { clearTimeout(x); x = null }``: the whole if, when that is all it holds."""
    tested = [n for n in walk(part(outer, "condition")) if n.kind() in NAME_KINDS]
    is_tested = any(node.text() == name for node in tested)
    return outer if is_tested and only_writes_if(outer, name) else None


def only_writes_if(test: SgNode, name: str) -> bool:
    """Whether an ``if`` without an ``else`` has a pure condition and writes one name."""
    alone = not part(test, "alternative") and is_pure(part(test, "condition"))
    return alone and only_writes(part(test, "consequence"), name)


def only_writes(branch: SgNode, name: str) -> bool:
    """Whether a branch of an ``if`` writes one name and does nothing else."""
    is_block = branch.kind() == "statement_block"
    inner = [c for c in branch.children() if c.is_named()] if is_block else [branch]
    return bool(inner) and all(is_write(each, name) for each in inner)


def is_write(statement: SgNode, name: str) -> bool:
    """``x = …``, ``x++``, ``x += 1``, ``clearTimeout(x)`` for one name, with pure values."""
    if statement.kind() != "expression_statement":
        return False
    expression = first_named(statement)
    if expression.kind() in ("assignment_expression", "augmented_assignment_expression"):
        return plain_target(part(expression, "left")) == name and is_pure(part(expression, "right"))
    if expression.kind() == "update_expression":
        return plain_target(part(expression, "argument")) == name
    if expression.kind() != "call_expression":
        return False
    if callee_of(expression) in ("clearTimeout", "clearInterval"):
        return any(node.text() == name for node in walk(expression) if node.kind() in NAME_KINDS)
    # timer.unref(): its handle is of no use without the timer
    return re.fullmatch(rf"(this\.)?{re.escape(name)}\.unref\.?", callee_of(expression)) is not None


def call_statement(use: SgNode) -> bool:
    """Whether a use of a function's name is a statement of its own: ``this.clear();``."""
    statement = statement_around(use)
    expression = first_named(statement)
    return (
        statement.kind() == "expression_statement"
        and expression.kind() == "call_expression"
        and callee_of(expression).rpartition(".")[2] == use.text()
    )


def returns_only(statement: SgNode) -> bool:
    """``if (…) return;``"""
    return part(statement, "consequence").kind() == "return_statement"


def value_set(node: SgNode) -> str | None:
    """The text that an assignment gives to a name (``x = …``, ``this.x = …``), or None."""
    for outer in node.ancestors():
        if outer.kind() in ("assignment_expression", "augmented_assignment_expression"):
            left = part(outer, "left")
            is_set = within(node, left) and plain_target(left) == node.text()
            return part(outer, "right").text() if is_set else None
        if outer.kind() not in ("member_expression", "non_null_expression"):
            return None
    return None


def is_looked_into(node: SgNode) -> bool:
    """Whether a member of the name's value is used: ``x.y`` or ``this.x.y``."""
    outer = around(node, "member_expression")
    whole = outer if outer and same(outer.field("property"), node) else node
    member = around(whole, "member_expression")
    return bool(member) and same(member.field("object"), whole) and "?." not in member.text()


def plain_target(node: SgNode) -> str:
    """``x`` of ``x`` or ``this.x``; empty for anything else."""
    if node.kind() == "identifier":
        return node.text()
    if node.kind() == "member_expression":
        return part(node, "property").text() if part(node, "object").kind() == "this" else ""
    return ""


__all__ = ["Sweep", "calls", "inside", "is_pure", "names_between", "names_in"]
