"""Where the module of held files lies, and how each of them imports it.

One module for the files of a package that are loaded alike. It never lies in a folder whose
files the host imports or lists: there it would be taken for a plugin or an account.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from modify.baileys.search.folders import place_for
from modify.kit.typescript.packages import module_system
from modify.kit.typescript.source import Source
from modify.kit.typescript.style import is_es_package
from modify.nanoclaw.channel_assets import module_owner
from skill.host import Host
from skill.options import Options
from skill.render import typescript
from skill.render.style import ModuleSystem, Style
from skill.source_paths import SCRIPTS, SKILL_ASSET, SKILL_ASSETS, TYPED

STEM = "whatsapp-reconnect"
Family = Literal["ts", "mts", "cts", "esm", "commonjs"]
# Folders of many files of one kind: bots load all that lies in them.
LOADED = re.compile(
    r"^(plugins?|commands?|cmds?|handlers?|events?|sessions?|features|modules|routes|jobs)$", re.I
)


@dataclass(frozen=True)
class Home:
    """A module: its path, and the style of what it is written in."""

    path: str
    modules: ModuleSystem


def homes(
    host: Host, sources: Iterable[Source], options: Options, taken: Iterable[str] = ()
) -> dict[str, Home]:
    """The module of each file. taken: modules that rewritten channels get anyway."""
    groups: dict[tuple[str, Family], list[Source]] = {}
    for source in sources:
        groups.setdefault((package_of(host, source.path), family(host, source)), []).append(source)
    found: dict[str, Home] = {}
    for (package, kind), members in groups.items():
        both = (
            kind in ("esm", "commonjs")
            and len({k for p, k in groups if p == package} & {"esm", "commonjs"}) > 1
        )
        name = STEM + ending(host, kind, members, both)
        path = known_module(host, package, name, taken)
        if path is None:
            path = posixpath.join(folder_for(host, members, options), name)
        for source in members:
            found[source.path] = Home(path, "commonjs" if kind == "commonjs" else "esm")
    return found


def family(host: Host, source: Source) -> Family:
    suffix = posixpath.splitext(source.path)[1]
    if suffix in (".ts", ".tsx"):
        return "ts"
    if suffix in (".mts", ".cts"):
        return "mts" if suffix == ".mts" else "cts"
    return module_system(host, source)


def ending(host: Host, kind: Family, members: list[Source], both: bool) -> str:
    """both: the package's JavaScript is written in both module systems."""
    if kind in ("ts", "mts", "cts"):
        return f".{kind}"
    plain = any(source.path.endswith((".js", ".jsx")) for source in members)
    own = ".mjs" if kind == "esm" else ".cjs"
    if not plain:
        return own
    fits = is_es_package(host, members[0].path) == (kind == "esm")
    return ".js" if fits or not both else own


def package_of(host: Host, path: str) -> str:
    """The folder of the package, or of the skill, that a file belongs to."""
    asset = SKILL_ASSET.match(path)
    if asset is not None:
        return path  # placed by its own path
    folder = posixpath.dirname(path)
    while folder and not host.exists(posixpath.join(folder, "package.json")):
        folder = posixpath.dirname(folder)
    return folder


def known_module(host: Host, package: str, name: str, taken: Iterable[str]) -> str | None:
    """A module of that name in the package: a rewritten channel's, or one that lies there."""
    for path in taken:
        if posixpath.basename(path) == name and package_of(host, path) == package:
            return path
    for file in host.with_suffix(*SCRIPTS):
        if posixpath.basename(file.path) != name or package_of(host, file.path) != package:
            continue
        if typescript.module_identity(host.read(file.path).decode("utf-8", "replace")) is not None:
            return file.path
    return None


def folder_for(host: Host, members: list[Source], options: Options) -> str:
    """The nearest folder around all the files whose files nothing of the host imports."""
    owners = [posixpath.dirname(module_owner(host, each.path, options)) for each in members]
    tops = {owner.partition("/")[0] for owner in owners}
    if len(tops) > 1 and "" not in tops:
        # Above them lies what no compiler of one of them may reach.
        top = "src" if "src" in tops else min(tops)
        owners = [owner for owner in owners if owner.partition("/")[0] == top]
    folder = common(owners)
    if members[0].path.startswith(SKILL_ASSETS):
        return folder
    while LOADED.match(posixpath.basename(folder)):
        if is_top(host, folder) and members[0].path.endswith(TYPED):
            break  # outside of what its compiler reads
        folder = posixpath.dirname(folder)
    return place_for(host, folder)


def is_top(host: Host, folder: str) -> bool:
    """Whether a folder lies directly in that of its package."""
    return posixpath.dirname(folder) == package_of(host, posixpath.join(folder, "_"))


def common(folders: list[str]) -> str:
    split = [folder.split("/") if folder else [] for folder in folders]
    shared = []
    for parts in zip(*split, strict=False):
        if len(set(parts)) > 1:
            break
        shared.append(parts[0])
    return "/".join(shared)


def specifier(path: str, home: Home, style: Style) -> str:
    """How a file imports its module."""
    folder = posixpath.dirname(path) or "."
    module = posixpath.relpath(home.path, folder)
    if not module.startswith("."):
        module = f"./{module}"
    return imported_as(*posixpath.splitext(module), style)


def imported_as(stem: str, ending: str, style: Style) -> str:
    """The path of a module as an import in this style has it."""
    if ending == ".ts":
        return stem + style.import_extension
    if ending == ".js" and style.modules == "commonjs" and not style.import_extension:
        return stem
    return stem + {".mts": ".mjs", ".cts": ".cjs"}.get(ending, ending)
