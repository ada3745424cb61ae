"""Python files that connect to WhatsApp and are in no channel that was read: a finding each.

A neonize client of an unknown shape, a library that brings a link of its own, a connection to
WhatsApp's own address. Found by ``ast``, which every host affords; nothing of it is patched.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from modify.kit.python.tree import parse
from modify.python.marks import LARGEST, NEONIZE
from modify.rules import ids
from skill.edit import Patch
from skill.finding import Finding
from skill.host import Host
from skill.options import Options
from skill.source_paths import is_among_tests

RULE = ids.UNGATED_CONNECT
ASIDE = re.compile(r"(^|/)(examples?|samples?|docs?|scripts|tools|stubs?|typings)/", re.IGNORECASE)
CLIENTS = ("NewClient", "NewAClient", "ClientFactory")
# Libraries that dial by themselves, by the name that is imported.
LIBRARIES = ("pybaileys", "pyaileys", "waeys", "wazpy", "wasock", "fastmeow", "yowsup")
ADDRESS = "web.whatsapp.com/ws"
MARK = re.compile(
    rb"neonize|%s|%s" % (ADDRESS.encode(), b"|".join(name.encode() for name in LIBRARIES))
)
OURS = b"whatsapp_reconnect"
LEFT_OUT = "--ignore ungated-connect, once its attempts are bounded by other means"


def examine(host: Host, options: Options, patch: Patch) -> None:
    """Add a finding for each file that connects, unless the host's client is reported already."""
    if not options.wants(RULE):
        return
    said = {found.path for found in patch.findings} | {note.path for note in patch.notes}
    said |= set(patch.edits)
    is_read = any(NEONIZE.search(host.read(path)) for path in said if path.endswith(".py"))
    for file in host.with_suffix(".py"):
        path = file.path
        if path in said or file.size > LARGEST or is_among_tests(path) or ASIDE.search(path):
            continue
        if not options.covers(path):
            continue
        content = host.read(path)
        if not MARK.search(content) or OURS in content:
            continue
        found = next(dials(content), None)
        if found is not None and not (is_read and found[1].startswith("neonize")):
            line, what, reason = found
            message = f"{what} connects to WhatsApp (line {line}) and is not patched"
            patch.findings.append(
                Finding(path, line, 1, RULE, message, reason=reason, accept=LEFT_OUT)
            )


def dials(content: bytes) -> Iterator[tuple[int, str, str]]:
    """(line, what connects, why it is not patched) of each place in a file, the plainest first."""
    tree = parse(content)
    if tree is None:
        return
    nodes = list(ast.walk(tree))
    for node in nodes if b"neonize" in content else ():
        if line := makes_client(node):
            yield line, "neonize's client", "no connect() of it is of a known shape"
    for node in nodes:
        for name in imported(node):
            if isinstance(node, ast.stmt) and name.partition(".")[0] in LIBRARIES:
                yield node.lineno, name, "the package connects by itself"
    for node in nodes:
        if isinstance(node, ast.Constant) and is_address(node.value):
            yield node.lineno, "a WebSocket of its own", "it speaks WhatsApp's protocol itself"


def imported(node: ast.AST) -> list[str]:
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    return [node.module or ""] if isinstance(node, ast.ImportFrom) and not node.level else []


def is_address(value: object) -> bool:
    return isinstance(value, str) and ADDRESS in value and not re.search(r"\s", value)


def makes_client(node: ast.AST) -> int:
    """The line of ``NewClient(…)``, ``class Bot(NewClient)``; 0 for anything else."""
    if isinstance(node, ast.Call) and last_name(node.func) in CLIENTS:
        return node.lineno
    if isinstance(node, ast.ClassDef) and any(last_name(base) in CLIENTS for base in node.bases):
        return node.lineno
    return 0


def last_name(node: ast.expr) -> str:
    if isinstance(node, ast.Attribute):
        return node.attr
    return node.id if isinstance(node, ast.Name) else ""
