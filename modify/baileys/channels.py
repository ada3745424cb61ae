"""The channels of one file, completed by what the host's other files add to them."""

from __future__ import annotations

from modify.baileys.model.anchors import (
    channel_without_listener,
    is_crowded,
    read_channels,
    registrations,
)
from modify.baileys.model.channel import Channel
from modify.baileys.model.daemon import listens
from modify.baileys.search.cross_file import (
    handed_over,
    pairs_elsewhere,
    run_elsewhere,
    socket_factories,
)
from modify.kit.typescript.source import Source
from skill.host import Host, fact


@fact
def channels_of(host: Host, source: Source) -> list[Channel]:
    """Return the channels that a file makes, or listens to for a file that makes the socket."""
    factories = socket_factories(host, source)
    channels = read_channels(source, factories)
    if is_crowded(source):
        return []
    if channels:
        paired = pairs_elsewhere(host, source)
        for channel in channels:
            channel.factory = factories.get(channel.maker)
            channel.paired_elsewhere = paired
            channel.run_elsewhere = run_elsewhere(host, channel)
        return channels
    if any(True for _ in registrations(source.root)):
        return list(handed_over(host, source))
    lone = channel_without_listener(source)
    return [lone] if lone is not None and listens(lone) else []
