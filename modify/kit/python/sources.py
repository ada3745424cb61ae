"""The Python files of a host that were read, and functions followed across them by import."""

from __future__ import annotations

import posixpath
from dataclasses import dataclass, field

import libcst as cst

from modify.kit.project import Project
from modify.kit.python.functions import function_named
from modify.kit.python.source import Source, all_of, called, dotted
from skill.errors import UnreadableSource
from skill.host import Host

Place = tuple[Source, cst.FunctionDef]


@dataclass
class Sources:
    """Each file is parsed once, whoever asks for it."""

    host: Host
    known: dict[str, Source] = field(default_factory=dict)

    def read(self, path: str) -> Source:
        """Raises UnreadableSource."""
        if path not in self.known:
            self.known[path] = Source.parse(path, self.host.read(path))
        return self.known[path]

    def function(self, source: Source, near: cst.CSTNode, name: str) -> Place | None:
        """The function of the host that a name means at a place."""
        scope = source.nearest(near, cst.FunctionDef)
        around = near if isinstance(near, cst.FunctionDef) else scope
        while around is not None:
            for inner in all_of(around, cst.FunctionDef):
                if inner.name.value == name:
                    return source, inner
            found = function_named(source, around, name)
            if found is not None:
                return source, found
            around = source.nearest(around, cst.FunctionDef)
        for item in source.module.body:
            if isinstance(item, cst.FunctionDef) and item.name.value == name:
                return source, item
        return self.imported(source, name)

    def imported(self, source: Source, name: str) -> Place | None:
        """``from bot.events import on_logout``, at the top or inside a function."""
        for node in all_of(source.module, cst.ImportFrom, functions=True):
            if isinstance(node.names, cst.ImportStar):
                continue
            for item in node.names:
                if (item.evaluated_alias or item.name.value) != name:
                    continue
                module = "." * len(node.relative) + dotted(node.module)
                folder = posixpath.dirname(source.path)
                path = Project(self.host).module_file(module, folder)
                if path is None or path == source.path:
                    return None
                try:
                    other = self.read(path)
                except UnreadableSource:
                    return None
                for found in other.module.body:
                    if isinstance(found, cst.FunctionDef) and found.name.value == item.name.value:
                        return other, found
                return None
        return None

    def argument(self, source: Source, function: cst.FunctionDef, name: str) -> Place | None:
        """The function that callers of ``function`` hand over as its parameter ``name``."""
        parameters = [item.name.value for item in function.params.params]
        if name not in parameters:
            return None
        index = parameters.index(name)
        found: list[Place] = []
        for call in all_of(source.module, cst.Call, functions=True):
            if called(call) != function.name.value:
                continue
            for position, given in enumerate(call.args):
                key = given.keyword.value if given.keyword else parameters[position]
                if key == name and position <= max(index, position):
                    place = self.function(source, call, dotted(given.value))
                    if place is not None:
                        found.append(place)
        same = found and all(place[1] is found[0][1] for place in found)
        return found[0] if same else None
