"""Names that mean Baileys: of the package, of its forks, of the function that makes a socket."""

from __future__ import annotations

import re
from collections.abc import Collection

MARK = re.compile(rb"WASocket|WALegacySocket|baileys|whaileys", re.IGNORECASE)
MAKER = re.compile(r"(^|[._$])make\w*WA\w*Socket\w*(\.default)?$", re.IGNORECASE)
# Baileys and its forks; not what only stores for it, types it or builds on it.
LIBRARY = re.compile(r"(@[\w.-]+/)?(?=[\w.-]*baileys|whaileys$)[\w.-]+", re.IGNORECASE)
BESIDE = re.compile(
    r"store|auth|provider|sql|mongo|redis|prisma|plugin|voice|call|helper|types|antiban", re.I
)
LOADED = re.compile(r"\b(?:require|import)\(\s*(['\"`])([^'\"`]+)\1")


def is_baileys(module: str, aliases: Collection[str] = ()) -> bool:
    """Whether a module's name means Baileys. aliases: names that package.json gives to it."""
    module = re.sub(r"^(npm:|https?://[^/]+/)", "", module)  # Deno
    module = re.sub(r"(?<=[^/@])@[^/]*", "", module)
    parts = module.split("/")
    package = "/".join(parts[: 2 if module.startswith("@") else 1])
    if package in aliases:
        return True
    return LIBRARY.fullmatch(package) is not None and not BESIDE.search(package)
