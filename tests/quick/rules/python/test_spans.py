"""Places and order of nodes are libcst's own, although they are found another way."""

from __future__ import annotations

import libcst as cst
import pytest

from modify.kit.python.source import Source, inside
from modify.kit.python.spans import written

TEXT = '''# é
@decorated(
    1)
# a comment
async def function(a=lambda: 1, *b, **c) -> None:
    """dö"""
    if a: b = 1; c = 2
    elif b:
        async with x as y, z:  # é
            pass
    else: d
    try:
        é = "ü"; g(é, *h)
    except A as e:
        raise B from e
    else:
        match a:
            case 1 | None:
                pass
            case [x, *_] if x:
                z = """
m é
"""
    finally:
        while 1:
            for i in f"{a!r:>{b}}", f"{a}":
                continue
\x0c
class K(B, c=d):
    x: int = 1
    def m(self): return 1

    @p
    def n(self):
        del self.x
'''
WRITTEN = {
    "line feeds": TEXT,
    "carriage returns": TEXT.replace("\n", "\r\n"),
    "both": TEXT.replace("\n", "\r\n", 12),
    "tabs": TEXT.replace("    ", "\t"),
    "a byte-order mark": "\ufeff" + TEXT,
    "another encoding's name": "# -*- coding: latin-1 -*-\n" + TEXT,
    "no last line end": TEXT.rstrip("\n"),
}
BLANK = (
    cst.BaseParenthesizableWhitespace,
    cst.Comment,
    cst.EmptyLine,
    cst.Newline,
    cst.TrailingWhitespace,
)


class Everything(cst.CSTVisitor):
    def __init__(self) -> None:
        super().__init__()
        self.nodes: list[cst.CSTNode] = []

    def on_visit(self, node: cst.CSTNode) -> bool:
        if not isinstance(node, BLANK):
            self.nodes.append(node)
        return not isinstance(node, BLANK)


@pytest.mark.parametrize("name", WRITTEN)
def test_every_node_is_found_in_order(name: str) -> None:
    source = Source.parse("bot.py", WRITTEN[name].encode())
    visitor = Everything()
    source.module.visit(visitor)
    found = [source.module, *inside(source.module, functions=True)]
    assert [id(node) for node in found] == [id(node) for node in visitor.nodes]
    for node in found:
        assert [id(child) for child in node.children if not isinstance(child, BLANK)] == [
            id(child) for child in found if source.parent(child) is node
        ]


@pytest.mark.parametrize("name", WRITTEN)
def test_places_are_those_of_the_whole_module(name: str) -> None:
    source = Source.parse("bot.py", WRITTEN[name].encode())
    places = written(source.module)
    for node in inside(source.module, functions=True):
        start = places[node].start + source.offset
        assert source.span(node) == (start, start + places[node].length), node


def test_only_the_statement_around_a_node_is_written_out(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    def watched(module: cst.Module) -> object:
        asked.append(module.code)
        return written(module)

    monkeypatch.setattr("modify.kit.python.spans.written", watched)
    source = Source.parse("bot.py", TEXT.encode())
    name = next(node for node in inside(source.module, functions=True) if is_name(node, "self"))
    assert source.bytes_of(name) == b"self" and source.line(name) == 31
    assert len(asked) == 1 and "m(self)" in asked[0] and "async" not in asked[0]


def is_name(node: cst.CSTNode, name: str) -> bool:
    return isinstance(node, cst.Name) and node.value == name


def test_syntax_that_only_libcst_knows_is_placed_too(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuses(_text: str) -> None:
        raise SyntaxError

    monkeypatch.setattr("modify.kit.python.spans.ast.parse", refuses)
    test_places_are_those_of_the_whole_module("line feeds")
