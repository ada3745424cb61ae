"""Whether a host has a WhatsApp channel at all, and in which files."""

from __future__ import annotations

from modify.baileys.channels import channels_of
from modify.baileys.model.anchors import acts_on_close, registrations, socket_makers
from modify.baileys.model.daemon import why_not_a_daemon
from modify.baileys.search.libraries import Libraries
from modify.baileys.search.own_files import OwnFiles
from modify.baileys.search.packages import NAMED, packages_of
from modify.compiled_programs import compiled_programs
from modify.kit.typescript.source import Source
from modify.python.marks import is_marked
from skill.host import Host, fact
from skill.source_paths import SCRIPTS, is_among_tests


def has_channel(host: Host) -> bool:
    """Baileys, neonize, a bridge link or a child anywhere in the host, skill assets included.

    So is another library that connects, in JavaScript, Go or Rust. Scripts that pair once and exit
    are no channel: nothing keeps their link.
    """
    return bool(channel_files(host) or compiled_programs(host))


@fact
def channel_files(host: Host) -> frozenset[str]:
    """The files that keep a WhatsApp link: cheap marks first, then what is no daemon is out."""
    found = set()
    for file in host.with_suffix(*SCRIPTS, ".py"):
        if is_among_tests(file.path):
            continue
        if file.path.endswith(".py"):
            links = is_marked(host, file.path)
        else:
            content = host.read(file.path)
            links = b"connection.update" in content and may_be_daemon(host, file.path)
            links = links or (NAMED.search(content) is not None and uses_a_library(host, file.path))
        if links:
            found.add(file.path)
    return frozenset(found)


def uses_a_library(host: Host, path: str) -> bool:
    """Whether a file makes or uses something of a package that connects to WhatsApp itself."""
    return any(Libraries(OwnFiles(host, packages_of(host)), False).used_libraries(path))


def may_be_daemon(host: Host, path: str) -> bool:
    """False only where every channel of the file is plainly one that ends by itself.

    A file that cannot be parsed, or whose connect function is not found, counts as a channel,
    as in the channel rules. A file that only quotes the event name is not a channel, nor is a
    listener without a socket that ignores "close".
    """
    makes_socket = b"makeWASocket" in host.read(path)
    if (source := Source.readable(host, path)) is None:
        return makes_socket
    channels = channels_of(host, source)
    if not channels and makes_socket:
        return bool(socket_makers(source.root)) or any(True for _ in registrations(source.root))
    if not channels:
        return acts_on_close(source)
    return any(channel.is_gated or why_not_a_daemon(channel) is None for channel in channels)
