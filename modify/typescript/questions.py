"""What a patched channel leaves for its maintainers to say, before the patch and after it.

They are asked of the file as it is, so ``apply`` and a later ``check`` agree.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from modify.typescript.boot import SKILL_ASSETS, Boot, read_boot
from modify.typescript.channel import Channel
from modify.typescript.results import hands_out_its_socket, is_used
from modify.typescript.rewrite.start import is_public
from modify.typescript.source import line_of, within
from skill.finding import Finding
from skill.host import Host
from skill.options import Options


def boot_of(host: Host, channel: Channel, options: Options) -> Boot:
    """How the host starts the channel, as far as the options let it be changed."""
    boot = read_boot(host, channel)
    if options.only_skill_assets and any(not p.startswith(SKILL_ASSETS) for p in boot.edits):
        return Boot(shared=True, reason="the host's main is left alone with --only-skill-assets")
    return boot


def open_questions(host: Host, channel: Channel, options: Options) -> Iterator[Finding]:
    path = channel.source.path
    line = line_of(channel.connect.node)
    if options.on_auth_failure == "auto" and channel.exits:
        boot = boot_of(host, channel, options)
        asks = re.search(r"\.exitIfAlone\(", channel.source.text)
        if boot.reason and not asks:
            yield Finding(
                path,
                line,
                1,
                "auth-failure-exit",
                "when WhatsApp's session is over the process ends, with other channels in it",
                reason=boot.reason,
                accept="options by which the channel can ask for others, or --on-auth-failure exit",
            )
    if given_to_other_files(channel):
        yield first_socket_only(channel, line, "what it returns is used in other files")
    for call in channel.connect_calls:
        outside = not within(call, channel.logic) and not channel.is_dialled(call)
        if outside and is_used(channel, call):
            yield first_socket_only(channel, line_of(call), "what it returns is used here")


def first_socket_only(channel: Channel, line: int, reason: str) -> Finding:
    return Finding(
        channel.source.path,
        line,
        1,
        "channel-gives-up",
        f"callers of {channel.connect.name}() get the socket of the first attempt only",
        reason=reason,
        accept="a connect function whose return value nobody uses, called by reconnect.dial(…)",
        contained=True,
    )


def given_to_other_files(channel: Channel) -> bool:
    """Whether other files call the connect function for what it returns."""
    node = channel.connect.node
    outside = [c for c in channel.connect_calls if not within(c, channel.logic)]
    if any(not within(call, node) for call in outside) or not is_public(channel):
        return False
    return hands_out_its_socket(channel)
