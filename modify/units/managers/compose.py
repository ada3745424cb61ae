"""Services of a compose file, and which of them run the host itself.

The compose specification: ``command`` and ``entrypoint`` take the place of what the image
says; ``deploy.restart_policy`` wins over ``restart``; a service of an override file adds to
the one of the same name beside it.
"""

from __future__ import annotations

import posixpath
import re
from dataclasses import dataclass, replace
from functools import partial

from modify.kit.text.yaml_nodes import Entry, Mapping, Scalar, UnreadableYaml, documents, words
from modify.units.bot_project import BotProject
from modify.units.locate.marks import may_be_compose
from modify.units.managers import dockerfile
from modify.units.managers.dockerfile import Words
from modify.units.model import UnitText
from modify.units.started import Started
from modify.units.started_program import SIDE_WORD, Reader, split
from modify.units.supervisor import Supervisor
from skill.host import Host, fact

NAME = re.compile(
    r"(^|/)[\w.-]*(compose|stack)[\w.-]*\.ya?ml"
    r"(\.(j2|jinja2?|tmpl|tpl|template|in|dist|example|sample))?$"
)
ALWAYS = re.compile(r"always|\$\{\w+:?-always\}")
DEFAULT = re.compile(r"\$\{\w+:?-([^}]*)\}")
IMAGE_BUILD = re.compile(
    rb"docker\s+(?:buildx\s+)?build\b[^\n]*?\s(?:-t|--tag)[= ]+[\"']?"
    rb"([\w./:-]+)[^\n]*\s\.(?:\s|[\"']|$)"
)
SWARM = (
    "Swarm's restart condition stays: it knows no unless-stopped, and on-failure leaves a bot "
    "that ended well down after a reboot; the channel's memory bounds the attempts"
)


def is_one(content: bytes) -> bool:
    return may_be_compose(content)


@dataclass(frozen=True)
class ComposeService:
    """restart: its entry, an own or a merged one. shared: other programs that it restarts."""

    text: UnitText
    name: str
    key: Scalar
    node: Mapping
    started: Started
    restart: Entry | None
    is_own: bool
    shared: tuple[str, ...] = ()
    problem: str = ""

    @property
    def position(self) -> int:
        return self.key.start

    @property
    def remark(self) -> str:
        policy = (self.node.mapping("deploy") or self.node).mapping("restart_policy")
        restarts = policy is not None and policy.text("condition") in (None, "any")
        return SWARM if restarts else ""


@dataclass(frozen=True)
class Unread:
    """A text that could not be read; its rule says so."""

    text: UnitText
    name: str
    position: int
    problem: str
    started: Started
    remark: str = ""


def read(text: UnitText, project: BotProject) -> list[ComposeService] | list[Unread]:
    try:
        found = services_in(text)
    except UnreadableYaml as error:
        position = text.content.find(b"restart:", text.start, text.end)
        started = Started("unknown", "", str(error))
        return [Unread(text, "the file", max(position, text.start), str(error), started)]
    others = beside(text, project)
    images = images_of(text, found, project)
    services = []
    for name, (key, node) in found.items():
        reader = _Classifier(text, project, found, others, images)
        started = reader.started(name, node)
        restart = node.entry("restart")
        own = "restart" in node.own
        services.append(ComposeService(text, name, key, node, started, restart, own))
    return [replace(service, shared=sharing(service, services)) for service in services]


def services_in(text: UnitText) -> dict[str, tuple[Scalar, Mapping]]:
    found: dict[str, tuple[Scalar, Mapping]] = {}
    for root in documents(text.content, text.start, text.end):
        services = root.mapping("services") if isinstance(root, Mapping) else None
        for name, entry in (services.own if services else {}).items():
            if isinstance(entry.value, Mapping):
                found[name] = (entry.key, entry.value)
    return found


