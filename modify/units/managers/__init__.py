"""Process managers, one a file: how each reads its configuration and where that starts the bot.

A file here but for those APART is a kind of manager, by its name. It has ``read(text, project)``,
which returns the programs that a text keeps running, and ``restarts(item)``, what the text says
of restarting one of them. Where its configuration is a file of its own, ``NAME`` matches the path
and ``is_one(content)`` looks inside.
"""

from __future__ import annotations

import pkgutil
from importlib import import_module
from types import ModuleType

# Units of systemd and launchd have a codemod of their own; the others are no managers.
APART = frozenset({"systemd", "launchd", "docker_run", "dockerfile"})
KINDS = tuple(sorted({found.name for found in pkgutil.iter_modules(__path__)} - APART))
"""The kinds of process managers that are told apart by their file here."""


def manager_of(kind: str) -> ModuleType:
    return import_module(f"{__name__}.{kind}")
