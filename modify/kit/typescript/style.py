"""How a host writes its TypeScript: read from its prettier configuration and its own lines.

What the text of the file shows wins for quotes, semicolons and indentation, since the
file is what a reader compares with; the configuration gives what a text cannot show.
"""

from __future__ import annotations

import itertools
import json
import posixpath
import re
from dataclasses import replace
from typing import Any

from skill.host import Host, fact
from skill.package_json import package_at
from skill.render.style import Style

PRETTIER_FILES = (
    ".prettierrc",
    ".prettierrc.json",
    ".prettierrc.yaml",
    ".prettierrc.yml",
    ".prettierrc.json5",
)
COMMENTS = re.compile(r'"(?:\\.|[^"\\])*"|//[^\n]*|/\*.*?\*/', re.DOTALL)


@fact
def detect_style(host: Host, path: str, text: str) -> Style:
    """The style of one file of the host. text: its source."""
    configuration = prettier_configuration(host, path)
    style = from_prettier(configuration)
    if not configuration and lacks_trailing_commas(text.replace("\r\n", "\n")):
        style = replace(style, trailing_commas="none")
    singles = len(re.findall(r"(?:from|require\(|import) ?'", text))
    doubles = len(re.findall(r'(?:from|require\(|import) ?"', text))
    if singles != doubles:
        style = replace(style, quote="'" if singles > doubles else '"')
    lines = text.splitlines()
    ended = sum(line.rstrip().endswith(";") for line in lines)
    imports = [
        line for line in lines if re.match(r"import .*['\"]\s*;?\s*$|const .*require\(", line)
    ]
    if imports:
        style = replace(
            style, semicolons=sum(i.rstrip().endswith(";") for i in imports) * 2 >= len(imports)
        )
    elif lines:
        style = replace(style, semicolons=ended * 10 >= len(lines))
    style = replace(style, indent=indentation(lines) or style.indent)
    style = replace(style, end_of_line="\r\n" if "\r\n" in text else "\n")
    return replace(style, import_extension=import_extension(host, path, text))


def indentation(lines: list[str]) -> str | None:
    """One level of indentation, as most lines that open a level show it."""
    votes: dict[str, int] = {}
    for line, following in itertools.pairwise(lines):
        if not line.rstrip().endswith("{"):
            continue
        here = re.match(r"[ \t]*", line).group()  # type: ignore[union-attr]
        there = re.match(r"[ \t]*", following).group()  # type: ignore[union-attr]
        if there.startswith(here) and len(there) > len(here):
            step = there[len(here) :]
            votes[step] = votes.get(step, 0) + 1
    return max(votes, key=lambda step: votes[step]) if votes else None


def lacks_trailing_commas(text: str) -> bool:
    """Whether objects that span lines mostly end without a comma, as StandardJS has it."""
    last: list[str] = re.findall(
        r"^[ \t]*(?!case\b|default\b)[\w'\"$-]+: ([^\n]+)\n[ \t]*\}", text, re.M
    )
    last += re.findall(r"^[ \t]+(\w+,?)\n\} (?:=|from)", text, re.M)
    ended = [entry for entry in last if not entry.endswith(("{", "(", "[", ";"))]
    return sum(entry.endswith(",") for entry in ended) * 2 < len(ended)


def import_extension(host: Host, path: str, text: str) -> str:
    """The ending that relative imports of the file carry: ``.js``, ``.ts`` or none.

    A file that has no such import is taken by its package: TypeScript needs the ending only
    where Node.js takes what it makes for an ES module.
    """
    found = re.findall(r"""(?:from|import|require\()\s*['"](\.[^'"]*)['"]""", text)
    endings = [posixpath.splitext(module)[1] for module in found]
    for ending in (".js", ".ts", ".mjs", ".cjs"):
        if ending in endings:
            return ending
    return "" if found or not is_es_package(host, path) else ".js"


def is_es_package(host: Host, path: str) -> bool:
    """Whether the nearest package.json has ``"type": "module"``; True without a package.json."""
    folder = path
    while folder:
        folder = posixpath.dirname(folder)
        package = posixpath.join(folder, "package.json")
        if host.exists(package):
            return re.search(rb'"type"\s*:\s*"module"', host.read(package)) is not None
    return True


