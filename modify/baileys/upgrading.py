"""Plan the upgrade of the channels that an earlier skillgen patched, all of a module or none.

The module that they share is replaced, so a channel that has to stay keeps the others as they are.
"""

from __future__ import annotations

from dataclasses import replace

from modify.baileys.channels import channels_of
from modify.baileys.model.channel import Channel
from modify.baileys.model.host_context import logger_of
from modify.baileys.model.startup import Boot
from modify.baileys.patching import Rewritten, import_of, module_path
from modify.baileys.rewrite.draft import Draft
from modify.baileys.rewrite.upgrade import FIX, MESSAGE, RULE, upgrade, why_not_upgraded
from modify.baileys.search.cross_file import imports
from modify.kit.typescript.layout import Layout
from modify.kit.typescript.packages import module_system
from modify.kit.typescript.source import Source, callee_of, calls, column_of, line_of
from modify.kit.typescript.style import detect_style
from skill.edit import Patch
from skill.finding import Finding
from skill.host import Host, fact
from skill.options import Options
from skill.render.typescript import module_identity
from skill.source_paths import SCRIPTS, is_test

WAITS = b".turn()"


def upgrade_channel(
    host: Host, channel: Channel, options: Options, patch: Patch
) -> Rewritten | None:
    """The channel in its new form, planned in ``patch``; None where it stays as it is."""
    module = module_of(host, channel.source, options)
    if module in kept_modules(host, options):
        return None
    source = channel.source
    style = detect_style(host, source.path, source.text)
    style = replace(style, modules=module_system(host, source))
    imported, logger = import_of(source.path, module, style), logger_of(host, channel)
    draft = Draft(channel, Layout(style), Boot(), options, imported, logger)
    upgrade(draft)
    edits = draft.edits()
    patch.add_edits(source.path, edits)
    line, column = line_of(channel.connect.node), column_of(channel.connect.node)
    patch.findings.append(Finding(source.path, line, column, RULE, MESSAGE, FIX))
    return Rewritten(source, channel, module, imported, style, edits)


def module_of(host: Host, source: Source, options: Options) -> str:
    """The path of the module that a file takes its Reconnect class from, or would."""
    taken = (path for path, names in imports(host, source) if "Reconnect" in names)
    return next(taken, None) or module_path(host, source.path, options)


@fact
def kept_modules(host: Host, options: Options) -> set[str]:
    """The added modules of an earlier skillgen that a file needs as they are."""
    kept = set()
    for file in host.with_suffix(*SCRIPTS):
        content = host.read(file.path)
        if WAITS not in content or b"new Reconnect(" not in content or is_test(file.path):
            continue
        source = Source.readable(host, file.path)
        if source is None:
            continue
        module = module_of(host, source, options)
        earlier = [each for each in channels_of(host, source) if each.is_of_an_earlier_form]
        turns = [call for call in calls(source.root) if callee_of(call).endswith(".turn")]
        changed = host.exists(module) and not is_intact(host, module)
        if changed or len(turns) != len(earlier) or any(map(why_not_upgraded, earlier)):
            kept.add(module)
    return kept


def is_intact(host: Host, module: str) -> bool:
    identity = module_identity(host.read(module).decode("utf-8", "replace"))
    return identity is not None and identity[1]
