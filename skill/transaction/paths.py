"""Which paths of a host a plan may name.

A host's tree is not only its own code: ``.git`` holds hooks and settings that run programs,
and installed or built trees belong to others. No plan of skillgen's names anything there,
so a path that does was not written by a plan, whatever else speaks for it.
"""

from __future__ import annotations

import re
import unicodedata

from skill.errors import SkillgenError
from skill.host import is_foreign

FOLDER = ".skillgen"
# Code points that HFS+ leaves out when it compares names, as git's own guard knows them.
IGNORED_BY_HFS = re.compile("[\u200c-\u200f\u202a-\u202e\u206a-\u206f\ufeff]")


def _folded(name: str) -> str:
    """The name as the most forgiving file system reads it: macOS, NTFS and FAT."""
    bare = unicodedata.normalize("NFKC", IGNORED_BY_HFS.sub("", name)).casefold()
    return bare.partition(":")[0].rstrip(" .")


def is_git(name: str) -> bool:
    """Whether some file system takes the name for ``.git``."""
    return _folded(name) in (".git", "git~1")


def require_inside(path: str) -> list[str]:
    """The components of a relative POSIX path that stays in the host and out of ``.git``.

    Raises SkillgenError for any other. The state folder counts as inside, spelled just so.
    """
    parts = path.split("/")
    if any(part in ("", ".", "..") or "\0" in part for part in parts):
        raise SkillgenError(f"{path}: leads out of the host; nothing was written")
    own = parts[0] == FOLDER
    for part in parts[1:] if own else parts:
        if is_git(part) or _folded(part) == FOLDER:
            raise SkillgenError(f"{path}: {part} is not the host's own; nothing was written")
    foreign = next((part for part in parts[own:-1] if is_foreign(part)), None)
    if foreign is not None:
        raise SkillgenError(f"{path}: {foreign} is not the host's own; nothing was written")
    return parts


def require_of_host(path: str) -> str:
    """The path, when a plan may name it. Raises SkillgenError."""
    if require_inside(path)[0] == FOLDER:
        raise SkillgenError(f"{path}: is skillgen's own; nothing was written")
    return path
