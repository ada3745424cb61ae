"""Writes the files that a user names on the command line."""

from __future__ import annotations

import os
import re
from pathlib import Path

from skill.errors import SkillgenError

# Links that the system itself makes to an open file; all may write below /dev/shm.
DESCRIPTOR = re.compile(r"/dev/std(out|err)|/(dev|proc/(self|thread-self|\d+))/fd/\d+")


def write_report(file: Path, text: str) -> None:
    """Write the text. A link of that name, which a host may hold, is not followed.

    Raises SkillgenError.
    """
    follow = DESCRIPTOR.fullmatch(str(file)) is not None
    try:
        if file.is_symlink() and not follow:
            raise SkillgenError(f"{file}: is a link, which is not followed; name another file")
        # A pipe without a reader is not waited for.
        flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC | os.O_NONBLOCK
        flags |= 0 if follow else os.O_NOFOLLOW
        with open(os.open(file, flags, 0o666), "w", encoding="utf-8") as stream:
            stream.write(text)
    except OSError as error:
        raise SkillgenError(f"{file}: cannot be written ({error.strerror})") from error
