"""Several hundred ways to write the same few flaws: each is patched, and none is half patched."""

from __future__ import annotations

import json
import os
import re
import shutil
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from math import ceil
from pathlib import Path

import pytest

from modify.baileys.codemod import examine
from modify.baileys.model.anchors import is_held, read_channels
from modify.kit.typescript.source import Source
from skill.edit import Edit, Patch, apply_edits
from skill.host import Host
from skill.options import Options
from skill.storm.node.run import simulate
from skill.storm.scenarios import EXTRA, TABLE
from skill.storm.supervisor import ON_FAILURE_10S
from tests.slow.e2e.programs import Run, Tool, tools
from tests.slow.matrix.variants import (
    FAMILIES,
    HELD,
    Variant,
    channel_text,
    surroundings,
    variants,
)

SAMPLE = 24
"""How many of the patched ones go through the storm table on every run; `make storms` takes all."""


@dataclass
class Grown:
    """A variation on disk, and what was planned for it."""

    variant: Variant
    folder: Path
    broken: list[str] = field(default_factory=list)

    @property
    def channel(self) -> Path:
        return self.folder / self.variant.path

    def breaks(self, what: str) -> None:
        self.broken.append(f"{self.variant.id}: {what}")


def grow(folder: Path, wanted: Iterable[Variant], node_tools: Path) -> list[Grown]:
    """Write the variations as hosts of their own, and let prettier give each its form."""
    os.symlink(node_tools / "node_modules", folder / "node_modules")
    grown = []
    for variant in wanted:
        home = folder / variant.id
        files = {variant.path: channel_text(variant), **surroundings(variant)}
        files[".prettierrc.json"] = json.dumps(dict(variant.prettier))
        for name, text in files.items():
            (home / name).parent.mkdir(parents=True, exist_ok=True)
            (home / name).write_text(text)
        grown.append(Grown(variant, home))
    done = run(node_tools, folder, "prettier", "--write", "--log-level=warn", "*/src/*")
    assert done.code == 0, done.text
    return grown


def run(node_tools: Path, cwd: Path, tool: Tool, *words: str) -> Run:
    """A tool of the host, in the one process that is started, and warmed up, for all of them."""
    return tools(node_tools.resolve()).run(tool, *words, cwd=cwd)


def patch(one: Grown) -> None:
    """Plan, apply and take back; leave the patched host on disk."""
    host = Host(one.folder)
    made = examine(host, Options())
    for path, edits in made.edits.items():
        before = host.read(path)
        after = apply_edits(before, edits)
        if taken_back(after, edits, before) != before:
            one.breaks("its edits cannot be taken back")
        if b"\r\n" in before and re.search(rb"(?<!\r)\n", after):
            one.breaks("its line ends are mixed")
        (one.folder / path).write_bytes(after)
    for path, added in made.additions.items():
        (one.folder / path).write_bytes(added.content)
    hand_offs = [finding for finding in made.findings if finding.is_hand_off]
    if hand_offs:
        one.breaks(f"handed off: {hand_offs[0].reason}")
    judge(one, examine(Host(one.folder), Options()))


def taken_back(after: bytes, edits: Iterable[Edit], before: bytes) -> bytes:
    """The file with every edit reversed in its place."""
    parts, position, shift = [], 0, 0
    for edit in sorted(set(edits)):
        start = edit.start + shift
        parts += [after[position:start], before[edit.start : edit.end]]
        position = start + len(edit.text)
        shift += len(edit.text) - (edit.end - edit.start)
    return b"".join([*parts, after[position:]])


def judge(one: Grown, again: Patch) -> None:
    """Whether the file is what it must be: rewritten, or its dial is held."""
    if again.edits or again.additions:
        one.breaks("a second apply changes it again")
    content = one.channel.read_bytes()
    channels = read_channels(Source.parse(one.variant.path, content))
    if again.findings:
        one.breaks(f"check finds {again.findings[0].rule}: {again.findings[0].message}")
    if len(channels) != 1:
        one.breaks("its channel is not known again")
        return
    channel = channels[0]
    if one.variant.family in HELD:
        if not is_held(channel.socket_call) or channel.is_gated:
            one.breaks("not held")
        if not any(note.kind == "held" for note in again.notes):
            one.breaks("held, and inspect does not say so")
        return
    if not channel.is_gated or not channel.is_watched or not channel.is_settled:
        one.breaks("not rewritten")
    if b"process.exit(1)" in content:
        one.breaks("exit 1 is left")


