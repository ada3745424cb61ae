"""Bots that end with 0 to be started again: what would leave them down is not written.

``apply`` gives such a restart a status of its own, or hands the unit off
(``modify.units.self_restart``). What runs here is not patched, so its unit keeps the setting that
starts it again; pauses and limits do no harm.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from modify.effects import RestartPause, has_effect
from modify.rules import Sight, ends_clean_restarts, ids
from skill.edit import Edit
from skill.errors import SkillgenError
from skill.finding import Finding
from skill.host import Host, fact
from skill.options import Options
from skill.source_paths import SKILL_ASSETS

ACCEPT = "a restart that ends with another status (skillgen apply), and this command again"


@fact
def restarts_itself(host: Host) -> str:
    """Where the bot ends itself with 0 to be started again, as a reason; else nothing.

    As ``apply`` sees it: where the close branch of a channel is understood, an end in it is that
    of a session that is over. Copies in a NanoClaw skill are not what runs.
    """
    # Lazy: it reads every source of the host, and most units need no look at it.
    from modify.baileys import codemod as baileys
    from modify.units.self_restart import in_javascript, self_restarts

    try:
        seen = baileys.examine(host, Options())
        found = [*self_restarts(host), *in_javascript(host, seen)]
    except SkillgenError as error:
        return f"cannot tell whether the bot restarts itself by exit status 0: {error}"
    return next((each.reason for each in found if not each.path.startswith(SKILL_ASSETS)), "")


def why_held_back(host: Host, rule: str) -> str:
    """Why what settles a finding of that rule is not written, or nothing."""
    if rule not in ends_clean_restarts():
        return ""
    # Lazy: as above.
    from modify.units.self_restart import reliance

    return (reliance(host) if rule == ids.LAUNCHD_KEEP_ALIVE else "") or restarts_itself(host)


def held_back(found: Iterable[Finding], host: Host) -> list[Finding]:
    """The findings, those as hand-offs that would leave the bot down once they are settled."""
    return [
        replace(finding, fix=None, reason=reason, accept=ACCEPT)
        if finding.fix is not None and (reason := why_held_back(host, finding.rule))
        else finding
        for finding in found
    ]


def edits_of(sights: Iterable[Sight], host: Host) -> list[Edit]:
    """The rules' edits, but for those that would leave the bot down."""
    edits = [edit for sight in sights for edit in sight.edits]
    rules = {edit.rule for edit in edits if edit.rule and why_held_back(host, edit.rule)}
    return [edit for edit in edits if edit.rule not in rules or has_effect(edit, RestartPause)]
