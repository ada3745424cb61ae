"""What changes in a host: one codemod a kind of file, each a pure function of the host."""

from __future__ import annotations

from skill.edit import Patch
from skill.host import Host
from skill.options import Options


def examine(host: Host, options: Options) -> Patch:
    """Look at the whole host and say what is wrong and what would change. Writes nothing."""
    from modify import service, typescript

    patch = Patch()
    for language in (typescript, service):
        patch.merge(language.examine(host, options))
    return patch


def verify(path: str, before: bytes | None, after: bytes) -> None:
    """Raise UnreadableSource when a TypeScript or JavaScript result does not parse (promise 5).

    before: the file as it was, or None for an added one.
    """
    from modify.typescript.source import SUFFIXES, Source

    if path.endswith(SUFFIXES):
        Source.parse(path, after)
