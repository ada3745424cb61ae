"""Which channels of a host can be run, and how each is started.

The channels are those that ``modify`` finds and patches. How one is started follows from
where its connect function lives: a class with a public way to it, a closure that a factory
returns, functions of a module, or the host's own main. Several ways may fit; the runner's
look at the healthy host tells which of them connects.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from itertools import islice
from typing import Literal

from modify.baileys.channels import channels_of as channels_in
from modify.baileys.codemod import channel_sources
from modify.baileys.model.channel import Channel
from modify.baileys.model.daemon import why_not_a_daemon
from modify.baileys.model.startup import asset_root
from modify.baileys.search.cross_file import aliased
from modify.baileys.search.packages import packages_of
from modify.kit.project import BUILT
from modify.kit.typescript.functions import Function, named
from modify.kit.typescript.source import line_of
from modify.python.marks import marked
from modify.units.bot_project import BotProject
from skill.host import Host, fact
from skill.options import Options
from skill.source_paths import SCRIPTS, SKILL_ASSETS

Driver = Literal["class", "factory", "module", "main"]
# Names of a channel's public way to connect, the likeliest first.
ENTRIES = ("connect", "start", "setup", "init", "initialize", "run", "launch", "listen", "open")
# So many ways to start a channel are tried; each takes a fraction of a second, or a few.
MOST_WAYS = 10
MOST_NAMES = 3


def in_place(path: str) -> str:
    """Where a file of a skill's assets lies once the skill is applied."""
    return path.removeprefix(asset_root(path))


@dataclass(frozen=True, slots=True)
class Way:
    """One way to start a channel. entry: the file that is run, relative to the host.

    first: the host's main, where that is run before, as a gateway that is asked for a session.
    """

    driver: Driver
    entry: str
    class_name: str | None = None
    start: str | None = None
    first: str = ""

    @property
    def text(self) -> str:
        """``by new Line().connect()``."""
        if self.first:
            return (
                f"by running {self.first}, then {replace(self, first='').text.removeprefix('by ')}"
            )
        if self.driver == "class":
            return f"by new {self.class_name or 'its class'}().{self.start}()"
        if self.driver == "factory":
            own = self.start not in (None, "factory")
            return f"by its factory {self.start}()" if own else "by its factory"
        if self.driver == "module":
            return f"by {self.start}()" if self.start else "by its import"
        return f"by running {self.entry}"


@dataclass(frozen=True, slots=True)
class HostChannel:
    """A channel file and the ways to start it, the best first.

    maker: the file that makes its socket, where that is another one. cannot: why it cannot be
    run, where that is known before. kind, name: of a Python
    channel: ``bridge`` or ``neonize``, and how it is started.
    """

    path: str
    line: int
    language: Literal["typescript", "python"]
    ways: tuple[Way, ...] = ()
    maker: str = ""
    cannot: str = ""
    kind: str = ""
    name: str = ""


@dataclass(slots=True)
class Channels:
    """run: what is simulated; left_out: (path, why) of what is not."""

    run: list[HostChannel] = field(default_factory=list)
    left_out: list[tuple[str, str]] = field(default_factory=list)


def channels_of(
    host: Host, only: tuple[str, ...] = (), held: Mapping[str, int] | None = None
) -> Channels:
    """The channels of the host's program, or those in the files ``only``.

    held: the line by file, of those whose dial is held; one without a channel that is
    understood is run as well. Copies in skills' assets, and files that nothing the program
    starts imports, are left out where there are others. Raises UnreadableSource.
    """
    project = BotProject(host)
    found = Channels()
    node = [*_typescript(host, project, found)]
    known = {path for one in node for path in (one.path, one.maker)} | dict(found.left_out).keys()
    node += _dials(project, held or {}, known)
    every = [*node, *_python(host)]
    if only:
        found.run = [channel for channel in every if channel.path in only]
        found.left_out = [one for one in found.left_out if one[0] in only]
        return found
    own = [one for one in every if not one.path.startswith(SKILL_ASSETS)]
    every = _only(own, every, "a copy in a skill's assets", found)
    # Imports are followed among TypeScript and JavaScript files only.
    node = [one for one in every if one.language == "typescript"]
    is_reached = _reached(project)
    reached = [one for one in node if is_reached(one.path)]
    kept = _only(reached, node, "not part of what the program starts", found)
    every = [one for one in every if one.language == "python" or one in kept]
    found.run = every
    return found