# --- what the host's own tools say --------------------------------------------------------


def errors_of_types(folder: Path, node_tools: Path, grown: list[Grown]) -> Mapping[str, list[str]]:
    """tsc's errors by variation, from one process; unused names count."""
    options: dict[str, object] = {"target": "ES2022", "module": "NodeNext", "lib": ["ES2022"]}
    options |= dict.fromkeys(("strict", "noEmit", "noUnusedLocals", "skipLibCheck"), True)
    options["types"] = ["node"]
    files = [f"{one.variant.id}/src/*.ts" for one in grown if one.variant.is_typed]
    config = {"compilerOptions": options, "include": files}
    (folder / "tsconfig.json").write_text(json.dumps(config))
    done = run(node_tools, folder, "tsc")
    found: dict[str, list[str]] = {}
    for line in done.stdout.decode().splitlines():
        if named := re.match(r"([^/\s]+)/src/(.*error.*)", line):
            found.setdefault(named[1], []).append(named[2])
    assert bool(found) == bool(done.code), done.text
    return found


def ugly(folder: Path, node_tools: Path) -> list[str]:
    """Channel files that prettier would write in another way."""
    pattern = "*/src/{channel,logger}.*"
    done = run(node_tools, folder, "prettier", "--list-different", pattern)
    assert done.code == bool(done.stdout), done.text
    return done.stdout.decode().split()


def share_modules(grown: list[Grown]) -> None:
    """Let the type check read each added module once; tests/slow/policy checks them as they are."""
    shared: dict[str, Path] = {}
    for one in grown:
        module = one.folder / "src" / "whatsapp-reconnect.ts"
        if module.exists():
            first = shared.setdefault(module.read_text(), module)
            if first is not module:
                target = os.path.relpath(first, module.parent).removesuffix(".ts")
                module.write_text(f"export * from '{target}.js';\n")


def test_every_variation_is_patched(tmp_path: Path, node_tools: Path) -> None:
    grown = grow(tmp_path, variants(), node_tools)
    assert len(grown) >= 300
    assert not errors_of_types(tmp_path, node_tools, grown), "the variations are wrong"
    for one in grown:
        patch(one)
    looks = ugly(tmp_path, node_tools)
    share_modules(grown)
    types = errors_of_types(tmp_path, node_tools, grown)
    for one in grown:
        for line in types.get(one.variant.id, []):
            one.breaks(line)
    broken = [line for one in grown for line in one.broken]
    broken += [f"not as prettier writes it: {path}" for path in looks]
    outcomes = Counter(one.variant.family for one in grown if not one.broken)
    print(f"{sum(outcomes.values())} of {len(grown)} are right:", dict(outcomes))
    assert broken == []


def test_a_sample_holds_every_storm(tmp_path: Path, node_tools: Path) -> None:
    """Each family in turn, so that the sample has each handler, shape, scope and language."""
    every = [v for v in variants() if v.family not in HELD]
    chosen = every[:: ceil(len(every) / SAMPLE)]
    assert len({v.family for v in chosen}) == len(FAMILIES) - len(HELD)
    assert len({v.scope for v in chosen}) == 3 and len({v.language for v in chosen}) == 5
    assert storms(grow(tmp_path, chosen, node_tools), node_tools) == []


@pytest.mark.storms
def test_every_variation_holds_every_storm(tmp_path: Path, node_tools: Path) -> None:
    every = [v for v in variants() if v.family not in HELD]
    assert storms(grow(tmp_path, every, node_tools), node_tools) == []


def storms(grown: Iterable[Grown], node_tools: Path) -> list[str]:
    """The promises that the patched hosts break, a line each."""
    broken = []
    for one in grown:
        patch(one)
        outcomes = simulate(
            one.folder,
            one.variant.path,
            driver="class" if one.variant.scope == "class" else "module",
            start=None if one.variant.scope == "class" else "start",
            supervisor=ON_FAILURE_10S,
            scenarios=(*TABLE, *EXTRA),
            node_tools=node_tools,
        )
        broken += [
            f"{one.variant.id}: {outcome.scenario.id}: {line}"
            for outcome in outcomes
            for line in outcome.broken()
        ]
        shutil.rmtree(one.folder)
    return broken
