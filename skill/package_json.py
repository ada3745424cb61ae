"""Reads package.json, which may hold any JSON, or none."""

from __future__ import annotations

import json
import posixpath
from typing import Any

from skill.host import Host


def package_at(host: Host, folder: str = "") -> dict[str, Any]:
    """The package.json of a folder of the host; {} without one, or where it is no JSON object."""
    path = posixpath.join(folder, "package.json")
    return parsed(host.read(path)) if host.exists(path) else {}


def parsed(content: bytes) -> dict[str, Any]:
    """The JSON object in ``content``, or {}, also for a file nested too deep to be read."""
    try:
        data = json.loads(content.decode("utf-8-sig", "replace"))
    except (ValueError, RecursionError):
        return {}
    return data if isinstance(data, dict) else {}


def texts(data: dict[str, Any], key: str) -> dict[str, str]:
    """The entries of a table such as ``scripts`` or ``dependencies`` that are texts."""
    table = data.get(key)
    if not isinstance(table, dict):
        return {}
    return {name: value for name, value in table.items() if isinstance(value, str)}
