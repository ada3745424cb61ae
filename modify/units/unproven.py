"""Units that stay as they are, because the bot under the changed ones failed its proof."""

from __future__ import annotations

from dataclasses import replace

from modify.rules import ids, unit_rule_ids
from skill.edit import Patch

ACCEPT = "the setting changed by hand, once the bot is known to come back under it"


def left(patch: Patch, reason: str) -> Patch:
    """The same patch without the edits of units and of the tests that assert them.

    Their findings are handed off for this reason.
    """
    rules = unit_rule_ids()
    kept = Patch(notes=patch.notes, additions=patch.additions)
    for path, edits in patch.edits.items():
        rest = [edit for edit in edits if edit.rule not in (*rules, ids.FAULT_ASSERTING_TEST)]
        if rest:
            kept.edits[path] = rest
    for finding in patch.findings:
        if finding.rule in rules and not finding.is_hand_off:
            finding = replace(finding, fix=None, reason=reason, accept=ACCEPT)
        if finding.rule != ids.FAULT_ASSERTING_TEST or finding.is_hand_off:
            kept.findings.append(finding)
    return kept
