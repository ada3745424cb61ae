"""What the package.json files around a source say of it: module system, dependencies."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator
from typing import Any

from modify.kit.typescript.source import Source
from skill.host import Host
from skill.package_json import package_at
from skill.render.style import ModuleSystem
from skill.source_paths import SKILL_ASSET

REQUIRE = re.compile(r"\brequire\(\s*['\"]|^module\.exports\b|^exports\.\w+ =", re.MULTILINE)


def dependencies(package: dict[str, Any]) -> set[str]:
    groups = (package.get(key) for key in ("dependencies", "devDependencies"))
    return {name for group in groups if isinstance(group, dict) for name in group}


def packages_around(host: Host, path: str) -> Iterator[dict[str, Any]]:
    """The package.json files of the folders around ``path``, nearest first, parsed.

    A skill's assets belong to the package that they are copied into: the host's own.
    """
    asset = SKILL_ASSET.match(path)
    folder = posixpath.dirname(asset["rest"] if asset is not None else path)
    while True:
        if host.exists(posixpath.join(folder, "package.json")):
            yield package_at(host, folder)
        if not folder:
            return
        folder = posixpath.dirname(folder)


def module_system(host: Host, source: Source) -> ModuleSystem:
    """How a file's modules are imported: as it does it itself, else as Node.js takes the file."""
    kinds = {child.kind() for child in source.root.children()}
    if kinds & {"import_statement", "export_statement"}:
        return "esm"
    if source.path.endswith((".mjs", ".mts")):
        return "esm"
    if source.path.endswith((".cjs", ".cts")) or REQUIRE.search(source.text):
        return "commonjs"
    nearest = next(packages_around(host, source.path), {})
    return "esm" if nearest.get("type") == "module" else "commonjs"
