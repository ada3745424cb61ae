"""The changes of a host: one codemod a kind of file, each a pure function of the host."""

from __future__ import annotations

import posixpath
from functools import lru_cache

from skill.edit import Patch
from skill.errors import SkillgenError, UnreadableSource
from skill.host import Host
from skill.options import Options
from skill.source_paths import SCRIPTS


def examine(host: Host, options: Options) -> Patch:
    """The findings in the whole host and the changes that would be made. Writes nothing."""
    # Lazy: the command line shows its help without any codemod.
    from modify import added_modules
    from modify.baileys import codemod as baileys
    from modify.python import codemod as python
    from modify.units import codemod as units
    from modify.units import python_units, self_restart, unproven

    patch = Patch()
    patch.merge(baileys.examine(host, options))
    patch.merge(python_units.plist_dicts(host, options))
    # After TypeScript: the two halves of a bridge change together.
    patch.merge(python.examine(host, options, patch))
    patch.merge(units.examine(host, options))
    if not options.only_skill_assets:
        patch = self_restart.settle(host, patch)
    patch.merge(python_units.asserting_tests(host, options, patch))
    if options.units_left:
        patch = unproven.left(patch, options.units_left)
    added_modules.examine(host, options, patch)
    return patch


def verify(path: str, before: bytes | None, after: bytes) -> None:
    """Raise SkillgenError when a TypeScript or JavaScript result does not parse (promise 5).

    before: the file as it was, or None for an added one. A file that the parser could not
    read before need not be readable afterwards.
    """
    if not path.endswith(SCRIPTS):
        return
    suffix = posixpath.splitext(path)[1]
    line = broken_line(suffix, after)
    if line is None or (before is not None and broken_line(suffix, before) is not None):
        return
    raise SkillgenError(
        f"{path}:{line}: would not parse after the change; "
        "nothing was written, please report this host"
    )


@lru_cache(maxsize=16)
def broken_line(suffix: str, content: bytes) -> int | None:
    """The line at which a source does not parse; the module that hosts gain is asked for often."""
    # Lazy: as above
    from modify.kit.typescript.source import Source

    try:
        Source.parse(suffix, content)
    except UnreadableSource as error:
        return error.line
    return None
