"""Plan the change of one channel and settle or hand off each finding."""

from __future__ import annotations

import posixpath
import re
from dataclasses import dataclass, field, replace

from modify.baileys.hold.module_home import imported_as
from modify.baileys.model.channel import Channel
from modify.baileys.model.hand_offs import boot_of, open_questions
from modify.baileys.model.host_context import auth_call, folder_given, logger_of
from modify.baileys.rewrite.draft import Draft
from modify.baileys.rewrite.steps import rewrite
from modify.baileys.rewrite.strategy import Hold, strategy_of
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

ACCEPT = "a close branch that reconnects by reconnect.dial(…) and asks reconnect.terminal"
EXIT = re.compile(rb"process\.exit\((0)\)")
ENDS = (ids.QR_EXIT, ids.AUTH_FAILURE_EXIT)


@dataclass
class Rewritten:
    """A channel and its planned change.

    module: the path of the added module; imported: how the channel names it.
    """

    source: Source
    channel: Channel
    module: str
    imported: str
    style: Style
    edits: list[Edit] = field(default_factory=list)


def rewrite_channel(
    host: Host, channel: Channel, options: Options, patch: Patch
) -> Rewritten | Hold:
    """The channel and its planned change, or why its dial is to be held instead."""
    strategy = strategy_of(channel, why_barred(host, channel))
    if isinstance(strategy, Hold):
        return strategy
    source = channel.source
    style = detect_style(host, source.path, source.text)
    style = replace(style, modules=module_system(host, source))
    boot = boot_of(host, channel, options)
    module = module_path(host, source.path, options)
    imported = import_of(source.path, module, style)
    draft = Draft(channel, Layout(style), boot, options, imported, logger_of(host, channel))
    unforeseen = rewrite(draft, strategy)
    if unforeseen is not None:
        return unforeseen
    edits = [with_effects(edit, draft) for edit in draft.edits()]
    patch.add_edits(source.path, edits)
    if any(has_effect(edit, AsksForOthers) for edit in edits):
        for path, more in boot.edits.items():
            if options.covers(path):
                patch.add_edits(path, more)
    return Rewritten(source, channel, module, imported, style, edits)


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


def why_not_rewritten(host: Host, channel: Channel) -> str:
    """The reason why a channel is not rewritten, as one text."""
    strategy = strategy_of(channel, why_barred(host, channel))
    return strategy.why if isinstance(strategy, Hold) else "it is held already"


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
