"""Units in skill assets: whole-file copies of the generator, their intents and manifests.

A NanoClaw v1 skill changes a file of the host by a copy of it under ``modify/``, listed in
its manifest, with an intent file beside it that says what must survive a merge. Where only
skill assets may change, the skill that brings the channel brings the mended generator, too
(as NanoClaw pull request 746 set out to do).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from modify.nanoclaw.channel_assets import list_in_manifest
from modify.rules import Sight, ids
from modify.units.bot_project import BotProject
from skill.edit import Addition, Edit, Patch, apply_edits
from skill.finding import Note
from skill.host import Host
from skill.source_paths import SKILL_ASSET

HEADING = "## Service units"
INTENT = """# Intent: {path} modifications

## What changed
{changes}

## Invariants (must-keep)
- A bot whose session was revoked ends with status 0 and is not started again: WhatsApp blocks
  numbers whose bot goes on connecting
- Everything else is the file as the core has it
"""
SECTION = """
{heading}

{changes}
- Must survive a merge: these settings, each where it stands
"""
CHANGES = {
    ids.SYSTEMD_RESTART_ALWAYS: (
        "- systemd: `Restart=on-failure` instead of `Restart=always`, and pauses that grow"
    ),
    ids.SYSTEMD_START_LIMIT: (
        "- systemd: `StartLimitIntervalSec=` and `StartLimitBurst=` in `[Unit]`, the section\n"
        "  where systemd reads them"
    ),
    ids.LAUNCHD_KEEP_ALIVE: (
        "- launchd: `KeepAlive` is the dictionary `SuccessfulExit` = false and nothing else"
    ),
    ids.FAULT_ASSERTING_TEST: "- The expectations follow the units that `setup/` writes",
}


def changes(rules: Iterable[str]) -> str:
    wanted = set(rules)
    return "\n".join(text for rule, text in CHANGES.items() if rule in wanted)


def bringing_skill(project: BotProject) -> str | None:
    """The skill that brings the WhatsApp channel, and whose manifest lists what it changes."""
    for path in sorted(project.channels):
        found = SKILL_ASSET.match(path)
        if found is None or found["part"] != "add":
            continue
        skill: str = found["skill"]
        if project.host.exists(f"{skill}/manifest.yaml"):
            return skill
    return None


def bring_copies(project: BotProject, faults: Sequence[Sight], patch: Patch) -> None:
    """The tree's generators, mended, as copies of the skill that brings the channel.

    faults: what is wrong with files outside the skill assets. A copy that is there already
    is a file like any other, and was looked at as one.
    """
    host, skill = project.host, bringing_skill(project)
    wanted: dict[str, list[Edit]] = {}
    for fault in faults:
        if fault.edits:
            wanted.setdefault(fault.finding.path, []).extend(fault.edits)
    for path, edits in sorted(wanted.items()):
        if skill is None:
            message = "lies outside the skill assets, and no skill brings the channel"
            patch.notes.append(Note(path, 1, "ignored", message))
            continue
        copy = f"{skill}/modify/{path}"
        if host.exists(copy):
            continue
        rules = tuple(sorted({edit.rule for edit in edits}))
        content = apply_edits(host.read(path), edits)
        patch.additions[copy] = Addition(copy, content, rules, host.files[path].mode)
        add_intent(host, skill, path, rules, patch)
        list_in_manifest(host, f"{skill}/manifest.yaml", "modifies", [path], patch)
        for found in (fault.finding for fault in faults if fault.finding.path == path):
            fix = f"{found.fix}, in a copy: {copy}" if found.fix else None
            patch.findings.append(replace(found, fix=fix))


def add_intent(host: Host, skill: str, path: str, rules: Iterable[str], patch: Patch) -> None:
    intent = f"{skill}/modify/{path}.intent.md"
    if host.exists(intent):
        return
    text = INTENT.format(path=path, changes=changes(rules))
    patch.additions[intent] = Addition(intent, text.encode(), tuple(rules))


def amend(host: Host, patch: Patch) -> None:
    """The intents and manifests of the copies whose units change."""
    for path, edits in list(patch.edits.items()):
        asset = SKILL_ASSET.match(path)
        rules = {edit.rule for edit in edits} & set(CHANGES)
        if asset is None or asset["part"] != "modify" or not rules:
            continue
        list_in_manifest(
            host, f"{asset['skill']}/manifest.yaml", "modifies", [asset["rest"]], patch
        )
        intent = f"{path}.intent.md"
        content = host.read(intent) if host.exists(intent) else b""
        if not content or HEADING.encode() in content:
            continue
        line_break = "\r\n" if b"\r\n" in content else "\n"
        text = SECTION.format(heading=HEADING, changes=changes(rules))
        lead = "" if content.endswith(b"\n") else line_break
        added = (lead + text.replace("\n", line_break)).encode()
        rule = min(rules)
        patch.add_edits(intent, [Edit(len(content), len(content), added, rule)])
