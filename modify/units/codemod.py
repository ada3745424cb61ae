"""Service units, wherever their text lives: files, template literals, heredocs, documents.

One pass: find every unit text, read each once, ask what it starts, let the rules look at
those that start the host itself, and carry the edits on to the host's own tests.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from modify.channel_files import has_channel
from modify.nanoclaw import skill_assets
from modify.rules import Sight, ids, sights_of
from modify.units import line_built_units, managers, process_managers, respawning
from modify.units.bot_project import BotProject
from modify.units.dependency import missing_dependency
from modify.units.locate import unit_texts
from modify.units.managers import docker_run, launchd, systemd
from modify.units.model import UnitText
from modify.units.process_managers import faults_of, unknown
from modify.units.started import Started
from modify.units.started_program import started_by
from skill.edit import Patch
from skill.errors import SkillgenError
from skill.finding import Note
from skill.host import Host
from skill.options import Options
from skill.render.service_units import add_service
from skill.source_paths import SKILL_ASSETS

Unit = systemd.SystemdUnit | launchd.LaunchdUnit


@dataclass(frozen=True)
class Seen:
    """A unit and what it starts."""

    unit: Unit
    started: Started


def examine(host: Host, options: Options) -> Patch:
    """Look at every service unit of a host with a WhatsApp channel. Writes nothing."""
    patch = Patch()
    if not has_channel(host):
        return patch
    texts = list(unit_texts(host))
    project = BotProject(host)
    units = read_units(project, [text for text in texts if text.kind not in managers.KINDS])
    ours = [seen for seen in units if seen.started.is_host and is_ours(seen.unit, units)]
    examined: list[tuple[Unit, list[Sight]]] = []
    outside: list[tuple[Unit, list[Sight]]] = []
    for seen in units:
        if not options.covers(seen.unit.text.path):
            if seen in ours and seen.unit.text.form == "literal" and not seen.unit.text.in_test:
                outside.append((seen.unit, faults_of(seen.unit, options)))
            continue
        if seen in ours:
            faults = faults_of(seen.unit, options)
            verify(seen.unit, faults, options)
            examined.append((seen.unit, faults))
            report(seen, faults, patch)
        else:
            left_alone(seen, units, options, patch)
    others = [
        text
        for text in texts
        if text.kind in managers.KINDS and not text.in_test and options.covers(text.path)
    ]
    patch.merge(process_managers.examine(others, project, options))
    for path in host.files:
        if options.covers(path):
            patch.merge(
                line_built_units.examine(host, path, [seen.unit.text for seen in units], options)
            )
            patch.merge(docker_run.examine(path, project, options))
            patch.merge(respawning.examine(path, project, options))
    tested: list[Sight] = []
    if ids.FAULT_ASSERTING_TEST not in options.ignore:
        foreign = [seen.unit for seen in units if seen not in ours]
        for fault in sights_of("unit-assertions", host, [*examined, *outside], foreign):
            if options.covers(fault.finding.path):
                add(fault, patch)
            elif options.only_skill_assets:
                tested.append(fault)
    if options.only_skill_assets:
        bring_generators(project, outside, tested, options, patch)
    if any(path.startswith(SKILL_ASSETS) for path in patch.edits):
        skill_assets.amend(host, patch)
    if options.add_service is not None:
        present = [seen.unit.text for seen in ours]
        present += process_managers.of_host(others, project)
        add_service(host, options, present, patch)
    return patch


def bring_generators(
    project: BotProject,
    outside: list[tuple[Unit, list[Sight]]],
    tested: list[Sight],
    options: Options,
    patch: Patch,
) -> None:
    """The tree's own generators as copies in a skill, with the tests that import them."""
    for unit, faults in outside:
        verify(unit, faults, options)
    generators = {unit.text.path for unit, faults in outside if faults}
    faults = [fault for _, found in outside for fault in found]
    faults += [
        fault
        for fault in tested
        if not generators.isdisjoint(project.imports_of(fault.finding.path))
    ]
    skill_assets.bring_copies(project, faults, patch)


def read_units(project: BotProject, texts: list[UnitText]) -> list[Seen]:
    """Every unit of systemd and launchd, each read once, and what it starts."""
    units = with_bases([read(text) for text in texts])
    seen = []
    for unit in units:
        started = started_by(unit, project)
        if started.is_host and isinstance(unit, systemd.SystemdUnit):
            unit = replace(unit, waits_for=missing_dependency(project.host))
        seen.append(Seen(unit, started))
    return seen


