"""TypeScript and JavaScript channels, wherever they lie: source, packages, skill assets.

One pass: read every channel file once, let the rules look, plan the one rewrite, and carry
the change on to what belongs to it (the added module, the host's main, its tests, the
manifests of skills).
"""

from __future__ import annotations

from modify.baileys.added import add_modules
from modify.baileys.channels import channels_of
from modify.baileys.hold.outcomes import Holding, Outcomes, Waiting, is_held_already, notes_of
from modify.baileys.model.already_safe import is_sound
from modify.baileys.model.anchors import is_crowded
from modify.baileys.model.channel import Channel
from modify.baileys.model.daemon import unbounded_retry, why_not_a_daemon
from modify.baileys.model.hand_offs import open_questions
from modify.baileys.patching import hand_off, judged, rewrite_channel, why_not_rewritten
from modify.baileys.rewrite.strategy import Hold
from modify.baileys.search.unpatched import Search
from modify.baileys.upgrading import upgrade_channel
from modify.host_tests import qr_exit
from modify.kit.typescript.source import ADDED, Source, line_of
from modify.nanoclaw.channel_assets import engine_copies, follow
from modify.rules import findings_of, ids
from skill.edit import Patch
from skill.finding import Note
from skill.host import Host
from skill.options import Options
from skill.source_paths import SCRIPTS, is_test

MARKS = (b"connection.update", b".ev")


def examine(host: Host, options: Options) -> Patch:
    """Look at every file of the host that connects and plan its change. Writes nothing.

    Raises UnreadableSource for a channel file that cannot be decoded or parsed.
    """
    patch, outcomes = Patch(), Outcomes()
    sources = channel_sources(host, options)
    for source in sources:
        examine_file(host, source, options, patch, outcomes)
    channels = [channel for source in sources for channel in channels_of(host, source)]
    search = Search(host, options, channels, patch)
    holding = Holding(host, options, outcomes, search, patch)
    held = holding.examine()
    if options.wants(ids.UNGATED_CONNECT):
        search.add(holding)
    if outcomes.rewritten or held:
        add_modules(host, outcomes.rewritten, held, patch)
        follow(host, outcomes.rewritten, held, patch)
        qr_exit.examine(host, outcomes.rewritten, patch, options)
    if sources:
        patch.findings += engine_copies(host, sources, outcomes.rewritten)
    return patch


def channel_sources(host: Host, options: Options) -> list[Source]:
    """The files that may hold a channel: cheap marks first, then parsed."""
    found = []
    for file in host.with_suffix(*SCRIPTS):
        if not may_be_changed(file.path, options):
            continue
        content = host.read(file.path)
        if all(mark in content for mark in MARKS) and ADDED not in content:
            found.append(Source.read(host, file.path))
    return found


def may_be_changed(path: str, options: Options) -> bool:
    if is_test(path) or path.endswith(".d.ts"):
        return False
    return options.covers(path)


def examine_file(
    host: Host, source: Source, options: Options, patch: Patch, outcomes: Outcomes
) -> None:
    """Add the findings, notes and edits of a file's channels to the patch and the outcomes."""
    found = channels_of(host, source)  # the socket may be made in another file
    channels = [each for each in found if may_be_changed(each.source.path, options)]
    if not channels:
        outcomes.lone.append(source)
        if is_crowded(source):
            outcomes.crowded.add(source.path)
    for channel in channels:
        examine_channel(host, channel, options, patch, outcomes)


def is_wanted(channel: Channel, options: Options) -> bool:
    """Whether a channel that an earlier skillgen patched is to become as they are now."""
    return channel.is_of_an_earlier_form and options.wants(ids.UNGATED_CONNECT)


def examine_channel(
    host: Host, channel: Channel, options: Options, patch: Patch, outcomes: Outcomes
) -> None:
    source, place = channel.source, line_of(channel.connect.node)
    findings = findings_of("baileys-channel", channel)
    reason = why_not_a_daemon(channel)
    if is_held_already(host, channel):
        patch.notes += notes_of(channel, findings, why_not_rewritten(host, channel))
        outcomes.noted.add(source.path)
        return
    if reason is not None and not unbounded_retry(channel):
        patch.notes.append(Note(source.path, place, "not-a-daemon", reason))
        outcomes.keep(host, channel)
        return
    if not channel.is_gated and is_sound(channel):
        message = "grows its delay, with jitter and one timer, and nothing sets it back early"
        patch.notes.append(Note(source.path, place, "right", message))
        outcomes.keep(host, channel)
        return
    made = upgrade_channel(host, channel, options, patch) if is_wanted(channel, options) else None
    if made is not None:
        outcomes.rewritten.append(made)
        outcomes.keep(host, channel)
        return
    if channel.is_gated:
        outcomes.paced = True
        findings += open_questions(host, channel, options)
    if not any(options.wants(finding.rule) for finding in findings):
        if not findings:
            patch.notes.append(Note(source.path, place, "right", "paced by skillgen's gate"))
        outcomes.keep(host, channel)
        return
    if channel.is_gated:
        reason = "the file was changed after it was patched"
        patch.findings += [f if f.reason else hand_off(f, reason, True) for f in findings]
        outcomes.keep(host, channel)
        return
    if reason is not None:
        outcomes.waiting.append(Waiting(channel, findings, f"{reason}, and retries without end"))
        return
    unproven = options.why_not_rewritten(source.path) or options.why_not_held(source.path)
    if unproven:
        outcomes.waiting.append(Waiting(channel, findings, unproven))
        return
    rewritten = rewrite_channel(host, channel, options, patch)
    if isinstance(rewritten, Hold):
        outcomes.waiting.append(Waiting(channel, findings, rewritten.why))
        return
    patch.findings += judged(host, findings, rewritten, options)
    patch.notes.append(Note(source.path, place, "rewritten", "its close branch is understood"))
    outcomes.rewritten.append(rewritten)
    outcomes.keep(host, channel)
