"""The program that a host starts: entries, commands, Python modules."""

from __future__ import annotations

import posixpath
import re
import tomllib
from functools import cached_property
from typing import Any

from skill.host import Host
from skill.package_json import package_at, texts
from skill.source_paths import SCRIPTS

BUILT = ("dist", "build", "out", "lib")
SOURCE = ("src", "")
IMPORT = re.compile(rb"(?:from|import|require\(|import\()\s*['\"](\.{1,2}/[^'\"\n]*|\.{1,2})['\"]")
TOML_TEXT = re.compile(r"\"[^\"\n]*\"|'[^'\n]*'")
TOML_BETWEEN_KEYS = re.compile(r"[=\n,{\[]")
# Dots; tomllib takes the square of them.
LONGEST_KEY = 200
# Up to 999 characters: to look for the end of each in all of the text takes the square of it.
HOLE = re.compile(r"\$\{[^}]{0,999}\}|\$\([^)]{0,999}\)|\{\{.{0,999}?\}\}|\$\w+|\{\w+\}|@\w+@")
HOME = re.compile(r"\W*(?:os\.)?home", re.IGNORECASE)
PYTHON_IMPORT = re.compile(rb"^\s*(?:from\s+([\w.]+)\s+import|import\s+([\w.]+))", re.MULTILINE)


