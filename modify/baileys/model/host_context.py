"""The surroundings that the parts of a rewrite need: names, folder, logger, pairing."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from modify.baileys.model.channel import LOGGER, Channel
from modify.baileys.model.startup import resolve_import
from modify.kit.typescript.functions import first_parameter, resolve
from modify.kit.typescript.source import (
    FUNCTION_KINDS,
    arguments_of,
    callee_of,
    calls,
    enclosing_function,
    end_of,
    name_nodes,
    nodes_of,
    same,
    start_of,
    walk,
    within,
)
from skill.host import Host

if TYPE_CHECKING:
    from ast_grep_py import SgNode

AUTH_STATE = re.compile(r"(^|\.)use\w*AuthState\w*$|\.authState$")
# Also where the dial is held already: reconnect.authState(useMultiFileAuthState, folder)
KEPT_IN_FOLDER = re.compile(r"(^|\.)use\w*File\w*AuthState$|\.authState$")
NAMED = ("identifier", "property_identifier", "shorthand_property_identifier")
# Kinds of node that may lie between a name and its declaration.
DECLARING = frozenset(
    [
        "required_parameter",
        "optional_parameter",
        "object_pattern",
        "array_pattern",
        "pair_pattern",
        "object_assignment_pattern",
        "assignment_pattern",
        "rest_pattern",
    ]
)


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
    return (
        not any(
            (target := declarator.field("name")) is not None and target.text() == root
            for place in inner
            for declarator in nodes_of(place, "variable_declarator")
        )
        and root not in channel.connect.parameter_names
    )


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
    """Whether this process can link the bot: it shows the QR code, or asks for a pairing code.

    A listener in another place may show it: to a bot that is linked it makes no difference.
    """
    if channel.apart or channel.paired_elsewhere:
        return True
    if channel.factory is not None and channel.factory.pairs:
        return True
    if channel.uses(r"\brequestPairingCode\s*\(") or channel.uses(r"printQRInTerminal\s*:\s*true"):
        return True
    return shows_qr(channel) or gives_update_away(channel)


def shows_qr(channel: Channel) -> bool:
    """Whether the handler does anything with the code but look whether there is one."""
    names = {name.rpartition(".")[2] for name in channel.aliases["qr"]}
    bodies = [b for each in channel.qr_branches if (b := each.field("consequence")) is not None]
    for node in walk(channel.logic):
        if node.text() not in names or node.kind() not in NAMED:
            continue
        if any(within(node, body) for body in bodies) or is_used_up(node):
            return True
    return False


def is_used_up(name: SgNode) -> bool:
    """Whether a value escapes: is used beyond conditions, log lines and aliases."""
    node = name
    for outer in name.ancestors():
        kind = outer.kind()
        if kind == "member_expression" and same(outer.field("property"), node):
            node = outer
            continue
        if kind == "ternary_expression" and same(outer.field("condition"), node):
            return False
        if kind in ("if_statement", "unary_expression", "variable_declarator", "pair_pattern"):
            return False
        if kind == "binary_expression":
            operator = outer.field("operator")
            if operator is None or operator.text() not in ("&&", "||", "??"):
                return False
        elif kind not in ("parenthesized_expression", "ternary_expression", "non_null_expression"):
            return kind != "expression_statement" and not is_logged(outer)
        node = outer
    return False


def is_logged(node: SgNode) -> bool:
    return any(
        each.kind() == "call_expression" and LOGGER.search(callee_of(each)) is not None
        for each in (node, *node.ancestors())
    )


def gives_update_away(channel: Channel) -> bool:
    """Whether the handler hands the whole update on, to code that may show the code in it."""
    for handler in (channel.handler, channel.logic):
        first = first_parameter(handler) if handler.kind() in FUNCTION_KINDS else None
        given = {first.text()} if first is not None and first.kind() == "identifier" else set()
        if same(handler, channel.logic):
            given |= channel.update_texts
        for call in calls(handler):
            if LOGGER.search(callee_of(call)) or callee_of(call).endswith(".observe"):
                continue
            if is_logged(call) or not any(a.text() in given for a in arguments_of(call)):
                continue
            function = call.field("function")
            target = resolve(function, channel.source.root) if function is not None else None
            if target is None or (
                not same(target, channel.logic) and re.search(r"\bqr\b", target.text(), re.I)
            ):
                return True
    return False


def auth_folder(channel: Channel) -> str | None:
    """The expression for the credentials folder, as it can be written before the connect function.

    None where it depends on what only one call knows (an account's id): one gate for
    several accounts would be wrong. None, too, where credentials lie in no folder.
    """
    call = auth_call(channel)
    if call is None:
        return channel.factory.folder if channel.factory is not None else None
    if not KEPT_IN_FOLDER.search(callee_of(call)):
        return None
    folder = folder_given(call)
    return outside(channel, call, folder) if folder is not None else None


def folder_given(call: SgNode) -> SgNode | None:
    """The folder among the arguments of what loads credentials: the first, or behind the loader."""
    given = arguments_of(call)[1 if callee_of(call).endswith(".authState") else 0 :]
    return given[0] if given else None


def why_no_folder(channel: Channel) -> str:
    call = auth_call(channel)
    if call is None:
        return "where its credentials lie was not found"
    if not KEPT_IN_FOLDER.search(callee_of(call)):
        return f"its credentials lie in no folder ({callee_of(call)})"
    folder, around = folder_given(call), callbacks_around(channel)
    names = {node.text() for node in name_nodes(folder)} if folder is not None else set()
    if any(next(declarations(around, name), None) is not None for name in names):
        return "each call of the function around it may be for another account"
    return "the credentials folder is known only inside the connect function"


def callbacks_around(channel: Channel) -> list[SgNode]:
    functions = (o for o in channel.connect.node.ancestors() if o.kind() in FUNCTION_KINDS)
    return [function for function in functions if is_callback(function)]


def auth_call(channel: Channel) -> SgNode | None:
    """Where the credentials are loaded: in the connect function, around it, or once in the file."""
    found = [call for call in calls(channel.source.root) if AUTH_STATE.search(callee_of(call))]
    within_connect = [call for call in found if within(call, channel.connect.node)]
    if within_connect:
        return within_connect[0]
    around = [
        call
        for call in found
        if (function := enclosing_function(call)) is None or within(channel.connect.node, function)
    ]
    if around:
        return around[-1]
    return found[0] if len({call.text() for call in found}) == 1 else None


def outside(channel: Channel, call: SgNode, node: SgNode) -> str | None:
    """The text of an expression with the constants of the functions around ``call`` written out.

    Functions that are around the connect function, too, keep theirs: it sees them as well. Not
    so callbacks, such as the handler of a request: each call of one may be for an account.
    """
    hidden = [
        function
        for function in call.ancestors()
        if function.kind() in FUNCTION_KINDS
        and (
            same(function, channel.connect.node)
            or not within(channel.connect.node, function)
            or is_callback(function)
        )
    ]
    text = node.text()
    offset = start_of(node)
    if any(n.kind() == "await_expression" for n in walk(node)):
        return None
    for name in reversed(
        [n for n in walk(node) if n.kind() in ("identifier", "shorthand_property_identifier")]
    ):
        declared = next((d for d in declarations(hidden, name.text())), None)
        if declared is None:
            continue
        constant = declared.parent()
        value = constant.field("value") if is_constant(declared) and constant is not None else None
        inlined = outside(channel, call, value) if value is not None else None
        if inlined is None:
            return None
        text = text[: start_of(name) - offset] + inlined + text[end_of(name) - offset :]
    return " ".join(text.split())


def is_callback(function: SgNode) -> bool:
    """``router.get('/', async (request) => { … })``: a function that something else calls."""
    around = function.parent()
    return around is not None and around.kind() == "arguments"


def declarations(functions: list[SgNode], name: str) -> Iterator[SgNode]:
    """Where functions declare a name: as a variable, in a pattern, as a parameter."""
    for function in functions:
        for node in name_nodes(function):
            if node.text() == name and is_declared(node, function):
                yield node


def is_declared(node: SgNode, function: SgNode) -> bool:
    inner = node
    for outer in node.ancestors():
        kind = outer.kind()
        if kind == "variable_declarator":
            return same(outer.field("name"), inner) and same(enclosing_function(outer), function)
        if kind in ("formal_parameters", "arrow_function"):
            return same(outer, function) or same(outer.parent(), function)
        if kind not in DECLARING:
            return False
        inner = outer
    return False


def is_constant(declared: SgNode) -> bool:
    """``const name = …``: nothing gives the name another value later."""
    declarator = declared.parent()
    statement = declarator.parent() if declarator is not None else None
    return (
        declarator is not None
        and statement is not None
        and declarator.kind() == "variable_declarator"
        and statement.text().startswith("const")
    )
