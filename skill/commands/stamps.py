"""The files of an installed skill know the version that wrote them, and a hash of themselves.

So a later install or removal also knows them in a fresh clone, and none that somebody edited is
ever lost.
"""

from __future__ import annotations

import hashlib
import re

from skill.render.typescript import module_identity

STAMP = re.compile(
    r"^(?:# Added by skillgen|  skillgen:|<!-- Added by skillgen)"
    r' "?(\S+?)"? \(sha256 of the rest: (\w{16})\)"?(?: -->)?$',
    re.M,
)
TEXT = "{version} (sha256 of the rest: {digest})"


def stamped(path: str, text: str, version: str) -> str:
    """A file's text with its stamp, where its kind has room for one."""
    stamp = TEXT.format(version=version, digest=digest(text))
    if path.endswith("/SKILL.md"):
        front, end, rest = text.partition("\n---\n")
        return f'{front}\nmetadata:\n  skillgen: "{stamp}"{end}{rest}'
    if path.endswith(".md"):
        return f"{text}\n<!-- Added by skillgen {stamp} -->\n"
    if text.startswith("#!"):
        first, end, rest = text.partition("\n")
        return f"{first}{end}# Added by skillgen {stamp}\n{rest}"
    return f"# Added by skillgen {stamp}\n{text}"


def digest(text: str) -> str:
    """A hash that ignores the changes of a Markdown formatter: white space, table rules."""
    bare = re.sub(r"\s+", "", STAMP.sub("", text.replace("\nmetadata:\n", "\n")))
    return hashlib.sha256(re.sub(r"-+", "-", bare).encode()).hexdigest()[:16]


def identity(content: bytes) -> tuple[str, bool] | None:
    """The version that wrote the file, and whether it is as written; None: not ours."""
    text = content.decode("utf-8", "replace").replace("\r\n", "\n")
    stamp = STAMP.search(text)
    return (stamp[1], stamp[2] == digest(text)) if stamp else module_identity(text)
