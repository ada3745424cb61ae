"""How the host's program starts its channel: alone, or beside others that must live on.

A process that exists for WhatsApp alone ends with exit 0 when its session was revoked.
Where other channels share the process, that is decided at run time: *registered* does
not mean *connected*, since factories return null without credentials. So the host's
main hands the channel a question it can ask (``otherChannelConnected``).
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from modify.baileys.model.channel import Channel
from modify.kit.typescript.layout import Layout
from modify.kit.typescript.source import (
    Source,
    arguments_of,
    calls,
    enclosing,
    end_of,
    line_of,
    nodes_of,
    start_of,
    statements,
    walk,
)
from modify.kit.typescript.style import detect_style
from modify.rules import ids
from skill.edit import Edit
from skill.host import Host
from skill.source_paths import SCRIPTS, SKILL_ASSET, is_among_tests

if TYPE_CHECKING:
    from ast_grep_py import SgNode

QUESTION = "otherChannelConnected"
QUESTION_COMMENT = "Whether another channel is connected, so that the process must live on."
# ``channels.push(channel); await channel.connect()``: the list and what is kept in it
KEPT_AND_CONNECTED = re.compile(
    r"\b(?P<list>\w+)\.push\((?P<kept>\w+)\)[\s\S]{0,400}?\b(?P=kept)!?\.connect\(\)"
)
CONNECTED_AND_KEPT = re.compile(
    r"\b(?P<kept>\w+)!?\.connect\(\)[\s\S]{0,400}?\b(?P<list>\w+)\.push\((?P=kept)\)"
)
OTHER_NETWORK = re.compile(
    r"/[\w-]*(telegram|discord|slack|signal|matrix|imessage|teams|webex|line|feishu)[\w-]*(\.\w+)?['\"]$",
    re.IGNORECASE,
)
STARTS = re.compile(r"(connect|start|launch|run|init)\w*")


@dataclass
class Boot:
    """shared: other channels may be connected in the process.

    question: the expression by which the channel asks for them, or None when the host's
    main could not be read; edits: what main and the options' types gain for it, by path.
    """

    shared: bool = False
    question: str | None = None
    edits: dict[str, list[Edit]] = field(default_factory=dict)
    reason: str = ""


def read_boot(host: Host, channel: Channel) -> Boot:
    """Find who makes the channel object. Reads host files, runs nothing."""
    if channel.class_node is None:
        return module_boot(channel)
    name = channel.class_node.field("name")
    if name is None:
        return Boot()
    makers = list(constructions(host, channel, name.text()))
    registered = [maker for maker in makers if maker.registered]
    if registered:
        return shared_boot(host, channel, registered[0])
    for maker in makers:
        if maker.has_siblings:
            return shared_boot(host, channel, maker)
    return Boot()


def module_boot(channel: Channel) -> Boot:
    """A program of plain functions: does it also start a channel of another network?"""
    if channel.scope != "module":
        return Boot()
    for statement in nodes_of(channel.source.root, "import_statement"):
        module = statement.field("source")
        if module is None or not OTHER_NETWORK.search(module.text()):
            continue
        for name in nodes_of(statement, "import_specifier"):
            called = re.search(rf"\b{re.escape(name.text())}\s*\(", channel.source.text)
            if STARTS.match(name.text()) and called:
                return Boot(reason=f"{name.text()}() runs in the same process")
    return Boot()


@dataclass(frozen=True)
class Maker:
    """One ``new Channel(options)``. registered: inside a factory given to a registry."""

    source: Source
    node: SgNode
    registered: bool

    @property
    def has_siblings(self) -> bool:
        """Whether the same program also makes and connects objects of other classes."""
        own = self.node.field("constructor")
        own_name = own.text() if own is not None else ""
        for other in nodes_of(self.source.root, "new_expression"):
            constructor = other.field("constructor")
            if constructor is None or constructor.text() == own_name:
                continue
            target = assigned_name(other)
            if target and re.search(rf"\b{re.escape(target)}!?\.connect\(", self.source.text):
                return True
        return False


def constructions(host: Host, channel: Channel, name: str) -> Iterator[Maker]:
    needle = f"new {name}(".encode()
    own = asset_root(channel.source.path)
    for file in host.with_suffix(*SCRIPTS):
        if is_among_tests(file.path) or asset_root(file.path) not in ("", own):
            continue
        if needle not in host.read(file.path):
            continue
        if (source := Source.readable(host, file.path)) is None:
            continue
        for node in nodes_of(source.root, "new_expression"):
            constructor = node.field("constructor")
            if constructor is not None and constructor.text() == name:
                yield Maker(source, node, is_registered(node))


def is_registered(node: SgNode) -> bool:
    """Whether the object is made inside a function that is passed to ``register…(…)``."""
    function = enclosing(node, {"arrow_function", "function_expression"})
    call = enclosing(function, {"call_expression"}) if function is not None else None
    if call is None:
        return False
    callee = call.field("function")
    return callee is not None and re.search(r"register", callee.text(), re.IGNORECASE) is not None


def assigned_name(node: SgNode) -> str:
    """``x`` where a node is the value of ``const x = node`` or ``x = node``."""
    targets = {"variable_declarator": "name", "assignment_expression": "left"}
    parent = node.parent()
    if parent is None or parent.kind() not in targets:
        return ""
    target = parent.field(targets[parent.kind()])
    return target.text() if target is not None else ""


# --- the question ----------------------------------------------------------------------


def shared_boot(host: Host, channel: Channel, maker: Maker) -> Boot:
    boot = Boot(shared=True)
    stored = stored_options(channel)
    own_name = channel_name(channel)
    if stored is None or own_name is None:
        boot.reason = "the channel keeps no options object and name of its own"
        return boot
    options_field, type_name = stored
    main = maker.source if not maker.registered else find_main(host, channel)
    found = options_literal(main, maker) if main is not None else None
    if main is None or found is None:
        boot.reason = "the program that connects the channels was not recognised"
        return boot
    literal, channels = found
    if not can_be_asked(host, main, channels):
        boot.reason = "the list of channels cannot be asked which ones are connected"
        return boot
    boot.question = f"this.{options_field}.{QUESTION}"
    if QUESTION not in literal.text():
        layout = Layout(detect_style(host, main.path, main.text))
        boot.edits.setdefault(main.path, []).append(
            property_edit(main, literal, channels, own_name, layout)
        )
    types = {type_name}
    if maker.registered and (factory := factory_type(maker)):
        types.add(factory)
    for name in sorted(types):
        declared = find_interface(host, channel.source, name)
        if declared is None and name == type_name:
            boot.question, boot.edits = None, {}
            boot.reason = f"the type {name} of the channel's options was not found"
            return boot
        if declared is not None:
            source, body = declared
            if QUESTION not in body.text():
                layout = Layout(detect_style(host, source.path, source.text))
                boot.edits.setdefault(source.path, []).append(member_edit(source, body, layout))
    return boot


def stored_options(channel: Channel) -> tuple[str, str] | None:
    """(field, type) under which the class keeps its constructor's options."""
    assert channel.class_node is not None
    for method in nodes_of(channel.class_node, "method_definition"):
        name, parameters = method.field("name"), method.field("parameters")
        if name is None or name.text() != "constructor" or parameters is None:
            continue
        found = re.match(
            r"\(\s*((?:private|public|protected|readonly)\s+)*(\w+)\s*:\s*(\w+)", parameters.text()
        )
        if not found:
            return None
        if found.group(1):
            return found.group(2), found.group(3)
        kept = re.search(rf"this\.(\w+)\s*=\s*{found.group(2)}\b\s*[;\n]", method.text())
        return (kept.group(1), found.group(3)) if kept else None
    return None


