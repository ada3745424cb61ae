"""A launchd property list: understood by plistlib, changed by byte edits only.

launchd.plist(5): the keys of a ``KeepAlive`` dictionary are ORed, ``ThrottleInterval``
is 10 seconds where none is given. Two passes: plistlib gives the meaning of the list,
expat the places of the values of the outermost dictionary.
"""

from __future__ import annotations

import html
import plistlib
import re
from dataclasses import dataclass, field
from typing import Any
from xml.parsers import expat

from modify.units.model import UnitText

STRING = re.compile(rb"<string>(.*?)</string>", re.DOTALL)


@dataclass(frozen=True)
class Entry:
    """A key of the outermost dictionary and its value: byte ranges of whole elements."""

    key_start: int
    start: int
    end: int
    computed: bool


@dataclass(frozen=True)
class LaunchdUnit:
    """data: what plistlib read, computed parts masked. problem: why it could not be read."""

    text: UnitText
    data: dict[str, Any]
    entries: dict[str, Entry]
    problem: str = ""

    @property
    def arguments(self) -> list[str]:
        """The command line as it is written, holes as code."""
        name = "ProgramArguments" if "ProgramArguments" in self.entries else "Program"
        entry = self.entries.get(name)
        if entry is None:
            return []
        written = self.text.content[entry.start : entry.end]
        seen = self.text.seen(entry.start, entry.end)
        found = list(STRING.finditer(seen))
        if not found and entry.computed:
            return self.computed_arguments(written)
        return [
            unescape(written[slice(*item.span(1))].decode("utf-8", "replace")) for item in found
        ]

    def computed_arguments(self, written: bytes) -> list[str]:
        """``<array>{arguments}</array>``, where the code shows its elements."""
        bare = re.sub(rb"</?array>", b"", written).strip().decode("utf-8", "replace")
        texts = self.text.resolve(bare)
        elements = STRING.findall(texts[0].encode()) if len(texts) == 1 else []
        return [unescape(element.decode()) for element in elements]

    @property
    def folder(self) -> str:
        entry = self.entries.get("WorkingDirectory")
        if entry is None:
            return ""
        written = self.text.content[entry.start : entry.end].decode("utf-8", "replace")
        return unescape(re.sub(r"</?string>", "", written))


def escape(text: str) -> str:
    """Text as it stands in an element. (``xml.sax`` would import all that opens a URL.)"""
    return html.escape(text, quote=False)


def unescape(text: str) -> str:
    for entity, character in (("&lt;", "<"), ("&gt;", ">"), ("&quot;", '"'), ("&amp;", "&")):
        text = text.replace(entity, character)
    return text


def parse(text: UnitText) -> LaunchdUnit:
    view = with_values(text)
    offset = max(0, view.find(b"<"))
    body = view[offset:].rstrip()
    try:
        data = plistlib.loads(body, fmt=plistlib.FMT_XML)
        entries = locate(text, body, text.start + offset)
    except Exception as error:  # plistlib raises what it meets: ExpatError, ValueError, TypeError …
        return LaunchdUnit(text, {}, {}, f"cannot be read as a property list ({error})")
    if not isinstance(data, dict):
        return LaunchdUnit(text, {}, {}, "is no dictionary")
    return LaunchdUnit(text, data, entries)


def with_values(text: UnitText) -> bytes:
    """The view, where a hole that is the whole value of a key counts as ``<true/>``."""
    view = bytearray(text.view)
    for start, end in text.holes:
        before = bytes(view[: start - text.start]).rstrip()
        if before.endswith(b"</key>") and end - start >= len(b"<true/>"):
            view[start - text.start : end - text.start] = b"<true/>".ljust(end - start)
    return bytes(view)


@dataclass
class _Walk:
    """Where expat is: depth of elements, the key being read, the value it waits for."""

    depth: int = 0
    key: str = ""
    key_start: int = 0
    in_key: bool = False
    value_start: int = -1
    value_end: int = -1
    found: dict[str, tuple[int, int, int]] = field(default_factory=dict)


# <plist> is 1, its dictionary 2, the keys and values of that one 3.
VALUES = 3


def locate(text: UnitText, body: bytes, offset: int) -> dict[str, Entry]:
    walk = _Walk()
    parser = expat.ParserCreate()

    def starts(name: str, _attributes: object) -> None:
        walk.depth += 1
        if walk.depth != VALUES:
            return
        if name == "key":
            walk.key, walk.in_key, walk.key_start = "", True, parser.CurrentByteIndex
        else:
            start = walk.value_start = parser.CurrentByteIndex
            end = body.index(b">", start)
            # After an empty element expat's offset is the one of what follows it.
            walk.value_end = end + 1 if body[end - 1 : end] == b"/" else -1

    def reads(data: str) -> None:
        if walk.in_key:
            walk.key += data

    def ends(name: str) -> None:
        end = walk.value_end
        if walk.depth == VALUES:
            if name == "key":
                walk.in_key = False
            elif walk.key:
                if end < 0:
                    end = body.index(b">", parser.CurrentByteIndex) + 1
                walk.found[walk.key] = (walk.key_start, walk.value_start, end)
        walk.depth -= 1

    parser.StartElementHandler = starts
    parser.CharacterDataHandler = reads
    parser.EndElementHandler = ends
    parser.Parse(body, True)
    return {
        key: Entry(a + offset, b + offset, c + offset, text.is_computed(b + offset, c + offset))
        for key, (a, b, c) in walk.found.items()
    }
