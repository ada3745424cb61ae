"""Shell scripts with a loop: files by their ending or their first line."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator

from modify.units.model import UnitText
from skill.host import Host

ENDINGS = (".sh", ".bash", ".zsh", ".command")
SHEBANG = re.compile(rb"#!.*\b(?:ba|da|z|k)?sh\b")
LOOP = re.compile(rb"\b(?:while|until|for)\b")
LARGEST = 200_000


def locate(host: Host) -> Iterator[UnitText]:
    for file in host.files.values():
        name = posixpath.basename(file.path)
        if file.size > LARGEST or not (name.endswith(ENDINGS) or "." not in name):
            continue
        content = host.read(file.path)
        if not name.endswith(ENDINGS) and not SHEBANG.match(content):
            continue
        if b"done" in content and LOOP.search(content):
            yield UnitText(file.path, content, 0, len(content), "shell")