def channel_name(channel: Channel) -> str | None:
    """The value of the class's ``name`` field, quotes left off."""
    assert channel.class_node is not None
    found = re.search(
        r"^\s*(?:readonly |public )*name(?:\s*:\s*\w+)?\s*=\s*['\"](\w+)['\"]",
        channel.class_node.text(),
        re.M,
    )
    return found.group(1) if found else None


def find_main(host: Host, channel: Channel) -> Source | None:
    """The program that takes channels from the registry, keeps them in a list and connects them."""
    for file in host.with_suffix(*SCRIPTS):
        if is_among_tests(file.path) or asset_root(file.path):
            continue
        content = host.read(file.path)
        if b".push(" in content and b".connect()" in content:
            text = content.decode("utf-8", "replace")
            if kept_channels(text):
                return Source.readable(host, file.path)
    return None


def options_literal(main: Source, maker: Maker) -> tuple[SgNode, str] | None:
    """The object literal that the channels are made with, and the list they are kept in."""
    pushed = kept_channels(main.text)
    if not pushed:
        return None
    given = next(iter(arguments_of(maker.node)), None)
    if maker.registered:
        given = None
        for declarator in nodes_of(main.root, "variable_declarator"):
            target, value = declarator.field("name"), declarator.field("value")
            if target is None or value is None or start_of(declarator) > pushed.start():
                continue
            made = [a for call in calls(value) for a in arguments_of(call)]
            if target.text() == pushed["kept"] and made:
                # the outermost call comes first: factory(name)(options)
                outer = arguments_of(calls(value)[0])
                given = outer[0] if outer else None
    if given is None or given.kind() == "object":
        return (given, pushed["list"]) if given is not None else None
    for declarator in nodes_of(main.root, "variable_declarator"):
        target, value = declarator.field("name"), declarator.field("value")
        if target is None or value is None or target.text() != given.text():
            continue
        if value.kind() == "object":
            return value, pushed["list"]
    return None


def kept_channels(text: str) -> re.Match[str] | None:
    """Where a program keeps each channel in a list and connects it, in either order."""
    return KEPT_AND_CONNECTED.search(text) or CONNECTED_AND_KEPT.search(text)