def beside(text: UnitText, project: BotProject) -> dict[str, Mapping]:
    """The services of the other compose files in the same folder, by name."""
    if text.form != "file":
        return {}
    folder = posixpath.dirname(text.path)
    found: dict[str, Mapping] = {}
    for path in project.host.files:
        if path == text.path or posixpath.dirname(path) != folder or not NAME.search(path):
            continue
        content = project.host.read(path)
        try:
            services = services_in(UnitText(path, content, 0, len(content), "compose"))
        except UnreadableYaml:
            continue
        found = {**{name: node for name, (_, node) in services.items()}, **found}
    return found


def sharing(service: ComposeService, services: list[ComposeService]) -> tuple[str, ...]:
    """Programs besides the host whose policy is the same value, by an anchor."""
    if service.restart is None:
        return ()
    value = service.restart.value
    return tuple(
        other.name
        for other in services
        if not other.started.is_host
        and other.restart is not None
        and other.restart.value is value
        and other is not service
    )


def image_name(image: str) -> str:
    """``ghcr.io/me/bot:latest`` → bot."""
    default = DEFAULT.fullmatch(image)
    image = default[1] if default else image
    return re.split(r"[:@]", image.rpartition("/")[2])[0].lower()


@fact
def own_images(host: Host) -> frozenset[str]:
    """Return the names of images: the project's, and those that are built from its root."""
    images = {BotProject(host).name.lower()}
    if not host.exists("Dockerfile"):
        return frozenset(images)
    for file in host.with_suffix(".sh", ".md", "package.json", "Makefile"):
        for named in IMAGE_BUILD.findall(host.read(file.path)):
            images.add(image_name(named.decode()))
    return frozenset(images)


def images_of(
    text: UnitText, found: dict[str, tuple[Scalar, Mapping]], project: BotProject
) -> dict[str, Mapping | None]:
    """Images that are made from this host: name → the service that builds it, if one does."""
    images: dict[str, Mapping | None] = dict.fromkeys(own_images(project.host))
    for node in [*(node for _, node in found.values()), *beside(text, project).values()]:
        image = node.text("image")
        if node.get("build") is not None and image:
            images[image_name(image)] = node
    return images


