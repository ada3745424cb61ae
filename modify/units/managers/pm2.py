"""Apps of a pm2 ecosystem file, JavaScript or JSON: ``{ name: 'bot', script: 'dist/index.js' }``.

pm2's documentation, "Ecosystem File" and "Restart Strategies". The file is never run.
"""

from __future__ import annotations

import posixpath
import re
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

from modify.kit.typescript import javascript
from modify.kit.typescript.source import span
from modify.units.bot_project import BotProject
from modify.units.model import UnitText
from modify.units.started import Started
from modify.units.started_program import FOLDER, Reader, split
from modify.units.supervisor import Supervisor, codes
from skill.source_paths import SCRIPTS

if TYPE_CHECKING:
    from ast_grep_py import SgNode

NAME = re.compile(
    r"(^|/)((\w[\w-]*\.)?ecosystem[\w.-]*|pm2[\w.-]*|process|processes)\.(js|cjs|mjs|ts|json)$"
)


EXAMPLE = "ecosystem.config.cjs"


def is_one(content: bytes) -> bool:
    return b"script" in content


@dataclass(frozen=True)
class App:
    """An object with a ``script``, and its pairs by their names."""

    text: UnitText
    node: SgNode
    name: str
    pairs: dict[str, SgNode]
    started: Started
    remark: str = ""

    @property
    def position(self) -> int:
        return span(self.node)[0]

    def value(self, key: str) -> SgNode | None:
        pair = self.pairs.get(key)
        return pair.field("value") if pair is not None else None

    def number(self, key: str) -> float | None:
        value = self.value(key)
        found = re.fullmatch(r"[\d_]+", value.text()) if value is not None else None
        return float(found[0].replace("_", "")) if found else None


@lru_cache(maxsize=8)
def parse(content: bytes, path: str) -> SgNode:
    if not path.endswith(".json"):
        return javascript.parse(content, path)
    from ast_grep_py import SgRoot

    if content.startswith(javascript.BYTE_ORDER_MARK):
        content = b"   " + content[3:]
    return SgRoot(content.translate(javascript.ASCII_ONLY).decode("ascii"), "json").root()


def read(text: UnitText, project: BotProject) -> list[App]:
    apps = []
    for node in parse(text.content, text.path).find_all(kind="object"):
        pairs = {
            key.text().strip("'\""): pair
            for pair in node.children()
            if pair.kind() == "pair" and (key := pair.field("key")) is not None
        }
        if "script" not in pairs or not ({"name", "autorestart", "instances"} & set(pairs)):
            continue
        name = plain(pairs.get("name")) or "the app"
        started = started_by(pairs, project, posixpath.dirname(text.path))
        apps.append(App(text, node, name, pairs, started))
    return apps


def plain(pair: SgNode | None) -> str | None:
    """The text of a pair's value, if it is a string."""
    value = pair.field("value") if pair is not None else None
    if value is None or value.kind() not in ("string", "template_string"):
        return None
    return javascript.decoded(value.text()[1:-1])


def arguments_of(pair: SgNode | None) -> list[str]:
    """``args``: one text, or an array of them."""
    value = pair.field("value") if pair is not None else None
    if value is not None and value.kind() == "array":
        items = [child for child in value.children() if child.is_named()]
        return [javascript.decoded(item.text()[1:-1]) for item in items if item.kind() == "string"]
    return split(plain(pair) or "")


def started_by(pairs: dict[str, SgNode], project: BotProject, beside: str) -> Started:
    """beside: the folder of the file, where pm2 starts what names no ``cwd``."""
    script = plain(pairs["script"])
    if script is None:
        value = pairs["script"].field("value")
        joined = javascript.PATH_CALL.match(value.text()) if value is not None else None
        parts = ["".join(part) for part in javascript.QUOTED.findall(joined[1])] if joined else []
        if not parts:
            return Started("unknown", "", "its script is computed")
        script = "/".join(["${root}", *parts])
    named = split(script)
    if not named:
        return Started("unknown", "", "it names no script")
    words = [*named, *arguments_of(pairs.get("args"))]
    interpreter = plain(pairs.get("interpreter")) or ""
    if interpreter and interpreter != "none":
        words = [interpreter, *words]
    elif words[0].endswith(SCRIPTS) or FOLDER.fullmatch(words[0]):
        words = ["node", *words]
    elif words[0].endswith(".py"):
        words = ["python3", *words]
    given = plain(pairs.get("cwd"))
    folder = posixpath.normpath(posixpath.join(beside, given)) if given else beside
    return Reader(project, folder="" if folder == "." else folder).command(words)


def restarts(app: App) -> Supervisor:
    wanted = app.value("autorestart")
    ends = app.value("stop_exit_codes")
    off = wanted is not None and wanted.text() == "false"
    most, least = app.number("max_restarts"), app.number("min_uptime")
    return Supervisor(
        "pm2",
        "no" if off else "always",
        (app.number("restart_delay") or 0) / 1000,
        prevent_codes=codes(ends.text()) if ends is not None else (),
        max_restarts=int(most) if most is not None else 16,
        min_uptime_s=least / 1000 if least is not None else 1.0,
        backoff_s=(app.number("exp_backoff_restart_delay") or 0) / 1000,
    )