def prettier_configuration(host: Host, path: str) -> dict[str, Any]:
    """The nearest configuration that is plain data, overrides left out: prettier's, or in
    its names that of biome or oxfmt, which format alike.
    """
    folder = posixpath.dirname(path)
    while True:
        for name in PRETTIER_FILES:
            candidate = posixpath.join(folder, name)
            if host.exists(candidate):
                return parse_configuration(host.read(candidate).decode("utf-8", "replace"))
        found = package_at(host, folder).get("prettier")
        if isinstance(found, dict):
            return found
        if other := other_formatter(host, folder):
            return other
        if not folder:
            return {}
        folder = posixpath.dirname(folder)


def other_formatter(host: Host, folder: str) -> dict[str, Any]:
    """Settings of biome or oxfmt in a folder, under prettier's names, with their defaults."""
    for name in ("biome.json", "biome.jsonc", ".oxfmtrc.json", ".oxfmtrc.jsonc"):
        path = posixpath.join(folder, name)
        if not host.exists(path):
            continue
        found = parse_jsonc(host.read(path).decode("utf-8", "replace"))
        return from_biome(found) if name.startswith("biome") else {"printWidth": 100, **found}
    return {}


def from_biome(found: dict[str, Any]) -> dict[str, Any]:
    general, script = table(found, "formatter"), table(found, "javascript", "formatter")
    if False in (general.get("enabled"), script.get("enabled")):
        return {}
    both = {**general, **script}
    return {
        "printWidth": both.get("lineWidth", 80),
        "useTabs": both.get("indentStyle", "tab") == "tab",
        "tabWidth": both.get("indentWidth", 2),
        "singleQuote": both.get("quoteStyle") == "single",
        "semi": both.get("semicolons") != "asNeeded",
        "trailingComma": both.get("trailingCommas", "all"),
        "arrowParens": "avoid" if both.get("arrowParentheses") == "asNeeded" else "always",
        "bracketSpacing": both.get("bracketSpacing", True),
    }


def table(data: dict[str, Any], *keys: str) -> dict[str, Any]:
    for key in keys:
        found = data.get(key)
        data = found if isinstance(found, dict) else {}
    return data


def parse_jsonc(text: str) -> dict[str, Any]:
    """The object in JSON with comments and trailing commas; empty where it cannot be read."""
    kept = COMMENTS.sub(lambda found: found[0] if found[0].startswith('"') else "", text)
    try:
        found = json.loads(re.sub(r",(\s*[}\]])", r"\1", kept))
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def parse_configuration(text: str) -> dict[str, Any]:
    """JSON, or the flat ``key: value`` lines that YAML and JSON5 configurations are."""
    try:
        found = json.loads(text)
        return found if isinstance(found, dict) else {}
    except (ValueError, RecursionError):
        pass
    values: dict[str, Any] = {}
    for key, value in re.findall(
        r"""^\s*['"]?(\w+)['"]?\s*:\s*['"]?([\w-]+)['"]?\s*,?\s*$""", text, re.M
    ):
        values[key] = {"true": True, "false": False}.get(
            value, int(value) if re.fullmatch("[0-9]{1,4}", value) else value
        )
    return values


def whole(configuration: dict[str, Any], key: str, default: int) -> int:
    """A number that prettier would take, else its default."""
    value = configuration.get(key)
    return value if isinstance(value, int) and 0 < value <= 1000 else default


def from_prettier(configuration: dict[str, Any]) -> Style:
    """prettier's own defaults where nothing is set (prettier 3: double quotes, width 80)."""
    tabs = configuration.get("useTabs") is True
    return Style(
        indent="\t" if tabs else " " * whole(configuration, "tabWidth", 2),
        quote="'" if configuration.get("singleQuote") is True else '"',
        semicolons=configuration.get("semi") is not False,
        width=whole(configuration, "printWidth", 80),
        trailing_commas=str(configuration.get("trailingComma", "all")),  # type: ignore[arg-type]
        arrow_parens=configuration.get("arrowParens", "always") != "avoid",
        bracket_spacing=configuration.get("bracketSpacing") is not False,
    )
