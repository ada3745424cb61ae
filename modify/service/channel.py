"""Whether a host has a WhatsApp channel at all, and in which files."""

from __future__ import annotations

import re

from modify.service.javascript import SUFFIXES
from modify.service.model import TEST_PATH
from skill.host import Host

# A Python program that dials WhatsApp itself (neonize) or its own bridge (websockets).
NEONIZE = re.compile(rb"^\s*(?:from|import)\s+neonize\b", re.MULTILINE)
BRIDGE = re.compile(rb"websockets?\.(?:connect|create_connection|WebSocketApp)\(|from websockets")


def has_channel(host: Host) -> bool:
    """Baileys, neonize or a bridge link anywhere in the host, its skill assets included."""
    return bool(channel_files(host))


def channel_files(host: Host) -> frozenset[str]:
    """The files that open a WhatsApp link: cheap marks only, the channel rules look closer."""
    found = set()
    for file in host.with_suffix(*SUFFIXES, ".py"):
        if TEST_PATH.search(file.path):
            continue
        content = host.read(file.path)
        if file.path.endswith(".py"):
            bridge = b"whatsapp" in content.lower() and BRIDGE.search(content) is not None
            links = bridge or NEONIZE.search(content) is not None
        else:
            links = b"connection.update" in content and b"makeWASocket" in content
        if links:
            found.add(file.path)
    return frozenset(found)
