"""Plans the change of one channel and says what comes of each finding."""

from __future__ import annotations

import posixpath
from dataclasses import dataclass, field, replace

from modify.typescript.assets import SKILL_ASSETS, module_owner, module_system
from modify.typescript.boot import Boot
from modify.typescript.channel import Channel
from modify.typescript.folders import place_for, taken_for_accounts
from modify.typescript.layout import Layout
from modify.typescript.places import auth_call, logger_of
from modify.typescript.questions import boot_of, open_questions
from modify.typescript.rewrite import Draft, Outcome, rewrite
from modify.typescript.source import Source, arguments_of, line_of
from modify.typescript.style import detect_style
from skill.edit import Edit, Patch
from skill.finding import Finding
from skill.host import Host
from skill.options import Options
from skill.style import Style

ACCEPT = "a close branch that dials with reconnect.dial(…) and asks reconnect.terminal"


@dataclass
class Rewritten:
    """A channel and its planned change.

    module: the path of the added module; imported: how the channel names it.
    """

    source: Source
    channel: Channel
    outcome: Outcome
    reasons: list[tuple[int, str]]
    module: str
    imported: str
    style: Style
    edits: list[Edit] = field(default_factory=list)


# What gate and eye settle by themselves, whatever loop the host has around them.
BY_THE_GATE = {
    "ungated-connect",
    "no-connect-deadline",
    "flat-retry",
    "stacked-timers",
    "premature-reset",
    "reconnect-after-stop",
}


def rewrite_channel(host: Host, channel: Channel, options: Options, patch: Patch) -> Rewritten:
    source = channel.source
    style = detect_style(host, source.path, source.text)
    style = replace(style, modules=module_system(host, source))
    boot = boot_of(host, channel, options)
    module = module_path(host, source.path, options)
    draft = drafted(host, channel, boot, options, style, module)
    imported = import_of(source.path, module, style)
    made = Rewritten(source, channel, draft.outcome, list(draft.reasons), module, imported, style)
    if draft.outcome == "untouched":
        return made
    edits = draft.edits()
    patch.add_edits(source.path, edits)
    asked = boot.question is not None and any(boot.question.encode() in e.text for e in edits)
    if asked:
        for path, more in boot.edits.items():
            if not options.only_skill_assets or path.startswith(SKILL_ASSETS):
                patch.add_edits(path, more)
    made.edits = edits
    return made


def drafted(
    host: Host, channel: Channel, boot: Boot, options: Options, style: Style, module: str
) -> Draft:
    """The whole rewrite, or the widest one that leaves no name of the loop in a wrong state."""
    module_import = import_of(channel.source.path, module, style)
    logger = logger_of(host, channel)
    barred = why_barred(host, channel)
    whole = Draft(channel, Layout(style), boot, options, module_import, logger, barred)
    draft = rewrite(whole)
    if draft.orphans:
        draft = rewrite(replace(whole.fresh(), gentle=True))
    if draft.orphans:
        names = ", ".join(sorted(draft.orphans))
        draft = whole.fresh()
        reason = f"the loop's {names} is read elsewhere"
        draft.reasons.append((line_of(channel.registration), reason))
        draft = rewrite(replace(draft, only_contain=True))
    return draft


def why_barred(host: Host, channel: Channel) -> str:
    """Why the gate's memory cannot lie beside the credentials; empty where it can."""
    call = auth_call(channel)
    given = arguments_of(call) if call is not None else []
    listed = taken_for_accounts(host, channel.source, given[0]) if given else None
    if listed is None:
        return ""
    place = f"{listed.path}:{listed.line}"
    return f"what lies beside its credentials folder is taken for an account ({place})"


def judged(host: Host, findings: list[Finding], made: Rewritten, options: Options) -> list[Finding]:
    """The findings as the rewrite leaves them: settled, or handed off with the reason."""
    reasons = "; ".join(reason for _, reason in made.reasons)
    if made.outcome == "untouched":
        accept = "a connect function that awaits reconnect.turn() before it makes the socket"
        if why_barred(host, made.channel):
            accept = "a list of accounts that leaves files out, then skillgen apply again"
        return [replace(f, fix=None, reason=reasons, accept=accept) for f in findings]
    if made.outcome == "contained":
        left = [f if f.rule in BY_THE_GATE else hand_off(f, reasons, True) for f in findings]
        if not any(f.is_hand_off for f in left):
            line = made.reasons[0][0]
            left.append(by_hand(made.source.path, line, reasons))
        return left
    return [*findings, *open_questions(host, made.channel, options)]


def still_contained(source: Source, channel: Channel, findings: list[Finding]) -> list[Finding]:
    """What remains to be settled by hand in a file that gate and eye have contained."""
    left = [hand_off(f, "the close branch is the host's own", True) for f in findings]
    line = line_of(channel.close.node if channel.close is not None else channel.registration)
    return left or [by_hand(source.path, line, "the close branch is the host's own")]


def by_hand(path: str, line: int, reason: str) -> Finding:
    message = "what the bot does after a close is its own; the gate bounds it"
    return Finding(path, line, 1, "channel-gives-up", message, None, reason, ACCEPT, True)


def hand_off(finding: Finding, reason: str, contained: bool) -> Finding:
    return replace(finding, fix=None, reason=reason, accept=ACCEPT, contained=contained)


# --- the added module ---------------------------------------------------------------------


def module_path(host: Host, path: str, options: Options) -> str:
    """Where the added module of a channel file lies: beside the file.

    Not in a folder that the host reads as a whole: it would import the module as a plugin.

    A skill's ``modify/`` copy takes the place of a file of the host, so its module is the
    one beside that file, brought by the tree itself or by the skill that adds the channel.
    """
    folder = posixpath.dirname(module_owner(host, path, options))
    if not path.startswith(SKILL_ASSETS):
        folder = place_for(host, folder)
    return posixpath.join(folder, "whatsapp-reconnect" + suffix_for(path))


def suffix_for(path: str) -> str:
    ending = posixpath.splitext(path)[1]
    return {".tsx": ".ts", ".jsx": ".js"}.get(ending, ending)


def import_of(path: str, module: str, style: Style) -> str:
    """How the channel file imports the module: from its own folder, but where it cannot lie there.

    A skill's copy has its module in the tree that it is copied into.
    """
    stem, ending = posixpath.splitext(module)
    if not path.startswith(SKILL_ASSETS):
        stem = posixpath.relpath(stem, posixpath.dirname(path) or ".")
    else:
        stem = posixpath.basename(stem)
    if not stem.startswith("."):
        stem = f"./{stem}"
    if ending == ".ts":
        return stem + style.import_extension
    if ending == ".js" and style.modules == "commonjs" and not style.import_extension:
        return stem
    return stem + {".mts": ".mjs", ".cts": ".cjs"}.get(ending, ending)
