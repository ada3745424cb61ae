"""The modules that skillgen added to a host, known by their own header, in a fresh clone too."""

from __future__ import annotations

from typing import Any

from skill.host import Host
from skill.render import typescript


def added_modules(host: Host) -> list[dict[str, Any]]:
    """path, version, and whether it is intact, of each."""
    found = []
    for file in host.with_suffix(".ts", ".js", ".mjs", ".cjs", ".py"):
        content = host.read(file.path)
        if b"skillgen" in content[:400]:
            identity = typescript.module_identity(content.decode("utf-8", "replace"))
            if identity:
                version, intact = identity
                found.append({"path": file.path, "version": version, "intact": intact})
    return found
