"""Whether the guard can hold what a bot connects with: it is a file that Node loads, no other.

A Python bot with a Baileys bridge of its own is held: the bridge has its environment.
"""

from __future__ import annotations

from modify.channel_files import channel_files
from modify.python.marks import NEONIZE
from skill.commands.shell import quoted
from skill.errors import SkillgenError
from skill.host import Host, fact


@fact
def is_out_of_reach(host: Host) -> bool:
    """Whether the bot connects through neonize, and through nothing else."""
    paths = channel_files(host)
    return bool(paths) and all(
        path.endswith(".py") and NEONIZE.search(host.read(path)) for path in paths
    )


def require_in_reach(host: Host) -> None:
    """Raises SkillgenError where a guard would hold no attempt of this bot."""
    if is_out_of_reach(host):
        root = quoted(host.root)
        raise SkillgenError(
            "this bot connects through neonize, in Python, and the guard is for Node; "
            f"instead: skillgen service {root} --apply, and skillgen apply {root}"
        )
