"""Whether the bot is patched or guarded, by which version, and whether that is whole."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from modify.added_modules import lost_modules
from modify.rules import channel_rule_ids
from skill.doctor.answer import Answer, Unseen
from skill.doctor.files import head
from skill.doctor.scene import Scene
from skill.errors import SkillgenError
from skill.finding import Finding
from skill.guard import values
from skill.guard.command import guarded
from skill.guard.render import guard_identity
from skill.report import text
from skill.source_paths import SKILL_ASSETS, is_among_tests

NAME = "protection"
REQUIRED = re.compile(r"--require=\"?([^\s\"]+skillgen/guard\.cjs)")
LARGEST = 1_000_000
MORE = " (-v says why)"


def protection(scene: Scene) -> Iterator[Answer | Unseen]:
    try:
        findings = scene.plan.findings
    except SkillgenError as error:
        # Nothing is known of the source, and so nothing is well.
        yield Answer(NAME, "wrong", str(error), (f"skillgen inspect {scene.root}",))
        return
    if scene.modules:
        yield patched(scene, findings)
        yield from drift(scene)
        yield from guarded_as_well(scene)
    elif scene.is_guarded:
        yield from by_guard(scene, findings)
    elif findings:
        text_ = f"neither patched nor guarded, and {found(findings)}"
        yield Answer(NAME, "wrong", text_, (mend(scene),))
    else:
        seen = text.nothing(scene.plan).removeprefix("nothing to do: ").removesuffix(MORE)
        is_right = any(note.kind in ("right", "held") for note in scene.plan.notes)
        next_ = () if is_right else (f"skillgen inspect {scene.root} --verbose",)
        how = f"neither patched nor guarded: {seen}"
        yield Answer(NAME, "ok" if is_right else "warning", how, next_)


def patched(scene: Scene, findings: Sequence[Finding]) -> Answer:
    for lost in lost_modules(scene.host):
        why = f"{lost.path}:{lost.line}: {lost.message}"
        return Answer(NAME, "wrong", why, (f"skillgen apply {scene.root}",))
    edited = [each["path"] for each in scene.modules if not each["intact"]]
    if edited:
        why = f"patched, but {text.listed(edited)} is not as skillgen made it"
        return Answer(NAME, "wrong", why, (f"skillgen apply {scene.root} --dry-run",))
    how = f"patched with skillgen {named(scene.modules)}"
    if not findings:
        return Answer(NAME, "ok", f"{how}; the module is whole, and check finds nothing")
    if all(finding.contained for finding in findings):
        return Answer(NAME, "warning", f"{how}; bounded, and {found(findings)}", (mend(scene),))
    return Answer(NAME, "wrong", f"{how}, and {found(findings)}", (mend(scene),))


def drift(scene: Scene) -> Iterator[Answer]:
    record = scene.record
    changed = [*record.changed, *record.missing] if record else []
    if changed:
        why = f"changed since the patch: {text.listed(changed)}"
        yield Answer(NAME, "warning", why, (f"skillgen status {scene.root}",))


def guarded_as_well(scene: Scene) -> Iterator[Answer]:
    if any(each.is_guarded for each in scene.services):
        undo = dict.fromkeys(each["undo"] for each in guarded(scene.host))
        text_ = "the unit loads the guard as well: take it back once the patched bot has run"
        yield Answer(NAME, "warning", text_, tuple(undo))


def by_guard(scene: Scene, findings: Sequence[Finding]) -> Iterator[Answer | Unseen]:
    for path in guards_of(scene):
        try:
            why = broken(path)
        except OSError as error:
            yield Unseen(str(path), error.strerror or str(error))
            continue
        if why:
            again = f"skillgen service {scene.root} --apply --guard"
            yield Answer(NAME, "wrong", why, (again,))
            return
    versions = named(guarded(scene.host))
    how = f"guarded by skillgen {versions}" if versions else "guarded"
    if findings:
        how += f"; the source is as it was: {found(findings)}"
        yield Answer(NAME, "warning", how, (mend(scene),))
    else:
        yield Answer(NAME, "ok", how)


def guards_of(scene: Scene) -> list[Path]:
    """The guards that units and processes load."""
    options = [each.options for each in scene.running]
    for service in scene.bots:
        shown = getattr(service.own, "shown", None) or {}
        variables = values.systemd_variables(shown.get("Environment", ""))
        options.append(variables.get(values.NODE_OPTIONS, ""))
    seen = (REQUIRED.search(each) for each in options)
    return list(dict.fromkeys(Path(each[1]) for each in seen if each is not None))


def broken(path: Path) -> str:
    """What is wrong with a guard, or nothing. Raises OSError."""
    content = head(path, LARGEST)
    if content is None:
        return f"the guard is gone, and Node does not start without it: {path}"
    identity = guard_identity(content)
    is_whole = identity is not None and identity[1]
    return "" if is_whole else f"the guard is not as it was made: {path}"


def named(parts: Sequence[Mapping[str, object]]) -> str:
    """The versions of skillgen that made them."""
    return ", ".join(dict.fromkeys(str(each["version"]) for each in parts))


def found(findings: Sequence[Finding]) -> str:
    """How many there are, and the one that matters most."""
    first = min(findings, key=worth)
    return f"{text.count(len(findings), 'finding')}: {first.path}:{first.line} {first.message}"


def worth(finding: Finding) -> tuple[bool, bool, bool, Finding]:
    """A channel comes before units, what runs before copies of it, tests come last."""
    path = finding.path
    is_channel = finding.rule in channel_rule_ids()
    return is_among_tests(path), not is_channel, path.startswith(SKILL_ASSETS), finding


def mend(scene: Scene) -> str:
    """The command for what is left in the source."""
    if scene.plan.settled:
        return f"skillgen apply {scene.root} --dry-run"
    return f"skillgen inspect {scene.root}"
