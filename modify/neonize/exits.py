"""Exits with an error in handlers of a neonize client: of ``LoggedOutEv``, and of QR codes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import libcst as cst

from modify.kit.python.source import Source, all_of, called, dotted
from modify.neonize.client import Client, bare, handler_named
from skill.edit import Edit

QR = "qr"
EXITS = ("os._exit", "sys.exit", "exit", "quit")
COMMENT = b"  # 0, so that no supervisor starts it again"


@dataclass(frozen=True)
class FailingExit:
    """is_for_qr: it stands in the handler of QR codes, else in the one of ``LoggedOutEv``."""

    source: Source
    is_for_qr: bool
    call: cst.Call
    argument: cst.Integer

    @property
    def status(self) -> str:
        return self.argument.value

    def edits(self, rule: str) -> list[Edit]:
        """Status 0, and why, where the line ends with the call."""
        found = [self.source.replace(self.argument, "0", rule)]
        end = self.source.end(self.call)
        if self.source.line_end(end) == end:
            found.append(Edit(end, end, COMMENT, rule))
        return found


def failing_exits(client: Client) -> Iterator[FailingExit]:
    """Calls that end the process with an error where nothing helps but to link the bot anew."""
    for item in client.handlers("LoggedOutEv"):
        if item.handler is not None:
            yield from _in_handler(item.home or client.source, item.handler, False)
    for handler in _qr_handlers(client):
        yield from _in_handler(client.source, handler, True)


def _in_handler(source: Source, handler: cst.FunctionDef, is_for_qr: bool) -> Iterator[FailingExit]:
    for call in all_of(handler, cst.Call, functions=True):
        if called(call) in EXITS and len(call.args) == 1:
            status = call.args[0].value
            if isinstance(status, cst.Integer) and status.evaluated_value != 0:
                yield FailingExit(source, is_for_qr, call, status)


def _qr_handlers(client: Client) -> Iterator[cst.FunctionDef]:
    """Of ``@client.qr``, ``@client.event.qr`` in older versions, and ``client.qr(function)``."""
    source = client.source
    for function in all_of(source.module, cst.FunctionDef, functions=True):
        if any(_is_qr(client, decorator.decorator) for decorator in function.decorators):
            yield function
    for call in all_of(source.module, cst.Call, functions=True):
        if _is_qr(client, call.func) and call.args:
            handler = handler_named(source, call, call.args[0].value)
            if handler is not None:
                yield handler


def _is_qr(client: Client, node: cst.BaseExpression) -> bool:
    base, _, name = dotted(node).rpartition(".")
    return name == QR and bare(base.removesuffix(".event")) == bare(client.name)