def can_be_asked(host: Host, main: Source, channels: str) -> bool:
    """Whether the type of the list's items declares ``name`` and ``isConnected``."""
    typed = re.search(rf"\b{re.escape(channels)}\s*:\s*(?:Array<)?(\w+)", main.text)
    declared = find_interface(host, main, typed.group(1)) if typed else None
    if declared is None:
        return False
    body = declared[1].text()
    return bool(re.search(r"\bisConnected\s*[(:]", body) and re.search(r"\bname\s*:", body))


def property_edit(main: Source, literal: SgNode, channels: str, own: str, layout: Layout) -> Edit:
    entries = statements(literal)
    step = layout.style.indent
    alone = not entries or line_of(entries[-1]) == line_of(literal)
    indent = (
        main.indent_at(start_of(literal)) + step if alone else main.indent_at(start_of(entries[-1]))
    )
    each = layout.arrow("ch")
    test = f"{channels}.some({each} ch.name !== {layout.quoted(own)} && ch.isConnected())"
    line = f"{QUESTION}: () => {test}"
    if not layout.fits(indent, line + ","):
        line = f"{QUESTION}: () =>\n{indent}{step}{test}"
    if alone:  # { onText } on one line: an entry a line from now on
        lines = [*(entry.text() for entry in entries), line]
        inner = "".join(f"{indent}{each_line},\n" for each_line in lines)
        inner = inner if layout.comma else inner[:-2] + "\n"
        text = f"{{\n{inner}{main.indent_at(start_of(literal))}}}"
        return main.edit(start_of(literal), end_of(literal), text, ids.AUTH_FAILURE_EXIT)
    last = entries[-1]
    comma = re.match(r"\s*,", main.text[end_of(last) :])
    place = end_of(last) + (comma.end() if comma else 0)
    text = f"\n{indent}{line}," if comma else f",\n{indent}{line}"
    return main.edit(place, place, text, ids.AUTH_FAILURE_EXIT)


def find_interface(host: Host, user: Source, name: str) -> tuple[Source, SgNode] | None:
    """Where an interface is declared: the file that uses it, or the one it is imported from."""
    found = interface_body(user, name)
    if found is not None:
        return user, found
    imported = re.search(
        rf"import\s+(?:type\s+)?\{{[^}}]*\b{name}\b[^}}]*\}}\s*from\s*['\"](\.[^'\"]+)['\"]",
        user.text,
    )
    if not imported:
        return None
    path = resolve_import(host, user.path, imported.group(1))
    if path is None or (source := Source.readable(host, path)) is None:
        return None
    body = interface_body(source, name)
    return (source, body) if body is not None else None


def interface_body(source: Source, name: str) -> SgNode | None:
    for node in nodes_of(source.root, "interface_declaration"):
        declared = node.field("name")
        if declared is not None and declared.text() == name:
            return node.field("body")
    return None


def member_edit(source: Source, body: SgNode, layout: Layout) -> Edit:
    members = statements(body)
    last = members[-1]
    indent = source.indent_at(start_of(last))
    following = source.text[end_of(last) :]
    mark = re.match(r"[;,]", following)
    place = end_of(last) + (1 if mark else 0)
    end = mark.group() if mark else ""
    member = f"{indent}{QUESTION}?: () => boolean{end}"
    text = f"\n{indent}/** {QUESTION_COMMENT} */\n{member}"
    return source.edit(place, place, text, ids.AUTH_FAILURE_EXIT)


def factory_type(maker: Maker) -> str | None:
    """``ChannelOpts`` of ``registerChannel('whatsapp', (opts: ChannelOpts) => new …)``."""
    function = enclosing(maker.node, {"arrow_function", "function_expression"})
    parameters = function.field("parameters") if function is not None else None
    if parameters is None:
        return None
    types = [n.text() for n in walk(parameters) if n.kind() == "type_identifier"]
    return types[0] if types else None


# --- paths in a tree and in skill assets -----------------------------------------------


def asset_root(path: str) -> str:
    """``…/.claude/skills/X/add/`` of a path in a skill's assets, else the empty string."""
    found = SKILL_ASSET.match(path)
    return f"{found['skill']}/{found['part']}/" if found else ""


def resolve_import(host: Host, path: str, module: str) -> str | None:
    """The host file that a relative import means, seen from the tree or from a skill's assets."""
    target = posixpath.normpath(posixpath.join(posixpath.dirname(path), module))
    root = asset_root(path)
    for candidate in (target, target.removeprefix(root)):
        stem, ending = posixpath.splitext(candidate)
        guesses = [candidate, *(candidate + suffix for suffix in SCRIPTS)]
        if ending in (".js", ".mjs", ".cjs", ".jsx"):
            guesses = [stem + ending.replace("js", "ts"), *guesses]
        guesses += [f"{candidate}/index{suffix}" for suffix in SCRIPTS]
        for guess in guesses:
            if host.exists(guess):
                return guess
    return None
