"""Units that are files: ``*.service``, ``*.plist``, their templates, and drop-ins.

A template's suffix (``.j2``, ``.in``, ``.tmpl`` …) changes nothing: ``{{PLACEHOLDER}}`` is
a value like any other in both formats.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from modify.service.locate.marks import PLIST, SERVICE
from modify.service.model import UnitText
from skill.host import LARGEST_SOURCE, Host

NAME = re.compile(
    r"\.(service|plist)"
    r"(\.(j2|jinja2?|tmpl|tpl|template|in|dist|example|sample|new|mustache|hbs|ejs|erb))?$"
)
DROP_IN = re.compile(r"\.service\.d/[^/]+\.conf$")


def locate(host: Host) -> Iterator[UnitText]:
    for file in host.files.values():
        named = NAME.search(file.path)
        if (named is None and not DROP_IN.search(file.path)) or file.size > LARGEST_SOURCE:
            continue
        content = host.read(file.path)
        if named is not None and named[1] == "plist":
            if PLIST.search(content):
                yield UnitText(file.path, content, 0, len(content), "launchd")
        elif SERVICE.search(content):
            yield UnitText(file.path, content, 0, len(content), "systemd")
