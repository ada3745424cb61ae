"""The host's own commands that write its unit and that link it, as its maintainers run them."""

from __future__ import annotations

import posixpath
import re
import shlex
from collections.abc import Iterator
from typing import Any, NamedTuple

from skill.host import Host, fact
from skill.source_paths import SCRIPTS, TYPED, is_among_tests

# service: () => import('./service.js'), in a file that reads which step is asked for.
STEP = re.compile(
    r"(['\"]?)(?P<name>[\w-]+)\1\s*:\s*(?:async\s*)?\(\)\s*=>\s*import\(\s*['\"](?P<file>\.[^'\"]+)['\"]"
)
ASKED = re.compile(r"indexOf\(\s*['\"](?P<option>--[\w-]+)['\"]\s*\)")
LINKS = re.compile(r"(^|[-:_])(auth|pair|link|login)$", re.IGNORECASE)
STARTS = re.compile(
    r"(?:systemctl|\$\{\w*(?:[sS]ystemctl|[pP]refix)\w*\})[^\n'\"`]*"
    r"\s(?:start|restart|enable --now)\s"
    r"|launchctl (?:load|bootstrap|kickstart)\b"
)
RUNNERS = {"pnpm": "pnpm exec tsx", "yarn": "yarn tsx", "bun": "bun"}


def writing_command(host: Host, package: dict[str, Any], manager: str, writer: str) -> str | None:
    """The command that runs a file which writes the unit; None where it is not known.

    A script of package.json that names the file, or a step of the host's own set-up program.
    """
    for name, script in scripts_of(package):
        if re.search(rf"(?:^|[\s/]){re.escape(writer)}(?:$|\s)", script):
            return f"{manager} run {shlex.quote(name)}"
    found = (step for step in steps_of(host) if stem_of(step.file) == stem_of(writer))
    return next((step.command(manager) for step in found), None)


def linking_command(host: Host, package: dict[str, Any], manager: str) -> str | None:
    """The command that links the bot to a phone; None where it is not known."""
    for name, _ in scripts_of(package):
        if LINKS.search(name):
            return f"{manager} run {shlex.quote(name)}"
    found = (step for step in steps_of(host) if LINKS.search(step.name))
    return next((step.command(manager) for step in found), None)


def starts_the_bot(host: Host, writer: str) -> bool:
    """Whether what writes the unit also starts it."""
    return STARTS.search(host.read(writer).decode("utf-8", "replace")) is not None


def scripts_of(package: dict[str, Any]) -> Iterator[tuple[str, str]]:
    scripts = package.get("scripts")
    for name, script in scripts.items() if isinstance(scripts, dict) else ():
        if isinstance(script, str) and name.isprintable():
            yield name, script


class Step(NamedTuple):
    """A step of a set-up program: ``PROGRAM OPTION NAME`` runs a file of the host."""

    program: str
    option: str
    name: str
    file: str

    def command(self, manager: str) -> str:
        typed = self.program.endswith(TYPED)
        run = RUNNERS.get(manager, "npx tsx") if typed else "node"
        return f"{run} {shlex.quote(self.program)} {self.option} {self.name}"


@fact
def steps_of(host: Host) -> list[Step]:
    """The steps of the host's set-up programs."""
    steps = []
    for file in host.with_suffix(*SCRIPTS):
        content = host.read(file.path)
        if b"indexOf(" not in content or b"import(" not in content or is_among_tests(file.path):
            continue
        text = content.decode("utf-8", "replace")
        asked = ASKED.search(text)
        for found in STEP.finditer(text) if asked else ():
            folder = posixpath.dirname(file.path)
            target = posixpath.normpath(posixpath.join(folder, found["file"]))
            if asked and file.path.isprintable():
                steps.append(Step(file.path, asked["option"], found["name"], target))
    return steps


def stem_of(path: str) -> str:
    return posixpath.splitext(path)[0]
