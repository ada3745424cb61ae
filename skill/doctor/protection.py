"""Whether the bot is patched or guarded, by which version, and whether that is whole."""

from __future__ import annotations

from collections.abc import Iterator

from modify.added_modules import lost_modules
from modify.rules import KINDS, by_id
from skill.doctor.answer import Answer, Unseen
from skill.doctor.scene import Scene
from skill.finding import Finding
from skill.guard.command import guarded
from skill.report import text
from skill.source_paths import SKILL_ASSETS, is_among_tests

NAME = "protection"


def protection(scene: Scene) -> Iterator[Answer | Unseen]:
    plan, modules = scene.plan, scene.modules
    for each in lost_modules(scene.host):
        why = f"{each.path}:{each.line}: {each.message}"
        yield Answer(NAME, "wrong", why, (f"skillgen apply {scene.root}",))
        return
    edited = [each["path"] for each in modules if not each["intact"]]
    if edited:
        why = f"patched, but {text.listed(edited)} is not as skillgen made it"
        yield Answer(NAME, "wrong", why, (f"skillgen apply {scene.root} --dry-run",))
        return
    left = len(plan.findings)
    first = min(plan.findings, key=worth, default=None)
    found = text.count(left, "finding")
    where = f"{first.path}:{first.line} {first.message}" if first else ""
    mend = f"skillgen apply {scene.root} --dry-run"
    if not plan.settled:
        mend = f"skillgen inspect {scene.root}"
    if modules:
        versions = ", ".join(dict.fromkeys(str(each["version"]) for each in modules))
        how = f"patched with skillgen {versions}"
        if not left:
            yield Answer(NAME, "ok", f"{how}; the module is whole, and check finds nothing")
        elif all(finding.contained for finding in plan.findings):
            yield Answer(NAME, "warning", f"{how}; {found} for a person: {where}", (mend,))
        else:
            yield Answer(NAME, "wrong", f"{how}, and {found}: {where}", (mend,))
        yield from drift(scene)
        return
    if scene.is_guarded:
        versions = ", ".join(dict.fromkeys(each["version"] for each in guarded(scene.host)))
        how = f"guarded by skillgen {versions}" if versions else "guarded"
        state = f"; the source is as it was: {found}" if left else ""
        next_ = (mend,) if left else ()
        yield Answer(NAME, "warning" if left else "ok", how + state, next_)
    elif left:
        yield Answer(NAME, "wrong", f"neither patched nor guarded, and {found}: {where}", (mend,))
    else:
        seen = text.nothing(plan).removeprefix("nothing to do: ")
        is_right = any(note.kind in ("right", "held") for note in plan.notes)
        state_of = "ok" if is_right else "warning"
        yield Answer(NAME, state_of, f"neither patched nor guarded: {seen}")  # type: ignore[arg-type]


def worth(finding: Finding) -> tuple[bool, Finding]:
    """A channel that the bot runs comes before units, and before copies and tests."""
    path = finding.path
    is_channel = any(KINDS[kind] == "channels" for kind in by_id(finding.rule).kinds)
    return not is_channel or path.startswith(SKILL_ASSETS) or is_among_tests(path), finding


def drift(scene: Scene) -> Iterator[Answer]:
    record = scene.record
    changed = [*record.changed, *record.missing] if record else []
    if changed:
        why = f"changed since the patch: {text.listed(changed)}"
        yield Answer(NAME, "warning", why, (f"skillgen status {scene.root}",))
