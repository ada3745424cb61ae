"""launchd: two keys in the property list itself, as there is no file beside it that it reads."""

from __future__ import annotations

import re
from pathlib import Path

from modify.units.managers import launchd
from modify.units.model import UnitText
from skill import __version__
from skill.commands.shell import quoted
from skill.edit import Edit, apply_edits
from skill.errors import SkillgenError
from skill.guard import values
from skill.guard.files import Wanted
from skill.guard.unit import Guarding, Unit

# launchd reads no comment within a value, only between keys.
CHANGED = "<!-- Guard by skillgen {version}: the last option -->"
BEGIN, END = "<!-- Guard by skillgen {version} -->", "<!-- Guard ends -->"
BLOCK = re.compile(
    rb"(?:\r?\n[ \t]*)?<!-- Guard by skillgen (\S+?) -->.*?<!-- Guard ends -->", re.DOTALL
)
VARIABLES = "EnvironmentVariables"


def program_words(unit: Unit) -> list[str]:
    return launchd.parse(unit.text).arguments


def search_path(unit: Unit) -> str | None:
    path = environment(launchd.parse(unit.text)).get("PATH")
    return path if isinstance(path, str) else None


def environment(parsed: launchd.LaunchdUnit) -> dict[str, object]:
    found = parsed.data.get(VARIABLES)
    return found if isinstance(found, dict) else {}


def make(unit: Unit, guard: Path) -> Guarding:
    plain = stripped(unit.content)
    text = UnitText(unit.text.path, plain, 0, len(plain), "launchd")
    parsed = launchd.parse(text)
    if parsed.problem or not parsed.entries:
        raise SkillgenError(f"{unit.path}: {parsed.problem or 'has no keys'}")
    known = environment(parsed)
    pairs = {
        values.NODE_OPTIONS: values.with_guard(
            str(known.get(values.NODE_OPTIONS, "")), values.require_plain(str(guard))
        ),
        values.MEMORY: str(known.get(values.MEMORY) or unit.memory_in(parsed.folder)),
    }
    if any(Path(word).name.startswith("bun") for word in parsed.arguments):
        pairs[values.BUN_OPTIONS] = values.bun_option(str(guard))
    after = apply_edits(plain, edits(text, parsed, pairs))
    read_back = launchd.parse(UnitText(unit.text.path, after, 0, len(after), "launchd"))
    if {**known, **pairs} != environment(read_back) or stripped(after) != plain:
        raise SkillgenError(f"{unit.path}: its {VARIABLES} cannot be edited; set {pairs} by hand")
    label = str(parsed.data.get("Label", unit.path.stem))
    wanted = [Wanted(unit.path, unit.content, after)]
    return Guarding(wanted, next=steps(unit.path, label))


def edits(text: UnitText, parsed: launchd.LaunchdUnit, pairs: dict[str, str]) -> list[Edit]:
    """Whole keys in one marked block: one dictionary more, or keys at the end of the one there."""
    entry = parsed.entries.get(VARIABLES)
    known = environment(parsed)
    if entry is None:
        last = max(parsed.entries.values(), key=lambda found: found.end)
        indent = text.indentation(last.key_start).decode()
        body = ["<key>EnvironmentVariables</key>", "<dict>"]
        body += [f"    {line}" for line in keys(pairs)] + ["</dict>"]
        return [Edit(last.end, last.end, block(body, indent, text))]
    written = text.content[entry.start : entry.end]
    if not written.endswith(b"</dict>"):
        raise SkillgenError(f"{text.path}: its {VARIABLES} is empty or computed; remove it first")
    found = []
    fresh = {name: value for name, value in pairs.items() if name not in known}
    for name, value in pairs.items():
        if name in known and known[name] != value:
            found.append(changed(text, entry, name, str(known[name]), value))
    if fresh:
        # Behind the last element of the dictionary.
        end = entry.start + len(written[: -len(b"</dict>")].rstrip())
        indent = text.indentation(end).decode()
        found.append(Edit(end, end, block(keys(fresh), indent, text)))
    return found


def changed(text: UnitText, entry: launchd.Entry, name: str, before: str, after: str) -> Edit:
    """Append the guard to an existing value, with a comment that names the addition."""
    written = text.content[entry.start : entry.end]
    key = re.escape(name.encode())
    match = re.search(rb"<key>\s*" + key + rb"\s*</key>\s*<string>(.*?)</string>", written, re.S)
    if match is None or not after.startswith(before):
        raise SkillgenError(f"{text.path}: {name} cannot be edited; make it: {after}")
    start, end = entry.start + match.end(1), entry.start + match.end()
    closing = text.content[start:end].decode()
    added = launchd.escape(after[len(before) :])
    return Edit(start, end, f"{added}{closing}{CHANGED.format(version=__version__)}".encode())


def keys(pairs: dict[str, str]) -> list[str]:
    return [
        line
        for name, value in pairs.items()
        for line in (f"<key>{name}</key>", f"<string>{launchd.escape(value)}</string>")
    ]


def block(lines: list[str], indent: str, text: UnitText) -> bytes:
    shown = [BEGIN.format(version=__version__), *lines, END]
    return b"".join(text.line_break + f"{indent}{line}".encode() for line in shown)


ADDED = re.compile(
    rb" ?--require=(?:(?! --require=)[^<])*(</string>)"
    rb"<!-- Guard by skillgen (\S+?): the last option -->"
)


def stripped(content: bytes) -> bytes:
    """The property list as it was before."""
    return BLOCK.sub(b"", ADDED.sub(rb"\1", content))


def take_back(unit: Unit) -> Guarding:
    plain = stripped(unit.content)
    done = Guarding()
    if plain != unit.content:
        done.wanted.append(Wanted(unit.path, unit.content, plain))
        parsed = launchd.parse(unit.text)
        done.next += steps(unit.path, str(parsed.data.get("Label", unit.path.stem)))
    return done


def steps(path: Path, label: str) -> list[str]:
    return [
        f"launchctl bootout gui/$(id -u)/{quoted(label)}",
        f"launchctl bootstrap gui/$(id -u) {quoted(path)}",
    ]


def found(unit: Unit) -> str | None:
    header = BLOCK.search(unit.content)
    return header[1].decode() if header else None
