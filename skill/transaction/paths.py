"""Which paths of a host a plan may name.

A host's tree is not only its own code: ``.git`` holds hooks and settings that run programs,
and installed or built trees belong to others. No plan of skillgen's names anything there,
so a path that does was not written by a plan, whatever else speaks for it.
"""

from __future__ import annotations

from skill.errors import SkillgenError
from skill.host import is_foreign, is_guarded

FOLDER = ".skillgen"
GUARD = ".skillgen-guard"
"""What `skillgen guard` puts beside a compose file: a host's sources are not looked for there,
but its plans write there."""


def require_inside(path: str) -> list[str]:
    """The components of a relative POSIX path that stays in the host and out of ``.git``.

    Raises SkillgenError for any other. The state folder counts as inside, spelled just so.
    """
    parts = path.split("/")
    if any(part in ("", ".", "..") or "\0" in part for part in parts):
        raise SkillgenError(f"{path}: leads out of the host; nothing was written")
    *folders, name = parts[1:] if parts[0] == FOLDER and len(parts) > 1 else parts
    foreign = next((part for part in folders if part != GUARD and is_foreign(part)), None)
    if foreign is None and is_guarded(name) and path != FOLDER:
        foreign = name
    if foreign is not None:
        raise SkillgenError(f"{path}: {foreign} is not the host's own; nothing was written")
    return parts


def require_of_host(path: str) -> str:
    """The path, when a plan may name it. Raises SkillgenError."""
    if require_inside(path)[0] == FOLDER:
        raise SkillgenError(f"{path}: is skillgen's own; nothing was written")
    return path
