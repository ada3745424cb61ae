"""The marks of a unit: its own headings, never a word in a sentence."""

from __future__ import annotations

import re

from modify.units.model import Kind

UNIT_MARKS = (b"[Service]", b"<plist")
SERVICE = re.compile(rb"^[ \t]*\[Service\][ \t]*\r?$", re.MULTILINE)
UNIT = re.compile(rb"^[ \t]*\[(?:Unit|Install)\][ \t]*\r?$", re.MULTILINE)
# Comments and blank lines, then a section: code that merely holds a unit begins otherwise.
BEGINS = re.compile(rb"(?:[ \t]*(?:[#;][^\n]*)?\r?\n)*[ \t]*\[(?:Unit|Service|Install)\]")
COMPOSE = re.compile(rb"^[ \t]*services:[ \t]*(?:#[^\n]*)?\r?$", re.MULTILINE)
# A job of launchd, no Info.plist or settings file.
PLIST = re.compile(rb"<plist\b[^>]*>.*<key>(?:Program|ProgramArguments|KeepAlive)</key>", re.DOTALL)


def may_hold_unit(content: bytes) -> bool:
    """Cheap: whether a file is worth a closer look."""
    return any(mark in content for mark in UNIT_MARKS)


def may_be_compose(content: bytes) -> bool:
    return b"services:" in content and b"restart" in content


def may_hold_any(content: bytes) -> bool:
    return may_hold_unit(content) or may_be_compose(content)


def kind_of(text: bytes) -> Kind | None:
    """The kind of a text that is a whole unit and nothing else; None for any other text."""
    stripped = text.lstrip()
    if stripped.startswith((b"<?xml", b"<plist", b"<!DOCTYPE plist", b"<!--")):
        return "launchd" if PLIST.search(text) else None
    if BEGINS.match(text) and UNIT.search(text) and len(SERVICE.findall(text)) == 1:
        return "systemd"
    if may_be_compose(text) and COMPOSE.search(text):
        return "compose"
    return None
