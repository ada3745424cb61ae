"""Whether a host has a WhatsApp channel at all, and in which files."""

from __future__ import annotations

from modify.python import is_marked
from modify.service.javascript import SUFFIXES
from modify.service.model import TEST_PATH
from skill.host import Host


def has_channel(host: Host) -> bool:
    """Baileys, neonize, a bridge link or a child anywhere in the host, skill assets included.

    Scripts that pair once and exit are no channel: nothing keeps their link.
    """
    return bool(channel_files(host))


def channel_files(host: Host) -> frozenset[str]:
    """The files that keep a WhatsApp link: cheap marks first, then what is no daemon is out."""
    found = set()
    for file in host.with_suffix(*SUFFIXES, ".py"):
        if TEST_PATH.search(file.path):
            continue
        if file.path.endswith(".py"):
            links = is_marked(host, file.path)
        else:
            content = host.read(file.path)
            marked = b"connection.update" in content and b"makeWASocket" in content
            links = marked and may_be_daemon(host, file.path)
        if links:
            found.add(file.path)
    return frozenset(found)


def may_be_daemon(host: Host, path: str) -> bool:
    """False only where every channel of the file is plainly one that ends by itself.

    A file that cannot be read as what it is, or whose connect function is not found, counts
    as a channel: the channel rules say so. One that holds the words in a text alone, such as
    a script that it writes out, is none.
    """
    from modify.typescript.anchors import read_channels, registrations, socket_makers
    from modify.typescript.daemon import why_not_a_daemon
    from modify.typescript.source import Source
    from skill.errors import UnreadableSource

    try:
        source = Source.read(host, path)
    except UnreadableSource:
        return True
    channels = read_channels(source)
    if not channels:
        return bool(socket_makers(source.root)) or any(True for _ in registrations(source.root))
    return any(channel.is_gated or why_not_a_daemon(channel) is None for channel in channels)
