"""Plan the change of one channel and settle or hand off each finding."""

from __future__ import annotations

import posixpath
import re
from dataclasses import dataclass, field, replace

from modify.baileys.hold.module_home import imported_as
from modify.baileys.model.channel import Channel
from modify.baileys.model.hand_offs import boot_of, open_questions
from modify.baileys.model.host_context import auth_call, folder_given, logger_of
from modify.baileys.model.startup import Boot
from modify.baileys.rewrite.draft import Draft, Outcome
from modify.baileys.rewrite.steps import rewrite
from modify.baileys.search.folders import place_for, taken_for_accounts
from modify.effects import AsksForOthers, AsksTerminal, EndsProcess, has_effect
from modify.kit.typescript.layout import Layout
from modify.kit.typescript.packages import module_system
from modify.kit.typescript.source import Source
from modify.kit.typescript.style import detect_style
from modify.nanoclaw.channel_assets import module_owner
from modify.rules import ids
from skill.edit import Edit, Effect, Patch
from skill.finding import Finding
from skill.host import Host
from skill.options import Options
from skill.render.style import Style
from skill.source_paths import SKILL_ASSETS

ACCEPT = "a close branch that dials with reconnect.dial(…) and asks reconnect.terminal"
EXIT = re.compile(rb"process\.exit\((0)\)")
ENDS = (ids.QR_EXIT, ids.AUTH_FAILURE_EXIT)


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


def rewrite_channel(host: Host, channel: Channel, options: Options, patch: Patch) -> Rewritten:
    source = channel.source
    style = detect_style(host, source.path, source.text)
    style = replace(style, modules=module_system(host, source))
    boot = boot_of(host, channel, options)
    module = module_path(host, source.path, options)
    draft = drafted(host, channel, boot, options, style, module)
    imported = import_of(source.path, module, style)
    made = Rewritten(source, channel, draft.outcome, list(draft.reasons), module, imported, style)
    if draft.outcome == "held":
        return made
    edits = [with_effects(edit, draft) for edit in draft.edits()]
    patch.add_edits(source.path, edits)
    if any(has_effect(edit, AsksForOthers) for edit in edits):
        for path, more in boot.edits.items():
            if options.covers(path):
                patch.add_edits(path, more)
    made.edits = edits
    return made


def with_effects(edit: Edit, draft: Draft) -> Edit:
    """The edit with what it does, for the codemods that come after."""
    found: list[Effect] = []
    exits = [match.span(1) for match in EXIT.finditer(edit.text)]
    if exits or (edit.rule in ENDS and b"xit" in edit.text):
        found.append(EndsProcess(tuple(exits)))
    if f"{draft.instance}.terminal".encode() in edit.text:
        found.append(AsksTerminal(draft.instance))
    question = draft.boot.question
    if question is not None and question.encode() in edit.text:
        found.append(AsksForOthers())
    return replace(edit, effects=tuple(found)) if found else edit


def why_not_rewritten(host: Host, channel: Channel, options: Options) -> str:
    """The reasons why a channel is not rewritten, as one text."""
    style = detect_style(host, channel.source.path, channel.source.text)
    draft = drafted(host, channel, Boot(), options, style, channel.source.path)
    return "; ".join(why for _, why in draft.reasons) or "its dial is held already"


def drafted(
    host: Host, channel: Channel, boot: Boot, options: Options, style: Style, module: str
) -> Draft:
    """The whole rewrite, or none where it would leave a name of the loop in a wrong state."""
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
        draft.leave(channel.registration, f"the loop's {names} is read elsewhere")
    return draft


def why_barred(host: Host, channel: Channel) -> str:
    """Why the gate's memory cannot lie beside the credentials; empty where it can."""
    call = auth_call(channel)
    folder = folder_given(call) if call is not None else None
    listed = taken_for_accounts(host, channel.source, folder) if folder is not None else None
    if listed is None:
        return ""
    place = f"{listed.path}:{listed.line}"
    return f"what lies beside its credentials folder is taken for an account ({place})"


def judged(host: Host, findings: list[Finding], made: Rewritten, options: Options) -> list[Finding]:
    """The findings of a rewritten channel, and the questions that the rewrite leaves open."""
    return [*findings, *open_questions(host, made.channel, options)]


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
    return imported_as(stem, ending, style)
