"""The eye of a link that is a ``WebSocketApp``: its ``on_open`` notifies the link first.

No line after ``run_forever()`` runs while the connection is open, so the handler reports it.
The host's handler stays as it is: the link's calls it.
"""

from __future__ import annotations

from collections.abc import Iterator

import libcst as cst

from modify.bridge.bridge_status import StatusBranch
from modify.bridge.link import LinkLoop, dotted_names, heard_by
from modify.bridge.websocket_app import App, assigned_later, given_for, handlers_of, keyword
from modify.kit.python.errors import CannotPlace
from modify.kit.python.functions import function_of, owner_of
from modify.kit.python.source import Source, block_of, called, dotted
from modify.rules import ids
from skill.edit import Edit

RULE = ids.SILENT_REDIAL
# Black's and ruff's default.
WIDTH = 88
# Calls that an on_close may repeat: logging. It may also note that the link is down.
SAYS = ("debug", "info", "warning", "warn", "error", "exception", "print", "log")


def opened_edits(link: LinkLoop, app: App, name: str) -> Iterator[Edit]:
    """``on_open=link.on_open(…)`` wherever the app may be made; name: the loop's link."""
    source = link.source
    for made in app.makings:
        given = next(iter(handlers_of(App(app.name, (made,), app.run), "on_open")), None)
        later = assigned_later(source, app, "on_open")
        if len(later) > 1:
            raise CannotPlace("on_open of the WebSocketApp is set in several places")
        place = later[0].value if later else given
        near: cst.CSTNode = later[0] if later else made
        told = f"{known_as(link, near, name)}.on_open"
        theirs = "" if place is None or is_none(place) else source.text(place)
        if later:
            yield source.replace(later[0].value, f"{told}({theirs})", RULE)
        elif place is not None:
            yield rewritten_call(source, made, place, f"{told}({theirs})")
        else:
            yield rewritten_call(source, made, None, f"on_open={told}()")


def known_as(link: LinkLoop, place: cst.CSTNode, name: str) -> str:
    """The expression for the loop's link at another place of the file."""
    source = link.source
    function = source.nearest(place, cst.FunctionDef)
    if source.is_within(place, link.loop):
        return name
    if function is not None and link.owner is not None:
        scope = function
        while owner_of(source, scope) is None:
            outer = source.nearest(scope, cst.FunctionDef)
            if outer is None:
                break
            scope = outer
        if owner_of(source, scope) is link.owner and scope.params.params:
            return f"link_of({scope.params.params[0].name.value})"
    if function is link.function:
        return name
    raise CannotPlace("the WebSocketApp is made where the loop's link is not known")


def made_before(link: LinkLoop) -> cst.BaseStatement | None:
    """The statement of the loop's own function that makes the app, before the loop."""
    source = link.source
    if link.app is None or link.me:
        return None
    for made in link.app.makings:
        if source.nearest(made, cst.FunctionDef) is not link.function:
            continue
        if source.is_within(made, link.loop):
            continue
        statement = source.statement(made)
        if source.parent(statement or made) is not source.parent(link.loop):
            raise CannotPlace("the WebSocketApp is made in another block than the loop")
        return statement
    return None


def closed_by(link: LinkLoop, status: StatusBranch) -> str:
    """The app's name where the bridge's status arrives; closing it ends run_forever()."""
    assert link.app is not None
    first, _, rest = link.app.name.partition(".")
    if rest and first == link.me:
        return f"{status.me}.{rest}"
    heard_in = link.source.nearest(status.branch, cst.FunctionDef)
    for function in heard_by(link.source, link.app, link.function, "on_message"):
        if function is heard_in:
            return function.params.params[1].name.value
    return ""