def _only(
    wanted: list[HostChannel], every: list[HostChannel], why: str, found: Channels
) -> list[HostChannel]:
    """The wanted ones, if there are any; the others are left out, and why is noted."""
    if not wanted:
        return every
    found.left_out += [(one.path, why) for one in every if one not in wanted]
    return wanted


def _reached(project: BotProject) -> Callable[[str], bool]:
    entries = _entries(project)
    return cache(lambda path: _reaches(project, entries, path))


def _entries(project: BotProject) -> tuple[str, ...]:
    """The programs of the host: of package.json, of those of its packages."""
    found = sorted(project.entries)
    for path in project.host.files:
        if posixpath.basename(path) == "package.json" and "/" in path:
            folder = posixpath.dirname(path)
            main = project.package_in(folder).get("main")
            if isinstance(main, str):
                found.append(posixpath.normpath(posixpath.join(folder, main)))
            for word in project.scripts_in(folder).get("start", "").split():
                found.append(posixpath.normpath(posixpath.join(folder, word)))
    sources = [project.source_of(path) or _source_in(project, path) for path in found]
    own = dict.fromkeys(path for path in sources if path)
    return tuple(own | dict.fromkeys(child for path in own for child in _children(project, path)))


CHILDREN = re.compile(rb"\b(fork|spawn|execFile|setupMaster|setupPrimary)\s*\(")
NAMED = re.compile(rb"""['"`](?:\./)?([\w./-]+\.[cm]?[jt]s)['"`]""")


def _children(project: BotProject, path: str) -> Iterator[str]:
    """The host's scripts that a program names, where it starts others."""
    text = project.host.read(path)
    for name in NAMED.findall(text) if CHILDREN.search(text) else ():
        child = posixpath.normpath(posixpath.join(posixpath.dirname(path), name.decode()))
        if project.host.exists(child) and child != path:
            yield child


def _source_in(project: BotProject, path: str) -> str | None:
    """``bridge/dist/index.js`` of a package is made from ``bridge/src/index.ts``."""
    for built in BUILT:
        folder, found, rest = path.rpartition(f"/{built}/")
        stem = f"{folder}/src/{posixpath.splitext(rest)[0]}"
        for end in SCRIPTS if found else ():
            if project.host.exists(stem + end):
                return stem + end
    return None


def _reaches(project: BotProject, entries: tuple[str, ...], channel: str) -> bool:
    seen: set[str] = set()
    waiting = list(entries)
    while waiting:
        current = waiting.pop()
        if current == channel:
            return True
        if current not in seen:
            seen.add(current)
            waiting += project.imports_of(current)
            waiting += _by_an_alias(project.host, current)
    return False


# An import that is no path: of a package, or by what tsconfig.json calls a folder of the host.
ALIASED = re.compile(
    rb"""(?:\bfrom|\bimport|\brequire\(|\bimport\()\s*['"](@?\w[\w.@/-]*|[@~#]/[\w./-]+)['"]"""
)


@fact
def _by_an_alias(host: Host, path: str) -> tuple[str, ...]:
    """The files of the host that a file imports as ``@/lib/wa``, ``@lib/wa`` or ``lib/wa``."""
    if not path.endswith(SCRIPTS):
        return ()
    found = []
    for name in dict.fromkeys(item.decode() for item in ALIASED.findall(host.read(path))):
        rest = name.partition("/")[2]
        if rest and not packages_of(host).is_installed(name) and (file := aliased(host, rest)):
            found.append(file)
    return tuple(found)


