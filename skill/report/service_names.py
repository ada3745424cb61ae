"""The names of the host's service: from its units, and the code that writes and starts them.

Only what is run counts: string literals of code, commands of shell scripts. A comment or a
document may name any unit. A name that is computed when the service is installed is unknown
here, and no restart of a guessed name is recommended.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import PurePosixPath

from modify.kit.typescript import javascript
from modify.kit.typescript.source import span
from skill.host import Host
from skill.source_paths import SCRIPTS, is_among_tests

DOCUMENTS = (".md", ".mdx", ".markdown", ".txt", ".rst", ".adoc", ".html")
# Where code that installs a service usually lies; what the plan changes is looked at anyway.
USUAL = ("service.ts", "service.js", "service.mjs", "service.py", ".sh")
# Units of the system that a host's code may ask for.
SYSTEM = frozenset({"docker", "podman", "containerd", "dbus", "network", "redis", "postgresql"})
NAME = re.compile(r"[A-Za-z0-9][\w:.-]*")
FILE = re.compile(r"(?:\S*/)?(?P<name>[^\s/]*)\.(?P<kind>service|plist)")
SYSTEMCTL = re.compile(
    r"(?:sudo )?systemctl(?: --\w+)* (?:enable|start|restart)(?: --\w+)* (?P<name>[^\s;&|'\"]+)"
)
LABEL = re.compile(r"<key>Label</key>\s*<string>\s*(?P<name>[^<]*?)\s*</string>")
COMMENT = re.compile(r"^\s*#.*$|(?<=\s)#\s.*$", re.MULTILINE)
XML_COMMENT = re.compile(r"<!--.*?-->", re.DOTALL)
SET = re.compile(
    r"^\s*(?:export |readonly |local )?(\w+)=[\"']?([^\s\"'$]+)[\"']?\s*$", re.MULTILINE
)
VARIABLE = re.compile(r"\$\{?(\w+)\}?")
USER = re.compile(r"systemd/user|systemctl --user|WantedBy=default\.target|'systemd', 'user'")
ROOT = re.compile(r"/etc/systemd/system|WantedBy=multi-user\.target")


@dataclass
class Names:
    """units, labels: of systemd and launchd. computed: kinds of which a name is not known.

    started: what systemctl is called with, which counts where no file is named: messages
    ("systemctl start failed") read like commands.
    user, root: whether a unit is installed for one user, or for the system.
    """

    units: set[str] = field(default_factory=set)
    labels: set[str] = field(default_factory=set)
    computed: set[str] = field(default_factory=set)
    started: set[str] = field(default_factory=set)
    user: bool = False
    root: bool = False

    def only(self, kind: str) -> str | None:
        """The one name of a kind, ``service`` or ``plist``, where there is no doubt about it."""
        found = (self.units or self.started) if kind == "service" else self.labels
        return next(iter(found)) if len(found) == 1 and kind not in self.computed else None

    def any(self, kind: str) -> bool:
        found = self.units | self.started if kind == "service" else self.labels
        return bool(found) or kind in self.computed

    def add_command(self, text: str) -> None:
        """Note the units that a systemctl command starts."""
        for command in SYSTEMCTL.finditer(text):
            name = command["name"].removesuffix(".service")
            if NAME.fullmatch(name) and name not in SYSTEM:
                self.started.add(name)

    def add(self, kind: str, name: str) -> None:
        """Note a name as it is written; one with a part that is computed is not known."""
        if kind == "service" and name in SYSTEM:
            return
        if NAME.fullmatch(name):
            (self.units if kind == "service" else self.labels).add(name)
        else:
            self.computed.add(kind)

    def add_text(self, text: str) -> None:
        """Note the units that a string literal of code names."""
        self.user = self.user or USER.search(text) is not None
        self.root = self.root or ROOT.search(text) is not None
        if file := FILE.fullmatch(text):
            self.add(file["kind"], file["name"])
        for label in LABEL.finditer(XML_COMMENT.sub("", text)):
            self.add("plist", label["name"])
        self.add_command(text)


def names_of(host: Host, changed: Iterable[str]) -> Names:
    """The names in the units and installers of the host. changed: files that the plan changes."""
    names = Names()
    wanted = set(changed)
    for file in host.with_suffix(".service", ".plist", ".py", *USUAL, *SCRIPTS):
        path = file.path
        if is_among_tests(path) or not (
            path in wanted or path.endswith((".service", ".plist", *USUAL))
        ):
            continue
        text = host.read(path).decode("utf-8", "replace")
        if path.endswith((".service", ".plist")):
            of_unit_file(path, text, names)
        elif path.endswith(".sh"):
            of_script(text, names)
        else:
            for literal in of_python(text) if path.endswith(".py") else of_code(host, path):
                names.add_text(literal)
    return names


def of_unit_file(path: str, text: str, names: Names) -> None:
    if path.endswith(".service"):
        text = COMMENT.sub("", text)
        names.add("service", PurePosixPath(path).stem)
    else:
        text = XML_COMMENT.sub("", text)
        for label in LABEL.finditer(text):
            names.add("plist", label["name"])
    names.user = names.user or USER.search(text) is not None
    names.root = names.root or ROOT.search(text) is not None


def of_script(text: str, names: Names) -> None:
    """Paths and systemctl commands of a shell script, its plain variables filled in."""
    text = COMMENT.sub("", text)
    known = dict(SET.findall(text))
    text = VARIABLE.sub(lambda found: known.get(found[1], found[0]), text)
    names.user = names.user or USER.search(text) is not None
    names.root = names.root or ROOT.search(text) is not None
    for word in re.findall(r"[^\s\"'>;&|=()]+/[^\s\"'>;&|()]+\.(?:service|plist)(?![\w.])", text):
        names.add_text(word)
    names.add_command(text)


def of_python(text: str) -> Iterator[str]:
    """The texts of a Python file; what an f-string computes stands as ``{}``."""
    try:
        tree = ast.parse(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value
        elif isinstance(node, ast.JoinedStr):
            parts = (p.value if isinstance(p, ast.Constant) else "{}" for p in node.values)
            yield "".join(map(str, parts))


def of_code(host: Host, path: str) -> Iterator[str]:
    """The texts of a TypeScript or JavaScript file; a name in a hole is followed to its value."""
    content = host.read(path)
    for literal in javascript.literals(javascript.parse(content, path)):
        start, end = span(literal)
        text = content[start + 1 : end - 1].decode("utf-8", "replace")
        for hole in re.findall(r"\$\{(\w+)\}", text):
            meant = javascript.texts_of(content, path, hole, start)
            if len(meant) == 1:
                text = text.replace("${" + hole + "}", meant[0])
        yield javascript.decoded(text)