def read(text: UnitText) -> Unit:
    return launchd.parse(text) if text.kind == "launchd" else systemd.parse(text)


def with_bases(units: list[Unit]) -> list[Unit]:
    """Drop-ins know the unit that they add to, when it is in the host."""
    by_name = {unit.text.path.rpartition("/")[2]: unit for unit in units}
    joined: list[Unit] = []
    for unit in units:
        if isinstance(unit, systemd.SystemdUnit) and unit.is_drop_in:
            base = by_name.get(unit.text.path.split("/")[-2].removesuffix(".d"))
            if isinstance(base, systemd.SystemdUnit) and base is not unit:
                unit = replace(unit, base=base)
        joined.append(unit)
    return joined


def with_base(unit: Unit, like: Unit) -> Unit:
    if isinstance(unit, systemd.SystemdUnit) and isinstance(like, systemd.SystemdUnit):
        return replace(unit, base=like.base, waits_for=like.waits_for)
    return unit


def command_of(unit: Unit) -> str:
    if isinstance(unit, launchd.LaunchdUnit):
        return " ".join(unit.arguments)
    return unit.command.source if unit.command else ""


def is_ours(unit: Unit, units: list[Seen]) -> bool:
    """A text in a test is a copy of the host's unit if a unit outside tests starts the same."""
    if not unit.text.in_test:
        return True
    return any(
        same_command(command_of(seen.unit), command_of(unit))
        for seen in units
        if not seen.unit.text.in_test and seen.unit.text.kind == unit.text.kind
    )


def same_command(original: str, copy: str) -> bool:
    """Whether the copy is the original with its computed parts filled in, or renamed."""
    parts = re.split(r"\$\{[^}]*\}|\{\{.*?\}\}|\$\w+", original.strip())
    pattern = ".+".join(re.escape(part) for part in parts)
    return bool(original) and re.fullmatch(pattern, copy.strip(), re.DOTALL) is not None


def verify(unit: Unit, faults: list[Sight], options: Options) -> None:
    """Read the unit again as it will be: nothing may be left that an edit was to settle."""
    edits = [edit for fault in faults for edit in fault.edits]
    if not edits:
        return
    left = [
        fault
        for fault in faults_of(with_base(read(unit.text.after(edits)), unit), options)
        if fault.edits and not options.accepts_any(unit.text.path, fault.finding.rule)
    ]
    if left:
        where = f"{unit.text.path}:{left[0].finding.line}"
        raise SkillgenError(
            f"{where}: the changed unit still has {left[0].finding.rule}; nothing was written, "
            f"please report it, and go on with --ignore {left[0].finding.rule}"
        )


def add(fault: Sight, patch: Patch) -> None:
    patch.findings.append(fault.finding)
    if fault.edits:
        patch.add_edits(fault.finding.path, fault.edits)


def report(seen: Seen, faults: list[Sight], patch: Patch) -> None:
    for fault in faults:
        add(fault, patch)
    if not faults:
        patch.notes.append(note(seen.unit, "right", "restarts the bot as it should"))


def left_alone(seen: Seen, units: list[Seen], options: Options, patch: Patch) -> None:
    """A unit that is not plainly the host's: a note, or a hand-off if it may be the bot."""
    unit, started = seen.unit, seen.started
    if unit.text.in_test:
        return
    if started.kind == "side":
        patch.notes.append(note(unit, "side-service", f"starts {started.what}, not the bot"))
        return
    known = any(
        other.started.is_host and not other.unit.text.in_test
        for other in units
        if other.unit.text.kind == unit.text.kind
    )
    faults = faults_of(unit, options)
    if known or unit.text.form == "document" or not faults:
        message = f"cannot tell what it starts: {started.why}"
        patch.notes.append(note(unit, "unknown-service", message))
        return
    for fault in faults:
        patch.findings.append(unknown(fault.finding, started, "in this unit"))


def note(unit: Unit, kind: str, message: str) -> Note:
    text = unit.text
    start = text.start + len(text.view) - len(text.view.lstrip())
    return Note(text.path, text.place(start)[0], kind, message)
