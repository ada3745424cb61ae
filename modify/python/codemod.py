"""Python channels through libcst: bridge links, neonize clients, bridges as child processes."""

from __future__ import annotations

from modify.python import unpatched
from modify.python.marks import marked, too_large
from skill.edit import Patch
from skill.host import Host
from skill.options import Options


def examine(host: Host, options: Options, planned: Patch) -> Patch:
    """Look at every Python channel of the host and plan its change. Writes nothing.

    planned: what the Baileys codemod plans for the same host; what it does to the Node half of
    a bridge is read from its effects, and amended, so that both halves of a logout come together.
    """
    patch = Patch(notes=too_large(host, options))
    paths = marked(host, options)
    if paths:
        # Lazy: libcst takes 0.13 s to import, and most hosts have no Python channel.
        from modify.python import files, planning

        files.examine(planning.Planning(host, options, patch, planned), paths)
    unpatched.examine(host, options, patch)
    return patch
