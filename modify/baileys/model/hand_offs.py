"""The questions that a patched channel leaves to its maintainers.

They are read from the file as it is, before or after the patch, so that ``apply`` and a later
``check`` agree.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from modify.baileys.model.channel import Channel
from modify.baileys.model.return_value import hands_out_its_socket, is_used
from modify.baileys.model.startup import Boot, read_boot
from modify.baileys.rewrite.start import is_public
from modify.kit.typescript.functions import named_functions
from modify.kit.typescript.source import callee_of, calls, line_of, within
from modify.rules import ids
from skill.finding import Finding
from skill.host import Host
from skill.options import Options
from skill.source_paths import SKILL_ASSETS

if TYPE_CHECKING:
    from ast_grep_py import SgNode


# A test that the session is over, the host's or the patched one
GIVES_UP = ids.CHANNEL_GIVES_UP
OVER = re.compile(r"\bloggedOut\b|\b401\b|\.terminal\b")


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
            message = "when the session is over, the process ends, and other channels with it"
            accept = "options by which the channel can ask for others, or --on-auth-failure exit"
            yield Finding(path, line, 1, ids.AUTH_FAILURE_EXIT, message, None, boot.reason, accept)
    for call in own_logouts(channel):
        message = "the bot unlinks itself after a connection error: "
        message += "logout() cannot be taken back"
        reason = "whether a fault may cost the link is for its maintainers to say"
        accept = "a close branch that calls logout() for no other code than 401"
        yield Finding(path, line_of(call), 1, GIVES_UP, message, None, reason, accept, True)
    if given_to_other_files(channel):
        yield first_socket_only(channel, line, "what it returns is used in other files")
    for call in channel.connect_calls:
        outside = not within(call, channel.logic) and not channel.is_dialled(call)
        if outside and is_used(channel, call):
            yield first_socket_only(channel, line_of(call), "what it returns is used here")


def own_logouts(channel: Channel) -> Iterator[SgNode]:
    """Calls of ``logout()`` after a close, where the session is not over anyway.

    In the close branch, or in a function of the file that it calls.
    """
    if channel.close is None:
        return
    called = {callee_of(call) for call in calls(channel.close.node)} - channel.connect_texts
    helpers = [each.node for each in named_functions(channel.source.root) if each.call in called]
    for branch in (channel.close.node, *helpers):
        for call in calls(branch):
            if callee_of(call).endswith(".logout") and not any(
                OVER.search(test) for test in tests_around(call, branch)
            ):
                yield call


def tests_around(call: SgNode, branch: SgNode) -> Iterator[str]:
    """The conditions and cases of a branch under which a call is made."""
    for outer in call.ancestors():
        if not within(outer, branch):
            return
        condition, taken = outer.field("condition"), outer.field("consequence")
        if outer.kind() == "switch_case" and (value := outer.field("value")) is not None:
            yield value.text()
        if condition is not None and taken is not None and within(call, taken):
            yield condition.text()


def first_socket_only(channel: Channel, line: int, reason: str) -> Finding:
    message = f"callers of {channel.connect.name}() get the socket of the first attempt only"
    accept = "a connect function whose return value nobody uses, called by reconnect.dial(…)"
    return Finding(channel.source.path, line, 1, GIVES_UP, message, None, reason, accept, True)


def given_to_other_files(channel: Channel) -> bool:
    """Whether other files use the return value of the connect function."""
    node = channel.connect.node
    outside = [c for c in channel.connect_calls if not within(c, channel.logic)]
    if any(not within(call, node) for call in outside) or not is_public(channel):
        return False
    return hands_out_its_socket(channel)
