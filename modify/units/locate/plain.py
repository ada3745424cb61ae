"""Units that are files: ``*.service``, ``*.plist``, compose files, templates, drop-ins.

A template's suffix (``.j2``, ``.in``, ``.tmpl`` …) changes nothing: ``{{PLACEHOLDER}}`` is
a value like any other in both formats.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from modify.units.locate.marks import PLIST, SERVICE
from modify.units.managers import KINDS, manager_of
from modify.units.model import UnitText
from skill.host import LARGEST_SOURCE, Host

NAME = re.compile(
    r"\.(service|plist)"
    r"(\.(j2|jinja2?|tmpl|tpl|template|in|dist|example|sample|new|mustache|hbs|ejs|erb))?$"
)
DROP_IN = re.compile(r"\.service\.d/[^/]+\.conf$")


def locate(host: Host) -> Iterator[UnitText]:
    managers = [(kind, manager_of(kind)) for kind in KINDS if hasattr(manager_of(kind), "NAME")]
    for file in host.files.values():
        if file.size > LARGEST_SOURCE:
            continue
        found = (
            kind
            for kind, manager in managers
            if manager.NAME.search(file.path) and manager.is_one(host.read(file.path))
        )
        if (kind := next(found, None)) is not None:
            content = host.read(file.path)
            yield UnitText(file.path, content, 0, len(content), kind)
            continue
        named = NAME.search(file.path)
        if named is None and not DROP_IN.search(file.path):
            continue
        content = host.read(file.path)
        if named is not None and named[1] == "plist":
            if PLIST.search(content):
                yield UnitText(file.path, content, 0, len(content), "launchd")
        elif SERVICE.search(content):
            yield UnitText(file.path, content, 0, len(content), "systemd")