def _typescript(host: Host, project: BotProject, found: Channels) -> Iterator[HostChannel]:
    for source in channel_sources(host, Options()):
        for channel in channels_in(host, source):
            reason = why_not_a_daemon(channel)
            if reason is not None:
                found.left_out.append((source.path, reason))
                continue
            ways = tuple(islice(_ways(project, channel), MOST_WAYS))
            maker = channel.factory.path if channel.factory is not None else ""
            path, line = channel.source.path, line_of(channel.connect.node)
            yield HostChannel(path, line, "typescript", ways, maker)
            break  # one file is run as one program


def _python(host: Host) -> Iterator[HostChannel]:
    """Those that cannot be run say why in ``cannot``."""
    if not marked(host, Options()):
        return
    # Lazy: libcst takes 0.1 s to import, and most hosts have no Python channel.
    from skill.storm.host.python_channels import discover

    for one in discover(host):
        yield HostChannel(
            one.path, one.line, "python", cannot=one.cannot, kind=one.way, name=one.label
        )


def _dials(
    project: BotProject, held: Mapping[str, int], known: Collection[str]
) -> Iterator[HostChannel]:
    """Files that dial and are held, and are no channel: run by the programs that reach them."""
    for path, line in held.items():
        if path not in known:
            place = in_place(path)
            mains = [Way("main", entry) for entry in _mains(project, place)]
            yield HostChannel(
                path, line, "typescript", (*mains, *_asked(mains, [Way("module", place)]))
            )


def _asked(mains: Iterable[Way], own: Sequence[Way]) -> Iterator[Way]:
    """Those ways, then the same once the host's main runs: a gateway dials when it is asked to."""
    yield from own
    for main in mains:
        yield from (replace(way, first=main.entry) for way in own)


def _ways(project: BotProject, channel: Channel) -> Iterator[Way]:
    """The likeliest first; in the end whatever else leads to the dial."""
    path = in_place(channel.source.path)
    mains = [Way("main", entry) for entry in _mains(project, path)]
    entry = _entry(channel)
    names = [entry.name, channel.connect.name, *(one.name for one in channel.helpers)]
    names = [name for name in dict.fromkeys(names) if name][:MOST_NAMES]
    if channel.scope == "class":
        assert channel.class_node is not None
        node = channel.class_node.field("name")
        name = node.text() if node is not None else None
        own = [Way("class", path, name, start) for start in names]
        if name is not None and _starts_one(channel, name):  # a call would start a second bot
            yield Way("main", path)
        yield own[0]
        yield Way("factory", path)
        yield from mains
        yield from [*_asked(mains, own)][1:]
        return
    if channel.scope == "closure":
        yield Way("factory", path, start=_owner(channel))
        yield Way("module", path, start=_owner(channel))
    else:  # nothing but its main says what it does when the connect function rejects
        own = [*(Way("module", path, start=start) for start in names), Way("module", path)]
        yield from mains
        yield from _asked(mains, own)
        return
    yield from mains


def _mains(project: BotProject, path: str) -> list[str]:
    return [entry for entry in _entries(project) if _reaches(project, (entry,), path)]


def _entry(channel: Channel) -> Function:
    """The outermost function that leads to the connect function, and is no handler's."""
    leading = [channel.connect, *channel.helpers]
    own = [one for one in leading if one.call.startswith("this.")] or leading
    public = [one for one in own if not _is_private(one)] or own
    for name in ENTRIES:
        for one in public:
            if one.name == name:
                return one
    return public[-1]


def _starts_one(channel: Channel, name: str) -> bool:
    """Whether the file that holds the class makes an object of it when it is loaded, too."""
    kept = r"(?:export\s+)?(?:(?:const|let|var)\s+\w+\s*=\s*)?(?:await\s+|void\s+)?"
    made = rf"^{kept}new\s+{re.escape(name)}\b"
    return re.search(made, channel.source.text, re.MULTILINE) is not None


def _is_private(function: Function) -> bool:
    if function.name.startswith(("#", "_")):
        return True
    modifiers = [c.text() for c in function.node.children() if c.kind() == "accessibility_modifier"]
    return "private" in modifiers or "protected" in modifiers


def _owner(channel: Channel) -> str | None:
    owner = channel.owner
    function = named(owner) if owner is not None else None
    return function.name if function is not None else None