def rewritten_call(source: Source, call: cst.Call, value: cst.CSTNode | None, new: str) -> Edit:
    """One argument of a call changed, or (no value) added at its end.

    A call on one line that would become too long gets a line for each argument, as black does.
    """
    if value is None:
        if not call.args:
            raise CannotPlace("the WebSocketApp is made without an address")
        if any(item.star == "**" for item in call.args):
            raise CannotPlace("the WebSocketApp takes its handlers from a dict")
        edit = added(source, call, new)
    else:
        edit = source.replace(value, new, RULE)
    start, end = source.span(call)
    grown = len(edit.text) - (edit.end - edit.start)
    length = source.line_end(end) - source.line_start(start) + grown
    if b"\n" in source.content[start:end] or length <= WIDTH:
        return edit
    texts = [new if item.value is value else source.text(item.value) for item in call.args]
    parts = [
        item.star + (f"{item.keyword.value}=" if item.keyword else "") + text
        for item, text in zip(call.args, texts, strict=True)
    ]
    parts += [new] if value is None else []
    indent = source.indent(source.statement(call) or call)
    lines = "\n".join(["(", *(f"    {part}," for part in parts), ")"])
    text = source.newline.join(source.lines(indent, lines))
    return Edit(source.end(call.func), end, text.removeprefix(indent), RULE)


def added(source: Source, call: cst.Call, text: str) -> Edit:
    """One more argument, on a line of its own if the last one is."""
    last = call.args[-1]
    end = source.end(last.value)
    first = source.start(last.keyword or last.value)
    line = source.content[source.line_start(first) : first]
    if line.strip() or source.line(last.value) == source.line(call.func):
        return Edit(end, end, f", {text}".encode(), RULE)
    indented = source.newline + line + text.encode()
    if not isinstance(last.comma, cst.Comma):
        return Edit(end, end, b"," + indented, RULE)
    place = source.line_end(source.content.index(b",", end) + 1)
    return Edit(place, place, indented + b",", RULE)


def is_none(node: cst.BaseExpression) -> bool:
    return isinstance(node, cst.Name) and node.value == "None"


# --- reconnect=5 ------------------------------------------------------------------------


def without_reconnect(link: LinkLoop, app: App) -> Edit | None:
    """``reconnect=5`` taken away, so that each end comes back to the loop and its wait."""
    if not app.redials_itself:
        return None
    flags = dotted_names(link.condition) if link.condition is not None else set()
    reason = why_not_by_us(link.source, app, link.function, flags)
    if reason:
        raise CannotPlace(reason)
    source, run = link.source, app.run
    index = next(
        number
        for number, item in enumerate(run.args)
        if item.keyword is not None and item.keyword.value == "reconnect"
    )
    begin, end = source.span(run.args[index])
    if index + 1 < len(run.args):
        end = source.start(run.args[index + 1])
    elif index:
        begin = source.end(run.args[index - 1].value)
        end = source.end(run.args[index].value)
    return Edit(begin, end, b"", ids.FLAT_RETRY)


def why_not_by_us(source: Source, app: App, function: cst.FunctionDef, flags: set[str]) -> str:
    """Why the library's own redial must stay, as the host would get other events; "" if it may go.

    flags: names in the loop's condition, which a lost connection must not change.
    """
    given = keyword(app.run, "dispatcher")
    if given is not None and not is_none(given):
        return "the dispatcher reconnects by itself after a flat time, and has no place for a gate"
    if list(handlers_of(app, "on_reconnect")) or assigned_later(source, app, "on_reconnect"):
        return "run_forever(reconnect=…) calls on_reconnect, which a loop of the host's would not"
    for handler in given_for(source, app, "on_close"):
        if is_none(handler):
            continue
        body = function_of(source, function, dotted(handler))
        if body is None or not only_says(body, flags):
            return "on_close would be called after each loss, and does more than to say so"
    return ""


def only_says(function: cst.FunctionDef, flags: set[str]) -> bool:
    """Logs, and ``self.connected = False`` or ``self.ws = None``."""
    block = block_of(function)
    if block is None:
        return False
    for statement in block:
        if not isinstance(statement, cst.SimpleStatementLine):
            return False
        for small in statement.body:
            if isinstance(small, cst.Expr):
                name = called(small.value).rpartition(".")[2]
                if name not in SAYS and not isinstance(small.value, cst.SimpleString):
                    return False
            elif isinstance(small, cst.Assign):
                if not isinstance(small.value, cst.Name):
                    return False
                if small.value.value not in ("None", "False"):
                    return False
                if any(dotted(target.target) in flags for target in small.targets):
                    return False
            elif not isinstance(small, (cst.Pass, cst.Global)):
                return False
    return True
