"""The calls by which a host's files go through the gate, for the test that asserts them.

An update of the host that copies a file anew, as NanoClaw's does with every channel, takes the
patch along without a word; the host's own tests then fail.
"""

from __future__ import annotations

import posixpath
import re
from collections import Counter
from collections.abc import Iterable

from modify.baileys.model.anchors import held_names
from modify.baileys.model.channel import reconnect_objects
from modify.baileys.model.startup import asset_root
from modify.baileys.search.cross_file import imports
from modify.kit.typescript.source import Source, arguments_of, callee_of, calls
from skill.edit import Patch, apply_edits
from skill.host import Host
from skill.render.typescript import Wiring
from skill.source_paths import SCRIPTS, is_test

METHODS = ("socket", "watch", "dial")
LONGEST = 40
PLAIN = re.compile(r"[\w$./@-]+")
# As in add/channel/typescript/wiring.test.ts.
COMMENT = re.compile(r"^\s*(//|/?\*).*$", re.MULTILINE)


def wirings_of(host: Host, module: str, paths: Iterable[str], patch: Patch) -> tuple[Wiring, ...]:
    """The calls of an added module in the files that are patched, now or before.

    paths: the files whose edits are in the patch.
    """
    tree, folder = asset_root(module), posixpath.dirname(module)
    found = (
        wiring_of(posixpath.relpath(path, folder or "."), planned(host, path, patch))
        for path in sorted({*paths, *patched_before(host, module)})
        if asset_root(path) == tree
    )
    return tuple(wiring for wiring in found if wiring is not None)


def patched_before(host: Host, module: str) -> list[str]:
    """The files on the disk that import an added module."""
    if not host.exists(module):
        return []
    name = posixpath.splitext(posixpath.basename(module))[0].encode()
    return [
        file.path
        for file in host.with_suffix(*SCRIPTS)
        if name in host.read(file.path)
        and not is_test(file.path)
        and (source := Source.readable(host, file.path)) is not None
        and any(target == module for target, _ in imports(host, source))
    ]


def planned(host: Host, path: str, patch: Patch) -> Source:
    """A file as it will be."""
    return Source.parse(path, apply_edits(host.read(path), patch.edits.get(path, ())))


def wiring_of(shown: str, source: Source) -> Wiring | None:
    """The calls of a patched file, None where it has none. shown: its path in the test."""
    own = reconnect_objects(source.root) | held_names(source.root)
    least: Counter[str] = Counter()
    makers: set[str] = set()
    for call in calls(source.root):
        gate, _, method = callee_of(call).rpartition(".")
        name = gate.rpartition(".")[2]
        if method not in METHODS or name not in own:
            continue
        least[f"{name}.{method}("] += 1
        if method == "socket":
            makers |= {each.text() for each in arguments_of(call)[:1]}
    code = re.sub(r"\s", "", COMMENT.sub("", source.text))
    seen = {part: min(times, code.count(part)) for part, times in least.items()}
    gone = {f"{maker}(" for maker in makers if PLAIN.fullmatch(maker) and len(maker) < LONGEST}
    parts = tuple((part, times) for part, times in sorted(seen.items(), reverse=True) if times)
    if not parts or not PLAIN.fullmatch(shown):
        return None
    return Wiring(shown, parts, tuple(sorted(part for part in gone if part not in code)))
