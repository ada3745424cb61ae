"""Where the parts of a rewrite find what they need: names, folder, logger, pairing."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from modify.typescript.boot import resolve_import
from modify.typescript.channel import LOGGER, Channel
from modify.typescript.source import (
    arguments_of,
    callee_of,
    calls,
    enclosing_function,
    end_of,
    same,
    start_of,
    walk,
    within,
)
from skill.host import Host

if TYPE_CHECKING:
    from ast_grep_py import SgNode

AUTH_STATE = re.compile(r"(^|\.)use\w*AuthState$")


def instance_name(channel: Channel) -> str:
    """A name for the Reconnect object that the file does not use yet."""
    taken = channel.source.names
    return next(
        name
        for name in ("reconnect", "reconnection", "whatsappReconnect", "reconnectGate")
        if name not in taken
    )


@dataclass(frozen=True)
class Logger:
    """The host's logger. name: as the channel writes it. takes: its arguments, in order.

    takes is ``text`` where one string is enough (pino, console, most of all), else
    ``fields, text`` or ``text, fields``: a logger of the host's own that wants both.
    """

    name: str
    takes: str = "text"


def logger_of(host: Host, channel: Channel) -> Logger:
    """The logger that the channel writes with most, else the console."""
    written: dict[str, list[SgNode]] = {}
    for call in calls(channel.source.root):
        callee = callee_of(call)
        if LOGGER.search(callee):
            written.setdefault(callee.rpartition(".")[0], []).append(call)
    for name in sorted(written, key=lambda each: -len(written[each])):
        if name != "console" and is_reachable(channel, name) and has_levels(host, channel, name):
            return Logger(name, order_of(written[name]))
    return Logger("console")


def order_of(written: list[SgNode]) -> str:
    given = [arguments_of(call) for call in written]
    if any(len(each) == 1 and each[0].kind() in ("string", "template_string") for each in given):
        return "text"
    pairs = [each for each in given if len(each) == 2]
    if not pairs or len(pairs) != len(given):
        return "text"
    objects_first = sum(each[0].kind() == "object" for each in pairs)
    return "fields, text" if objects_first * 2 > len(pairs) else "text, fields"


def is_reachable(channel: Channel, name: str) -> bool:
    """Whether a name is known outside the connect function and the handler."""
    root = name.partition(".")[0]
    if root == "this":
        return channel.scope == "class"
    inner = (channel.connect.node, channel.logic)
    return not any(
        (target := declarator.field("name")) is not None and target.text() == root
        for place in inner
        for declarator in place.find_all(kind="variable_declarator")
    ) and not is_parameter(channel, root)


def has_levels(host: Host, channel: Channel, name: str) -> bool:
    """Whether a logger of the host's own has the levels info, warn and error."""
    imported = re.search(
        rf"import\s[^;]*?\b{re.escape(name)}\b[^;]*?from\s*['\"](\.[^'\"]+)['\"]",
        channel.source.text,
    )
    path = resolve_import(host, channel.source.path, imported.group(1)) if imported else None
    if path is None:
        return True
    text = host.read(path).decode("utf-8", "replace")
    known = re.search(r"\b(pino|winston|bunyan|tslog|consola|console\b(?!\.))", text)
    return known is not None or all(
        re.search(rf"\b{level}\b", text) for level in ("info", "warn", "error")
    )


def pairs_in_process(channel: Channel) -> bool:
    """Whether this process can link the bot: it shows the QR code, or asks for a pairing code."""
    if channel.uses(r"\brequestPairingCode\s*\(") or channel.uses(r"printQRInTerminal\s*:\s*true"):
        return True
    names = {name.rpartition(".")[2] for name in channel.aliases["qr"]}
    for branch in channel.qr_branches:
        body = branch.field("consequence")
        if body is not None and any(
            node.text() in names
            for node in walk(body)
            if node.kind() in ("identifier", "shorthand_property_identifier", "property_identifier")
        ):
            return True
    return False


def auth_folder(channel: Channel) -> str | None:
    """The expression for the credentials folder, as it can be written outside the connect function.

    None where it depends on what only one call knows (an account's id): one gate for
    several accounts would be wrong.
    """
    for call in calls(channel.connect.node):
        if AUTH_STATE.search(callee_of(call)):
            given = arguments_of(call)
            return outside(channel, given[0]) if given else None
    return None


def outside(channel: Channel, node: SgNode) -> str | None:
    """The text of an expression with the connect function's own constants written out."""
    text = node.text()
    offset = start_of(node)
    for name in reversed(
        [n for n in walk(node) if n.kind() in ("identifier", "shorthand_property_identifier")]
    ):
        declared = local_value(channel, name.text())
        if declared is None:
            if is_parameter(channel, name.text()):
                return None
            continue
        value = outside(channel, declared)
        if value is None:
            return None
        text = text[: start_of(name) - offset] + value + text[end_of(name) - offset :]
    return " ".join(text.split())


def local_value(channel: Channel, name: str) -> SgNode | None:
    """The value of a constant that the connect function itself declares."""
    for declarator in channel.connect.node.find_all(kind="variable_declarator"):
        target, value = declarator.field("name"), declarator.field("value")
        if target is None or value is None or target.text() != name:
            continue
        if same(enclosing_function(declarator), channel.connect.node) and within(
            declarator, channel.connect.node
        ):
            return value
    return None


def is_parameter(channel: Channel, name: str) -> bool:
    return name in channel.connect.parameter_names
