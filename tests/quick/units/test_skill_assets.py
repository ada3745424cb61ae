"""--only-skill-assets: the skill that brings the channel brings the mended generator, too."""

from __future__ import annotations

from pathlib import Path

import pytest

from modify.units.codemod import examine
from skill.edit import Patch, apply_edits
from skill.host import Host
from skill.options import Options
from tests.quick.rules.service_cases.harness import (
    NODE_START,
    RESTARTS_WELL,
    SOUND,
    grown,
    make_host,
    unit,
)

SKILL = ".claude/skills/add-whatsapp"
COPY = f"{SKILL}/modify/setup/service.ts"
INTENT = f"{COPY}.intent.md"
MANIFEST = f"{SKILL}/manifest.yaml"
START = NODE_START.replace("/usr/bin/node /opt/bot", "${node} ${root}")


def generator(text: str) -> str:
    return f"export const makeUnit = (node: string, root: string) => `{text}`;\n"


BEFORE = generator(unit("Restart=always\nRestartSec=5\n", "", START))
AFTER = generator(grown(unit(RESTARTS_WELL, SOUND, START)))
LIST = "adds:\n  - src/channels/whatsapp.ts\nmodifies:\n  - src/index.ts # the boot\ntest: x\n"
FILES: dict[str, str | bytes] = {
    "src/whatsapp.ts": "export {};\n",  # the core has no channel
    "setup/service.ts": BEFORE,
    f"{SKILL}/add/src/channels/whatsapp.ts": (
        "makeWASocket({});\nsock.ev.on('connection.update', on);\n"
    ),
    MANIFEST: "skill: whatsapp\n" + LIST,
}
ONLY = Options(only_skill_assets=True)


def write(host: Host, patch: Patch) -> Host:
    contents = {path: apply_edits(host.read(path), edits) for path, edits in patch.edits.items()}
    contents |= {path: addition.content for path, addition in patch.additions.items()}
    for path, content in contents.items():
        target = host.root / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content)
    return Host(host.root)


def check_settled(host: Host) -> None:
    again = examine(host, ONLY)
    assert not again.edits
    assert not again.additions
    assert not again.findings


UNTOUCHED: dict[str, dict[str, str | bytes]] = {
    "a generator that is right": {"setup/service.ts": AFTER},
    "no manifest": {MANIFEST: b""},
    "the channel is the tree's own": {
        f"{SKILL}/add/src/channels/whatsapp.ts": "export {};\n",
        "src/whatsapp.ts": "makeWASocket({});\nsock.ev.on('connection.update', on);\n",
    },
    "a side service": {"setup/service.ts": BEFORE.replace("${root}/dist/index.js", "/usr/bin/top")},
    "a unit that is a file": {
        "setup/service.ts": "export {};\n",
        "deploy/bot.service": unit("Restart=always\n", ""),
    },
}


@pytest.mark.parametrize("files", UNTOUCHED.values(), ids=UNTOUCHED.keys())
def test_nothing_is_brought(tmp_path: Path, files: dict[str, str | bytes]) -> None:
    host = make_host(tmp_path, {**FILES, **files})
    if not files.get(MANIFEST, b"x"):
        (tmp_path / MANIFEST).unlink()
        host = Host(tmp_path)
    patch = examine(host, ONLY)
    assert not patch.additions
    assert not patch.edits
    assert not patch.findings


def test_whole_copy_with_intent_and_manifest(tmp_path: Path) -> None:
    patch = examine(make_host(tmp_path, FILES), ONLY)
    assert set(patch.additions) == {COPY, INTENT}
    assert patch.additions[COPY].content == AFTER.encode()
    intent = patch.additions[INTENT].content.decode()
    assert "`Restart=on-failure`" in intent
    assert "`[Unit]`" in intent
    assert "launchd" not in intent
    assert set(patch.edits) == {MANIFEST}
    manifest = apply_edits(Host(tmp_path).read(MANIFEST), patch.edits[MANIFEST]).decode()
    assert manifest == "skill: whatsapp\n" + LIST.replace(
        "# the boot\n", "# the boot\n  - setup/service.ts\n"
    )
    assert {(finding.path, finding.rule) for finding in patch.findings} == {
        ("setup/service.ts", "systemd-restart-always"),
        ("setup/service.ts", "systemd-start-limit"),
    }
    assert all(COPY in (finding.fix or "") for finding in patch.findings)
    check_settled(write(Host(tmp_path), patch))


def test_copy_that_is_there_is_mended(tmp_path: Path) -> None:
    mine = "// a banner of the skill's own\n"
    files = {**FILES, COPY: mine + BEFORE, INTENT: "# Intent\n\nA banner."}
    patch = examine(make_host(tmp_path, files), ONLY)
    assert not patch.additions
    host = write(Host(tmp_path), patch)
    assert host.read(COPY) == (mine + AFTER).encode()
    assert host.read("setup/service.ts") == BEFORE.encode()
    intent = host.read(INTENT).decode()
    assert intent.startswith("# Intent\n\nA banner.\n\n## Service units\n")
    assert b"  - setup/service.ts\n" in host.read(MANIFEST)
    check_settled(host)


def test_copy_is_mended_with_the_tree(tmp_path: Path) -> None:
    files = {**FILES, COPY: BEFORE, INTENT: "# Intent\n"}
    host = write(Host(tmp_path), examine(make_host(tmp_path, files), Options()))
    assert host.read(COPY) == host.read("setup/service.ts") == AFTER.encode()
    assert b"## Service units" in host.read(INTENT)
    again = examine(host, Options())
    assert not again.edits and not again.additions


def test_test_that_imports_the_generator_comes_along(tmp_path: Path) -> None:
    text = (
        "import { makeUnit } from './service.js';\nit('x', () => {\n"
        "  expect(makeUnit('n', '/r')).toContain('Restart=always');\n});\n"
    )
    copy = f"{SKILL}/modify/setup/service.test.ts"
    patch = examine(make_host(tmp_path, {**FILES, "setup/service.test.ts": text}), ONLY)
    assert set(patch.additions) == {COPY, INTENT, copy, f"{copy}.intent.md"}
    assert patch.additions[copy].content.decode() == text.replace("always", "on-failure")
    host = write(Host(tmp_path), patch)
    assert b"  - setup/service.ts\n" in host.read(MANIFEST)
    assert b"  - setup/service.test.ts\n" in host.read(MANIFEST)
    check_settled(host)


def test_test_with_its_own_copy_is_left(tmp_path: Path) -> None:
    """It passes with the mended generator, as it does with the core's."""
    text = BEFORE + "it('x', () => {\n  expect(makeUnit()).toContain('Restart=always');\n});\n"
    patch = examine(make_host(tmp_path, {**FILES, "setup/service.test.ts": text}), ONLY)
    assert set(patch.additions) == {COPY, INTENT}


def test_without_a_skill_it_is_said(tmp_path: Path) -> None:
    files = UNTOUCHED["the channel is the tree's own"]
    patch = examine(make_host(tmp_path, {**FILES, **files}), ONLY)
    assert [(note.path, note.kind) for note in patch.notes] == [("setup/service.ts", "ignored")]