class Project:
    """A host seen as a program. All paths are relative to the host, POSIX."""

    def __init__(self, host: Host) -> None:
        self.host = host

    def _toml(self) -> dict[str, Any]:
        text = self.host.read("pyproject.toml").decode("utf-8", "replace")
        keys = TOML_BETWEEN_KEYS.split(TOML_TEXT.sub("_", text))
        if max(key.count(".") for key in keys) > LONGEST_KEY:
            return {}
        try:
            return tomllib.loads(text)
        except (ValueError, RecursionError):  # also a number of ten thousand digits
            return {}

    @cached_property
    def package(self) -> dict[str, Any]:
        return self.package_in("")

    def package_in(self, folder: str) -> dict[str, Any]:
        return package_at(self.host, folder)

    @cached_property
    def packages(self) -> dict[str, str]:
        """The packages of a workspace, its root included: their name → their folder."""
        files = self.host.with_suffix("package.json")
        folders = [posixpath.dirname(file.path) for file in files]
        named = {folder: self.package_in(folder).get("name") for folder in folders}
        return {name: folder for folder, name in named.items() if isinstance(name, str)}

    @cached_property
    def pyproject(self) -> dict[str, Any]:
        return self._toml() if self.host.exists("pyproject.toml") else {}

    @cached_property
    def name(self) -> str:
        """The project's name without a scope: package.json, pyproject.toml, the folder's."""
        for data in (self.package, table(self.pyproject, "project")):
            name = data.get("name")
            if isinstance(name, str) and name.strip():
                return name.strip().rpartition("/")[2]
        return self.host.root.name

    @cached_property
    def scripts(self) -> dict[str, str]:
        return self.scripts_in("")

    def scripts_in(self, folder: str) -> dict[str, str]:
        return texts(self.package_in(folder), "scripts")

    @cached_property
    def python_commands(self) -> dict[str, str]:
        """Console scripts: command → module."""
        owners = (table(self.pyproject, "project"), table(self.pyproject, "tool", "poetry"))
        return {
            name: target.partition(":")[0]
            for owner in owners
            for name, target in texts(owner, "scripts").items()
        }

    @cached_property
    def node_commands(self) -> dict[str, str]:
        """Commands of package.json: name → file."""
        binaries = self.package.get("bin")
        if isinstance(binaries, str):
            return {self.name: posixpath.normpath(binaries)}
        named = texts(self.package, "bin")
        return {name: posixpath.normpath(path) for name, path in named.items()}

    @cached_property
    def entries(self) -> frozenset[str]:
        """The files that are the program: package.json main, and what ``start`` names."""
        found = set()
        main = self.package.get("main")
        if isinstance(main, str):
            found.add(posixpath.normpath(main))
        for word in self.scripts.get("start", "").split():
            if word.endswith(SCRIPTS):
                found.add(posixpath.normpath(word))
        return frozenset(found) | {source for path in found if (source := self.source_of(path))}

    def main_of(self, folder: str) -> str | None:
        """The file that ``node folder`` runs: package.json's ``main``, else the index file."""
        main = self.package_in(folder).get("main")
        named = main if isinstance(main, str) and main.strip("./") else "index"
        path = posixpath.normpath(posixpath.join(folder, named))
        candidates = (path, *(f"{path}{end}{s}" for end in ("", "/index") for s in SCRIPTS))
        return next((one for one in candidates if self.source_of(one)), None)

    def source_of(self, path: str) -> str | None:
        """The file a built one is made from (dist/index.js → src/index.ts), or itself."""
        if self.host.exists(path):
            return path
        stem, suffix = posixpath.splitext(path)
        if suffix not in SCRIPTS:
            return None
        for candidate in self.stems_of(stem):
            for end in SCRIPTS:
                if self.host.exists(candidate + end):
                    return candidate + end
        return None

    def stems_of(self, stem: str) -> list[str]:
        """Where the source of a path without its ending may lie.

        The folder of built files lies in that of a package, the root's or one below it.
        """
        parts = stem.split("/")
        for position, part in enumerate(parts[:-1]):
            package = "/".join(parts[:position])
            if part in BUILT and (not package or self.package_in(package)):
                rest = "/".join(parts[position + 1 :])
                return [posixpath.join(package, folder, rest) for folder in SOURCE]
        return [stem]

    def own_file(self, path: str, folder: str = "") -> str | None:
        """The project's file that a path in a command line means, as it is written there.

        The root of an installed copy is unknown (``/opt/bot``, ``${projectRoot}``,
        ``%h/bot``), so the longest end of the path that is a file of the project counts.
        ``folder``: the working directory, likewise.
        """
        absolute = path.startswith(("/", "~", "%", "$", "{", "<", "@", "__"))
        if not absolute and folder:
            joined = posixpath.normpath(posixpath.join(folder, path))
            if joined in self.entries or self.source_of(joined):
                return joined
            return self.own_file(joined if joined.startswith(("/", "$", "{", "%")) else path)
        parts = [part for part in HOLE.sub("${}", path).split("/") if part != "."]
        if not any(parts):
            return None  # "." and "/" are folders
        begins = range(len(parts))
        if parts[0] == "${}" and not HOME.match(path):
            begins = range(1, min(2, len(parts)))  # behind the root stands the whole path
        for begin in begins:
            candidate = "/".join(parts[begin:])
            elsewhere = absolute and folder and posixpath.dirname(path) != folder.rstrip("/")
            if "/" not in candidate and elsewhere:
                continue  # some index.js of another folder
            if candidate in self.entries or self.source_of(candidate):
                return candidate
            if parts[begin] and candidate != parts[begin] and self.package_in(parts[begin]):
                return candidate  # a package of its own below this one
        return None

    def imports_of(self, path: str) -> list[str]:
        content = self.host.read(path)
        folder = posixpath.dirname(path)
        if path.endswith(".py"):
            names = {(a or b).decode() for a, b in PYTHON_IMPORT.findall(content)}
            return [found for name in names if (found := self.module_file(name, folder))]
        files = []
        for specifier in {item.decode("utf-8", "replace") for item in IMPORT.findall(content)}:
            target = posixpath.normpath(posixpath.join(folder, specifier))
            stem = posixpath.splitext(target)[0] if target.endswith(SCRIPTS) else target
            sources = [
                candidate + end
                for candidate in (stem, posixpath.join(target, "index"))
                for end in SCRIPTS
                if self.host.exists(candidate + end)
            ]
            built = self.source_of(target) if not sources else None  # bin.mjs → dist/entry.js
            files += [built] if built is not None else sources
        return files

    def module_file(self, module: str, folder: str = "") -> str | None:
        """The file of a Python module of the project, also in a ``src`` layout."""
        dots = len(module) - len(module.lstrip("."))
        for _ in range(dots - 1):
            folder = posixpath.dirname(folder)
        bases = (folder,) if dots else ("", "src")
        path = module.lstrip(".").replace(".", "/")
        for base in bases:
            for candidate in (f"{path}.py", f"{path}/__main__.py", f"{path}/__init__.py"):
                joined = posixpath.join(base, candidate)
                if self.host.exists(joined):
                    return joined
        return None


def table(data: dict[str, Any], *keys: str) -> dict[str, Any]:
    """A table of pyproject.toml, or {} where it is missing or holds something else."""
    for key in keys:
        found = data.get(key)
        data = found if isinstance(found, dict) else {}
    return data
