"""The modules that a host's channels gain, each with its test where the host has vitest."""

from __future__ import annotations

import posixpath
import re
from dataclasses import replace
from typing import TYPE_CHECKING

from modify.baileys.wiring import wirings_of
from modify.kit.typescript.packages import dependencies, packages_around
from modify.kit.typescript.style import detect_style
from modify.nanoclaw.channel_assets import list_added
from modify.rules import ids
from skill import __version__
from skill.edit import Addition, Patch
from skill.host import Host
from skill.render.style import Style
from skill.render.typescript import render_channel_module, render_channel_test

if TYPE_CHECKING:
    from modify.baileys.hold.module_home import Home
    from modify.baileys.patching import Rewritten
    from skill.render.typescript import Kind, Wiring


def add_modules(
    host: Host, rewritten: list[Rewritten], held: dict[str, Home], patch: Patch
) -> None:
    """Add to the patch the modules that the channels call, and their tests.

    held: the module of each file whose dial is held, by the file's path.
    """
    uses = {made.module: made.style for made in rewritten}
    calls: dict[str, set[Kind]] = {made.module: {"loop"} for made in rewritten}
    callers: dict[str, set[str]] = {}
    for made in rewritten:
        callers.setdefault(made.module, set()).add(made.source.path)
    for path, home in held.items():
        uses.setdefault(home.path, style_of(host, path, home))
        calls.setdefault(home.path, set()).add("held")
        callers.setdefault(home.path, set()).add(path)
    for module, style in uses.items():
        kinds = calls[module] | kinds_there(host, module)
        wirings = wirings_of(host, module, callers[module], patch)
        add_module(host, module, style, kinds, wirings, patch)


def style_of(host: Host, path: str, home: Home) -> Style:
    style = detect_style(host, path, host.read(path).decode("utf-8", "replace"))
    return replace(style, modules=home.modules)


def kinds_there(host: Host, module: str) -> set[Kind]:
    """The kinds of use that the module already in place supports."""
    text = host.read(module).decode("utf-8", "replace") if host.exists(module) else ""
    found: set[Kind] = set()
    if re.search(r"^(export )?class Reconnect\b", text, re.M):
        found.add("loop")
    if re.search(r"^(export )?function socket\b", text, re.M):
        found.add("held")
    return found


def add_module(
    host: Host,
    module: str,
    style: Style,
    kinds: set[Kind],
    wirings: tuple[Wiring, ...],
    patch: Patch,
) -> None:
    rules = (ids.UNGATED_CONNECT,)
    stem, ending = posixpath.splitext(module)
    kind: Kind = "both" if len(kinds) > 1 else next(iter(kinds))
    text = render_channel_module(style, __version__, ending, kind=kind)
    patch.additions[module] = Addition(module, text.encode(), rules)
    added = [module]
    if ("loop" in kinds or wirings) and has_vitest(host, module):
        test = f"{stem}.test{test_ending(ending, style)}"
        name = posixpath.basename(stem)
        text = render_channel_test(style, __version__, name, ending, wirings, kind)
        patch.additions[test] = Addition(test, text.encode(), rules)
        added.append(test)
    list_added(host, added, patch)


def test_ending(ending: str, style: Style) -> str:
    """Of the module's test: vitest can only be imported, so a CommonJS module's is an ES module."""
    if ending in (".js", ".cjs") and style.modules == "commonjs":
        return ".mjs"
    return {".cts": ".mts"}.get(ending, ending)


def has_vitest(host: Host, path: str) -> bool:
    """Whether a package.json around ``path`` brings vitest: the package's or the workspace's."""
    return any("vitest" in dependencies(package) for package in packages_around(host, path))
