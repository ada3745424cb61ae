"""How the WhatsApp channel of a Python host is driven, read from its code without running it.

The same model that the codemods read (``modify.python``): the loop that dials the bot's bridge,
or the neonize client and its handlers. From there up to what the host's own start calls: the
program if the file is one, else a method such as ``start()`` of the channel's class, else the
function.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Literal

import libcst as cst

from modify.bridge.bridge_process import children
from modify.bridge.bridge_status import status_branch
from modify.bridge.link import LinkLoop, link_loops, self_pacing
from modify.bridge.other_reconnects import redials
from modify.kit.python.functions import is_async
from modify.kit.python.source import Source, all_of, called, inside, names_in
from modify.neonize.client import CONNECTS, Client, clients, looks_like, why_not_a_daemon
from modify.python.marks import marked
from skill.errors import UnreadableSource
from skill.host import Host
from skill.options import Options
from skill.storm.python.scenarios import Way

Kind = Literal["program", "class", "function"]
# What a host's manager calls, best first.
STARTS = ("start", "run", "connect", "setup", "serve", "listen", "launch", "begin", "main", "open")
STOPS = ("stop", "aclose", "close", "disconnect", "shutdown", "teardown")


@dataclass(frozen=True, slots=True)
class PythonChannel:
    """One channel and how it is driven. path: relative to the host; module: its dotted name.

    shape: ``bridge link, asyncio`` and the like, for people. name: the class or function;
    method: of the class. flags: events of the module that the loop wants set. alone: the
    process exists for this channel only, and ends with it. hears_logout: it reads what its
    bridge says about the session. cannot: why it cannot be driven; then nothing else counts.
    """

    path: str
    line: int
    way: Way
    shape: str
    module: str = ""
    root: str = ""
    kind: Kind = "class"
    name: str = ""
    method: str = ""
    is_async: bool = True
    alone: bool = False
    flags: tuple[str, ...] = ()
    stops: tuple[str, ...] = ()
    hears_logout: bool = False
    cannot: str = ""

    @property
    def label(self) -> str:
        """``WhatsAppChannel.start()``, as people name it."""
        if self.kind == "program":
            return f"python -m {self.module}" if "." in self.module else f"python {self.path}"
        return f"{self.name}.{self.method}()" if self.method else f"{self.name}()"


def discover(host: Host) -> list[PythonChannel]:
    """Every Python channel of a host, in the order of its files; no host code is run."""
    found: list[PythonChannel] = []
    for path in marked(host, Options()):
        found += _in_file(host, path, host.read(path))
    return found


def _in_file(host: Host, path: str, content: bytes) -> Iterator[PythonChannel]:
    try:
        source = Source.parse(path, content)
    except UnreadableSource as error:
        yield PythonChannel(path, error.line, "bridge", "unreadable", cannot=str(error))
        return
    links = list(link_loops(source))
    for link in links:
        yield _link(host, link)
    for redial in redials(source, links):
        if not redial.right:
            reason = f"{redial.message}; that is no loop of the host's to drive"
            yield PythonChannel(
                path, source.line(redial.place), "bridge", "link without a loop", cannot=reason
            )
    for loop in self_pacing(source):
        reason = "the library reconnects by itself: there is no loop of the host's to drive"
        yield PythonChannel(path, source.line(loop), "bridge", "self-pacing link", cannot=reason)
    daemons = [client for client in clients(source) if why_not_a_daemon(client) is None]
    if daemons:
        yield _client(host, daemons[0])
    for child in children(source):
        reason = (
            "the bridge is a child process that connects to WhatsApp itself;"
            " this file starts it, and connects to nothing"
        )
        yield PythonChannel(path, source.line(child.retry), "bridge", "bridge child", cannot=reason)


def _link(host: Host, link: LinkLoop) -> PythonChannel:
    source = link.source
    asynchronous = is_async(link.function)
    shape = f"bridge link, {'asyncio' if asynchronous else 'thread'}"
    made = _Maker(host, source, "bridge", shape, source.line(link.loop))
    hears = link.owner is not None and status_branch(link) is not None
    hears = hears or b"logged_out" in source.content
    flags = tuple(sorted(_events(source, link.test)))
    return made.channel(link.function, link.owner, flags=flags, hears_logout=hears)


def _client(host: Host, client: Client) -> PythonChannel:
    source = client.source
    shape = f"neonize, {'asyncio' if client.is_async else 'threads'}"
    made = _Maker(host, source, "neonize", shape, source.line(client.place))
    if client.scope is None:
        if has_main(source):
            return made.program()
        starter = _dialling(source, lambda name: looks_like(name, client.name))
        if starter is None:
            return made.no("nothing in this file connects the client that it makes")
        return made.channel(starter, None)
    if client.owner is None:
        leading = entry_of(functions_of(source), client.scope.name.value, names_in)
        return made.channel(functions_of(source).get(leading, client.scope), None)
    return made.channel(client.scope, client.owner)


def functions_of(source: Source) -> dict[str, cst.FunctionDef]:
    body = source.module.body
    return {item.name.value: item for item in body if isinstance(item, cst.FunctionDef)}


def _dialling(source: Source, of_client: Callable[[str], bool]) -> cst.FunctionDef | None:
    """The function of a file that calls ``client.connect()``."""
    for function in functions_of(source).values():
        for call in all_of(function, cst.Call):
            if CONNECTS.search(called(call)) and of_client(called(call)):
                return function
            if called(call) in ("dial", "dial_sync"):
                return function
    return None


class _Maker:
    """Puts a PythonChannel together for one place of one file."""

    def __init__(self, host: Host, source: Source, way: Way, shape: str, line: int) -> None:
        self.source = source
        module, root = module_of(host, source.path)
        self.given: dict[str, Any] = {
            "path": source.path,
            "line": line,
            "way": way,
            "shape": shape,
            "module": module,
            "root": root,
        }

    def no(self, reason: str) -> PythonChannel:
        return PythonChannel(**self.given, cannot=reason)

    def program(self) -> PythonChannel:
        return PythonChannel(**self.given, kind="program", alone=True)

    def channel(
        self, function: cst.FunctionDef, owner: cst.ClassDef | None, **more: Any
    ) -> PythonChannel:
        if owner is None:
            outer = self.source.nearest(function, cst.FunctionDef)
            if outer is not None:
                return self.no(f"{function.name.value}() is made inside another function")
            if has_main(self.source):
                return PythonChannel(**{**self.given, **more}, kind="program", alone=True)
            return PythonChannel(
                **{**self.given, **more},
                kind="function",
                name=function.name.value,
                is_async=function.asynchronous is not None,
                alone=function.asynchronous is None,
            )
        methods = {
            item.name.value: item for item in _body(owner) if isinstance(item, cst.FunctionDef)
        }
        name = entry_of(methods, function.name.value, _mentions)
        starter: cst.FunctionDef | None = methods[name]
        if name == "run" and any("Thread" in self.source.text(base.value) for base in owner.bases):
            name, starter = "start", None
        return PythonChannel(
            **{**self.given, **more},
            kind="class",
            name=owner.name.value,
            method=name,
            is_async=starter is not None and self.needs_loop(starter),
            stops=tuple(stop for stop in STOPS if stop in methods),
        )

    def needs_loop(self, method: cst.FunctionDef) -> bool:
        """An ``async def``, or one that makes tasks of a loop that runs."""
        text = self.source.text(method)
        return (
            method.asynchronous is not None
            or re.search(r"create_task|ensure_future|get_running_loop|get_event_loop", text)
            is not None
        )


def _body(node: cst.ClassDef) -> Iterable[cst.CSTNode]:
    return node.body.body


def entry_of(
    functions: dict[str, cst.FunctionDef],
    inner: str,
    mentions: Callable[[cst.FunctionDef], set[str]],
) -> str:
    """What a host's manager calls, among the functions that lead to ``inner``."""
    leading = {inner}
    while True:
        more = {
            name
            for name, function in functions.items()
            if name not in leading and mentions(function) & leading
        }
        if not more:
            break
        leading |= more
    for start in STARTS:
        # start() before start_bot(), both before what they call.
        for name in sorted(leading, key=len):
            if re.fullmatch(rf"_*{start}(?:_\w+)?", name):
                return name
    return inner


