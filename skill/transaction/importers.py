"""Which files of a host import one of its files, and would break without it."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator, Mapping

from skill.host import Host
from skill.source_paths import SCRIPTS

# import … from 'x', import 'x', import('x'), export … from 'x', require('x').
_SCRIPT = re.compile(
    r"(?:\bfrom\s*|\bimport\s*\(?\s*|\brequire(?:\.resolve)?\s*\(\s*)(['\"`])([^'\"`\n]+)\1"
)
_PYTHON = re.compile(r"^[ \t]*(?:from[ \t]+([\w.]+)[ \t]+import\b(.*)|import[ \t]+([^#\n]+))", re.M)


def importers(host: Host, path: str, instead: Mapping[str, bytes | None]) -> Iterator[str]:
    """The files that import ``path``, but for itself.

    instead: what some files will hold, None for no file.
    """
    stem = posixpath.splitext(posixpath.basename(path))[0]
    endings = (".py",) if path.endswith(".py") else SCRIPTS
    for file in host.with_suffix(*endings):
        if file.path == path:
            continue
        content = instead[file.path] if file.path in instead else host.read(file.path)
        if content is None or stem.encode() not in content:
            continue
        text = content.decode("utf-8", "replace")
        found = _python(text, stem) if endings == (".py",) else _script(text, file.path, path)
        if found:
            yield file.path


def _script(text: str, path: str, wanted: str) -> bool:
    """Relative imports mean one file; of an alias its end is compared."""
    goal = posixpath.splitext(wanted)[0]
    for _, module in _SCRIPT.findall(text):
        bare = re.sub(r"\.[cm]?[jt]sx?$", "", module)
        if module.startswith("."):
            target = posixpath.normpath(posixpath.join(posixpath.dirname(path), bare))
            if target == goal:
                return True
        elif posixpath.basename(bare) == posixpath.basename(goal) and "/" in bare:
            return True
    return False


def _python(text: str, stem: str) -> bool:
    for module, names, whole in _PYTHON.findall(text):
        words = re.findall(r"\w+", f"{module} {names} {whole}")
        if stem in words:
            return True
    return False