@dataclass(frozen=True)
class _Classifier:
    """Decides what one service runs: its own command line, else its image's."""

    text: UnitText
    project: BotProject
    found: dict[str, tuple[Scalar, Mapping]]
    others: dict[str, Mapping]
    images: dict[str, Mapping | None]

    def layers(self, name: str, node: Mapping) -> list[Mapping]:
        """The service, and what it adds to: the same file's base, the other file's namesake."""
        layers = [node]
        extended = node.mapping("extends")
        base = extended.text("service") if extended else node.text("extends")
        if base in self.found and (extended is None or extended.get("file") is None):
            layers.append(self.found[base][1])
        if name in self.others:
            layers.append(self.others[name])
        return layers

    def started(self, name: str, node: Mapping) -> Started:
        layers = self.layers(name, node)

        def first(key: str) -> Mapping:
            return next((layer for layer in layers if layer.get(key) is not None), node)

        folder = first("working_dir").text("working_dir") or ""
        reader = Reader(self.project, folder=folder)
        entrypoint = words(first("entrypoint").get("entrypoint"))
        command = words(first("command").get("command"))
        image = first("image").text("image") or ""
        builder = first("build") if first("build").get("build") is not None else None
        if builder is None and image:
            builder = self.images.get(image_name(image))
        what = image or f"what {name} is built from"
        if builder is not None:
            return self.built(name, builder, entrypoint, command, reader)
        if entrypoint or command:
            found = lines_of(reader, entrypoint, command)
            if found.is_host or image_name(image) not in self.images:
                return found
        if not image:
            return Started("unknown", name, "it names no image, build or command")
        if image_name(image) in self.images:
            return Started("host", what)
        if "$" in image and not DEFAULT.fullmatch(image):
            return Started("unknown", what, f"{image} is computed")
        return Started("side", what)

    def built(
        self, name: str, builder: Mapping, entrypoint: Words, command: Words, reader: Reader
    ) -> Started:
        """A service whose image is made from a folder of the host."""
        context, file, target = build_of(builder)
        what = f"what is built from {context or 'another place'}"
        if re.match(r"\w+://|git@", context):
            return Started("side", what)
        base = posixpath.dirname(self.text.path) if self.text.form == "file" else ""
        folder = posixpath.normpath(posixpath.join(base, context))
        if "$" in context or folder.startswith(".."):
            return Started("unknown", what, f"{context} is not a folder of this project")
        folder = "" if folder == "." else folder
        inside = [
            path for path in self.project.dialling if not folder or path.startswith(folder + "/")
        ]
        if not inside:
            return Started("side", what)
        path = posixpath.normpath(posixpath.join(folder, file or "Dockerfile"))
        own = bool(entrypoint or command)
        if self.project.host.exists(path):
            image_entry, image_command = dockerfile.read(
                self.project.host.read(path).decode("utf-8", "replace"), target
            )
            # An own entrypoint takes the image's command away, too.
            command = command or ([] if entrypoint else image_command)
            entrypoint = entrypoint or image_entry
        named = partial(self.in_project, folder)
        found = lines_of(reader, named(entrypoint), named(command))
        if found.is_host:
            return found
        if found.kind == "side" and (own or self.is_own_side(found, reader)):
            return found
        if own or not self.is_lone(name, folder):
            why = found.why or f"{path} does not say what it runs"
            return Started("unknown", what, why)
        return Started("host", what)

    def in_project(self, folder: str, line: Words) -> Words:
        """An image's script where the project has it: /usr/local/bin/start.sh → docker/start.sh."""
        if isinstance(line, str) or not line or not line[0].endswith(".sh"):
            return line
        ending = "/" + posixpath.basename(line[0])
        files = [path for path in self.project.host.files if ("/" + path).endswith(ending)]
        inside = [path for path in files if path.startswith(folder)]
        return [inside[0], *line[1:]] if len(inside) == 1 else line

    def is_own_side(self, found: Started, reader: Reader) -> bool:
        """Whether the image plainly runs another program of the host."""
        parts = split(found.what)
        own = any(
            self.project.own_file(word, reader.folder)
            for word in parts
            if re.search(r"\.\w+$", word) and not word.endswith(".sh")
        )
        return own or SIDE_WORD.search(found.what) is not None

    def is_lone(self, name: str, folder: str) -> bool:
        """Whether no other service is built from the same folder."""
        base = posixpath.dirname(self.text.path) if self.text.form == "file" else ""
        built = [
            other
            for other, (_, node) in self.found.items()
            if node.get("build") is not None
            and posixpath.normpath(posixpath.join(base, build_of(node)[0])) == (folder or ".")
        ]
        return built in ([name], [])


def build_of(node: Mapping) -> tuple[str, str, str]:
    """Context, Dockerfile and target of a service's ``build``."""
    build = node.mapping("build")
    if build is None:
        return node.text("build") or "", "", ""
    context = build.text("context") or "."
    default = DEFAULT.fullmatch(context)
    return (
        default[1] if default else context,
        build.text("dockerfile") or "",
        build.text("target") or "",
    )


def lines_of(reader: Reader, entrypoint: Words, command: Words) -> Started:
    """The host if the entrypoint or the command starts it; else an unknown program, else any."""
    lines = [(entrypoint, command)] if entrypoint else []
    lines += [([], command)] if command else []
    found = [one_line(reader, first, rest) for first, rest in lines]
    for kind in ("host", "unknown"):
        for started in found:
            if started.kind == kind:
                return started
    return found[0] if found else Started("unknown", "", "it names no command")


def one_line(reader: Reader, first: Words, rest: Words) -> Started:
    if isinstance(first, str) and first:
        return reader.shell(first)
    if isinstance(rest, str):
        return reader.command([*first, *split(rest)]) if first else reader.shell(rest)
    return reader.command([*first, *rest])


def restarts(service: ComposeService) -> Supervisor:
    given = service.restart.value if service.restart else None
    policy = given.value if isinstance(given, Scalar) else "no"
    default = re.fullmatch(r"\$\{\w+:?-(.*)\}", policy)
    policy = default[1] if default else policy
    name, _, most = policy.partition(":")
    return Supervisor("compose", name or "no", max_restarts=int(most) if most.isdigit() else 0)