def _mentions(method: cst.FunctionDef) -> set[str]:
    """Names of ``self.…`` in a method, called or handed on."""
    return {
        node.attr.value
        for node in inside(method)
        if isinstance(node, cst.Attribute)
        and isinstance(node.value, cst.Name)
        and node.value.value in ("self", "cls")
    }


def _events(source: Source, test: str) -> set[str]:
    """Events of the module that a loop's test wants set: ``while running.is_set()``."""
    return {
        name
        for name in re.findall(r"(?<!not )(?<![\w.])(\w+)\.is_set\(\)", test)
        if re.search(rf"(?m)^{name}\s*(?::[^=\n]+)?=", source.module.code)
    }


def has_main(source: Source) -> bool:
    return re.search(rb"(?m)^if __name__ == [\"']__main__[\"']\s*:", source.content) is not None


def module_of(host: Host, path: str) -> tuple[str, str]:
    """The dotted name of a file, and the folder (relative) that it is imported from."""
    parts = posixpath.splitext(path)[0].split("/")
    first = len(parts) - 1
    while first and host.exists("/".join([*parts[:first], "__init__.py"])):
        first -= 1
    if parts[-1] == "__init__" and first < len(parts) - 1:
        parts = parts[:-1]
    return ".".join(parts[first:]), "/".join(parts[:first])
