"""``docker run --restart always`` of the host's own image, in scripts and documents.

A container that runs keeps the policy it was made with, so a changed line would mend
nothing by itself: a script is handed off with the command that does, a document is noted.
"""

from __future__ import annotations

import re

from modify.rules import ids
from modify.units.bot_project import BotProject
from modify.units.managers.compose import image_name, own_images
from skill.edit import Patch
from skill.finding import Finding, Note
from skill.options import Options

RUN = re.compile(
    rb"^(?P<lead>[^#\n]*?)\bdocker\s+(?:container\s+)?run\b(?P<rest>(?:\\\r?\n|[^\n;&|])*)", re.M
)
POLICY = re.compile(rb"--restart[= ]+[\"']?always\b")
SCRIPTS = (".sh", ".bash", ".zsh", "Makefile", "package.json")
DOCUMENTS = (".md", ".mdx")
MESSAGE = "docker run --restart always starts the bot again, even one that was stopped by hand"
REASON = "a container that is there keeps the policy it was made with"
ACCEPT = "--restart unless-stopped here; and once: docker update --restart unless-stopped CONTAINER"


def examine(path: str, project: BotProject, options: Options) -> Patch:
    patch, rule = Patch(), ids.COMPOSE_RESTART_ALWAYS
    if not path.endswith((*SCRIPTS, *DOCUMENTS)) or not options.wants(rule):
        return patch
    content = project.host.read(path)
    if b"--restart" not in content:
        return patch
    images = own_images(project.host)
    for found in RUN.finditer(content):
        policy = POLICY.search(found["rest"])
        words = found["rest"].decode("utf-8", "replace").split()
        if policy is None or not any(
            image_name(word.strip("\"'")) in images for word in words if word[:1] != "-"
        ):
            continue
        position = found.start("rest") + policy.start()
        line = content.count(b"\n", 0, position) + 1
        column = position - content.rfind(b"\n", 0, position)
        if path.endswith(DOCUMENTS):
            patch.notes.append(Note(path, line, "left", f"{MESSAGE}: {ACCEPT}"))
            continue
        patch.findings.append(
            Finding(path, line, column, rule, MESSAGE, reason=REASON, accept=ACCEPT)
        )
    return patch
