"""Units that are files: ``*.service``, ``*.plist``, compose files, templates, drop-ins.

A template's suffix (``.j2``, ``.in``, ``.tmpl`` …) changes nothing: ``{{PLACEHOLDER}}`` is
a value like any other in both formats.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from modify.units.locate.marks import PLIST, SERVICE, may_be_compose
from modify.units.managers.compose import NAME as COMPOSE_NAME
from modify.units.managers.pm2 import NAME as PM2_NAME
from modify.units.managers.supervisord import MARK as SUPERVISORD_MARK
from modify.units.model import UnitText
from skill.host import LARGEST_SOURCE, Host

NAME = re.compile(
    r"\.(service|plist)"
    r"(\.(j2|jinja2?|tmpl|tpl|template|in|dist|example|sample|new|mustache|hbs|ejs|erb))?$"
)
INI_NAME = re.compile(r"(\.(conf|ini)|supervisord?[\w.-]*)$")
DROP_IN = re.compile(r"\.service\.d/[^/]+\.conf$")


def locate(host: Host) -> Iterator[UnitText]:
    for file in host.files.values():
        if file.size <= LARGEST_SOURCE and COMPOSE_NAME.search(file.path):
            content = host.read(file.path)
            if may_be_compose(content):
                yield UnitText(file.path, content, 0, len(content), "compose")
            continue
        if file.size <= LARGEST_SOURCE and PM2_NAME.search(file.path):
            content = host.read(file.path)
            if b"script" in content:
                yield UnitText(file.path, content, 0, len(content), "pm2")
            continue
        if file.size <= LARGEST_SOURCE and INI_NAME.search(file.path):
            content = host.read(file.path)
            if SUPERVISORD_MARK in content:
                yield UnitText(file.path, content, 0, len(content), "supervisord")
                continue
        named = NAME.search(file.path)
        if (named is None and not DROP_IN.search(file.path)) or file.size > LARGEST_SOURCE:
            continue
        content = host.read(file.path)
        if named is not None and named[1] == "plist":
            if PLIST.search(content):
                yield UnitText(file.path, content, 0, len(content), "launchd")
        elif SERVICE.search(content):
            yield UnitText(file.path, content, 0, len(content), "systemd")
