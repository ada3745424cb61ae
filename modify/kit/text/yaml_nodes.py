"""YAML, understood by PyYAML and located in bytes: what a text means and where it stands.

PyYAML counts characters. Every byte above 0x7f is masked by a letter before parsing, so
that a character is a byte; the values that matter here (commands, words, names of
images) are ASCII. Anchors, aliases and merge keys are followed as compose does.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

from modify.kit.typescript.javascript import ASCII_ONLY, BYTE_ORDER_MARK

MERGE = "<<"


class UnreadableYaml(ValueError):
    """The text is no YAML. line: 1-based, in the text."""

    def __init__(self, line: int) -> None:
        self.line = line
        super().__init__(f"line {line} cannot be read as YAML")


@dataclass(frozen=True, eq=False)
class Scalar:
    """A value; ``start`` to ``end`` hold its anchor and quotes, too."""

    value: str
    start: int
    end: int


@dataclass(frozen=True, eq=False)
class Items:
    values: tuple[Node, ...]
    start: int
    end: int


@dataclass(frozen=True)
class Entry:
    """A key and its value. alias: the byte range of ``*name`` where the value stands elsewhere."""

    key: Scalar
    value: Node
    alias: tuple[int, int] | None = None


@dataclass(frozen=True, eq=False)
class Mapping:
    """own: the keys written here. merged: those that ``<<`` brings and no own key hides."""

    own: dict[str, Entry]
    start: int
    end: int
    is_flow: bool
    merged: dict[str, Entry] = field(default_factory=dict)
    merge_key: Entry | None = None

    def entry(self, key: str) -> Entry | None:
        return self.own.get(key) or self.merged.get(key)

    def get(self, key: str) -> Node | None:
        entry = self.entry(key)
        return entry.value if entry else None

    def text(self, key: str) -> str | None:
        """The value of a key, if it is a plain one."""
        value = self.get(key)
        return value.value if isinstance(value, Scalar) else None

    def mapping(self, key: str) -> Mapping | None:
        value = self.get(key)
        return value if isinstance(value, Mapping) else None


Node = Scalar | Items | Mapping


def documents(content: bytes, start: int, end: int) -> list[Node]:
    """The documents between two offsets of a file. Raises UnreadableYaml."""
    import yaml  # type: ignore[import-untyped]

    body = content[start:end]
    if body.startswith(BYTE_ORDER_MARK):
        body = b"   " + body[3:]
    text = body.translate(ASCII_ONLY).decode("ascii")
    try:
        found = list(yaml.compose_all(text, Loader=yaml.SafeLoader))
        reader = _Reader(content, start)
        return [reader.node(node) for node in found if node is not None]
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        raise UnreadableYaml(mark.line + 1 if mark else 1) from None
    except RecursionError:  # too deep, or a value that holds itself
        raise UnreadableYaml(1) from None


@dataclass
class _Reader:
    content: bytes
    offset: int
    known: dict[int, Node] = field(default_factory=dict)

    def node(self, node: Any) -> Node:
        """One node; an alias gives the same object as its anchor."""
        if id(node) not in self.known:
            start = node.start_mark.index + self.offset
            end = node.end_mark.index + self.offset
            if node.id == "scalar":
                self.known[id(node)] = Scalar(node.value, start, end)
            elif node.id == "sequence":
                values = tuple(self.node(item) for item in node.value)
                self.known[id(node)] = Items(values, start, end)
            else:
                self.known[id(node)] = self.mapping(node, start, end)
        return self.known[id(node)]

    def mapping(self, node: Any, start: int, end: int) -> Mapping:
        own: dict[str, Entry] = {}
        merged: dict[str, Entry] = {}
        merge_key = None
        for key_node, value_node in node.value:
            key, value = self.node(key_node), self.node(value_node)
            if not isinstance(key, Scalar):
                continue
            entry = Entry(key, value, self.alias_behind(key))
            if key.value != MERGE:
                own[key.value] = entry
                continue
            merge_key = entry
            for source in value.values if isinstance(value, Items) else (value,):
                if isinstance(source, Mapping):
                    merged = {**source.merged, **source.own, **merged}
        merged = {name: entry for name, entry in merged.items() if name not in own}
        return Mapping(own, start, end, bool(node.flow_style), merged, merge_key)

    def alias_behind(self, key: Scalar) -> tuple[int, int] | None:
        found = re.compile(rb"['\"]?[ \t]*:[ \t]*(\*[^\s,\]}]+)").match(self.content, key.end)
        return found.span(1) if found else None


def words(node: Node | None) -> list[str] | str:
    """A command: a list of words, or one text for a shell to split; [] where there is none."""
    if isinstance(node, Items):
        return [item.value for item in node.values if isinstance(item, Scalar)]
    return node.value if isinstance(node, Scalar) else []
