"""TypeScript and JavaScript channels, wherever they lie: source, packages, skill assets.

One pass: read every channel file once, let the rules look, plan the one rewrite, and carry
the change on to what belongs to it (the added module, the host's main, its tests, the
manifests of skills).
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from modify.typescript.source import SUFFIXES, Source, callee_of, line_of
from skill.edit import Patch
from skill.finding import Finding, Note
from skill.host import Host
from skill.options import Options

if TYPE_CHECKING:
    from modify.typescript.channel import Channel
    from modify.typescript.patching import Rewritten

MARKS = (b"connection.update", b".ev")
TEST_FILE = re.compile(r"(\.(test|spec)\.\w+$|(^|/)__(tests|mocks)__/)")
SKILL_ASSETS = ".claude/skills/"


def examine(host: Host, options: Options) -> Patch:
    """Look at every channel file of the host and plan its change. Writes nothing.

    Raises UnreadableSource for a channel file that cannot be read as what it is.
    """
    patch = Patch()
    rewritten: list[Rewritten] = []
    sources = channel_sources(host, options)
    for source in sources:
        rewritten += examine_file(host, source, options, patch)
    if rewritten:
        from modify.typescript import assets, fault_asserting_test

        assets.examine(host, rewritten, patch, options)
        fault_asserting_test.examine(host, rewritten, patch, options)
    if sources:
        from modify.typescript.assets import engine_copies

        patch.findings += engine_copies(host, sources, rewritten)
    look_for_dials(host, sources, options, patch)
    return patch


def look_for_dials(host: Host, sources: list[Source], options: Options, patch: Patch) -> None:
    """Whatever dials beside the channels is a finding; only hosts that may dial are looked at."""
    from modify.typescript import unpatched

    channels = [channel for source in sources for channel in channels_of(host, source)]
    unpatched.examine(host, options, channels, patch)


def channel_sources(host: Host, options: Options) -> list[Source]:
    """The files that may hold a channel: cheap marks first, then parsed."""
    found = []
    for file in host.with_suffix(*SUFFIXES):
        if not may_be_changed(file.path, options):
            continue
        content = host.read(file.path)
        if all(mark in content for mark in MARKS) and b"Reconnect {" not in content:
            found.append(Source.read(host, file.path))
    return found


def may_be_changed(path: str, options: Options) -> bool:
    if TEST_FILE.search(path) or path.endswith(".d.ts"):
        return False
    return not options.only_skill_assets or path.startswith(SKILL_ASSETS)


def examine_file(host: Host, source: Source, options: Options, patch: Patch) -> list[Rewritten]:
    """Add a file's findings, notes and edits to the patch; return what was rewritten."""
    from modify.typescript.daemon import unbounded_retry, why_not_a_daemon
    from modify.typescript.patching import hand_off, judged, rewrite_channel, still_contained
    from modify.typescript.questions import open_questions
    from modify.typescript.rules import look, rule_id
    from modify.typescript.sound import is_sound

    found = channels_of(host, source)  # the socket may be made in another file
    channels = [each for each in found if may_be_changed(each.source.path, options)]
    if not channels:
        left_to_a_person(source, patch)
    rewritten: list[Rewritten] = []
    for channel in channels:
        source = channel.source
        place = line_of(channel.connect.node)
        reason = why_not_a_daemon(channel)
        if reason is not None:
            if unbounded_retry(channel):
                reason += "; its retry has a flat pause and no end"
            patch.notes.append(Note(source.path, place, "not-a-daemon", reason))
            continue
        if not channel.is_gated and is_sound(channel):
            message = "grows its delay, with jitter and one timer, and nothing sets it back early"
            patch.notes.append(Note(source.path, place, "right", message))
            continue
        seen = [(rule_id(module), module.FIX, found) for module, found in look(channel)]
        findings = [
            Finding(
                source.path, line_of(s.node), s.node.range().start.column + 1, rule, s.message, fix
            )
            for rule, fix, s in seen
        ]
        if channel.is_gated and not channel.is_settled:
            patch.findings += still_contained(source, channel, findings)
            continue
        if channel.is_gated:
            findings += open_questions(host, channel, options)
        if not any(options.wants(finding.rule) for finding in findings):
            if not findings:
                patch.notes.append(Note(source.path, place, "right", "paced by skillgen's gate"))
            continue
        if channel.is_gated:
            reason = "the file was changed after it was patched"
            patch.findings += [f if f.reason else hand_off(f, reason, True) for f in findings]
            continue
        made = rewrite_channel(host, channel, options, patch)
        patch.findings += judged(host, findings, made, options)
        if made.outcome != "untouched":
            rewritten.append(made)
    return rewritten


def channels_of(host: Host, source: Source) -> list[Channel]:
    """The channels that a file makes, or listens to for a file that makes the socket.

    Read once a host: other files are looked into, and units ask for the same channels.
    """
    known: dict[str, list[Channel]] = host.parsed.setdefault("channels", {})
    if source.path not in known:
        known[source.path] = read_with_others(host, source)
    return known[source.path]


def read_with_others(host: Host, source: Source) -> list[Channel]:
    from modify.typescript.anchors import (
        channel_without_listener,
        read_channels,
        registrations,
    )
    from modify.typescript.daemon import listens
    from modify.typescript.elsewhere import (
        handed_over,
        pairs_elsewhere,
        run_elsewhere,
        socket_factories,
    )

    factories = socket_factories(host, source)
    channels = read_channels(source, factories)
    if channels:
        paired = pairs_elsewhere(host, source)
        for channel in channels:
            channel.factory = factories.get(callee_of(channel.socket_call))
            channel.paired_elsewhere = paired
            channel.run_elsewhere = run_elsewhere(host, channel)
        return channels
    if any(True for _ in registrations(source.root)):
        return list(handed_over(host, source))
    lone = channel_without_listener(source)
    return [lone] if lone is not None and listens(lone) else []


def left_to_a_person(source: Source, patch: Patch) -> None:
    """A listener that acts on a closed connection, and nobody knows what dials for it."""
    from modify.typescript.anchors import CLOSE, logic_of, registrations
    from modify.typescript.handed_on import taker_of_the_update

    for call, _, handler in registrations(source.root):
        logic = logic_of(handler, source.root)
        taker = taker_of_the_update(handler, source.root)
        if logic is not None and taker is None and not CLOSE.search(logic.text()):
            message = "listens for connection updates, and does nothing about a closed one"
            patch.notes.append(Note(source.path, line_of(call), "right", message))
            continue
        patch.findings.append(
            Finding(
                source.path,
                line_of(call),
                1,
                "ungated-connect",
                "listens for connection updates, and its connect function was not found",
                reason=(
                    f"what follows a close is decided by {callee_of(taker)}()"
                    if taker is not None
                    else "no function around the listener also makes the socket"
                ),
                accept="a connect function that awaits reconnect.turn() before it makes the socket",
            )
        )
        return
