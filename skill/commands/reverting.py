"""``skillgen revert``: what was taken back, what is in conflict, and what has to follow."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict

from skill import transaction
from skill.commands.added import added_modules
from skill.commands.shell import quoted
from skill.commands.view import Row, View
from skill.errors import SkillgenError
from skill.host import Host
from skill.report import text
from skill.report.next_steps import after_revert
from skill.transaction.importers import importers
from skill.transaction.tracked import is_tracked


def revert(view: View, host: Host, row: Row, keep: Sequence[str]) -> int:
    try:
        result = transaction.revert(host.root, keep)
    except transaction.ForeignRecord as foreign:
        modules = added_modules(host)
        if not modules:
            raise
        way_on = f"take the patch back {without_record(host, modules)}"
        raise transaction.ForeignRecord(foreign.reason, way_on) from foreign
    if result is None:
        return no_record(view, host, row)
    row.update(asdict(result), message="", next=[], warnings=[])
    del row["rules"]
    printer = view.printer
    if view.as_text and not printer.quiet:
        for what in ("restored", "merged", "removed", "kept"):
            for path in row[what]:
                printer.out(f"{what} {printer.safe(path)}")
    if result.away and view.as_text:
        printer.out(
            f"nothing was taken back: {text.listed([printer.safe(p) for p in result.away])} "
            f"{'is' if len(result.away) == 1 else 'are'} not as skillgen left "
            f"{'it' if len(result.away) == 1 else 'them'}; a stash or another branch may bring "
            "the patch back, so its record is kept (to forget it: "
            f"skillgen revert {quoted(host.root)}"
            f"{''.join(f' --keep {quoted(path)}' for path in result.away)})"
        )
    for conflict in result.conflicts:
        merge = f"; the merge with markers is in {conflict.merge}" if conflict.merge else ""
        if view.as_text:
            printer.out(
                f"{printer.paint('conflict', 'hand')} {printer.safe(conflict.path)}: "
                f"{conflict.reason}{merge}"
            )
    if result.conflicts and view.as_text:
        first = result.conflicts[0].path
        printer.out(
            "Settle each by hand (files that skillgen added stay until then), then: "
            f"skillgen revert {quoted(host.root)} --keep {quoted(first)}"
        )
    if result.rules:
        again = Host(host.root)
        row["warnings"] = view.warnings(again)
        view.show_steps(again, after_revert(again, result.rules), row)
    return 1 if result.conflicts else 0


def no_record(view: View, host: Host, row: Row) -> int:
    """A host never patched, or a fresh clone of one that was."""
    modules = added_modules(host)
    if modules:
        raise SkillgenError(
            f"{modules[0]['path']} was added by skillgen {modules[0]['version']}, but this "
            "copy of the host has no record of it (a fresh clone?); take it back "
            f"{without_record(host, modules)}"
        )
    row["message"] = "nothing to take back"
    if view.as_text and not view.printer.quiet:
        view.printer.out(row["message"])
    return 0


def without_record(host: Host, modules: list[Row]) -> str:
    """How to take back a patch that nothing is recorded of.

    A file that git does not track is in no commit, so no commit can be named. One that it
    tracks came with a commit that may hold other work: git's own history is not read here,
    for in a repository that somebody else made, that could run programs.
    """
    path = modules[0]["path"]
    if is_tracked(host.root, path):
        commit = f"$(git log --diff-filter=A --format=%h -1 -- {quoted(path)})"
        return (
            f"with git: look first whether that commit holds other work, git show --stat {commit}, "
            f"then: git revert {commit}"
        )
    using = sorted({by for module in modules for by in importers(host, module["path"], {})})
    added = text.listed([module["path"] for module in modules])
    others = f", and undo what {text.listed(using)} takes from it" if using else ""
    return f"by hand, as git has not committed it: remove {added}{others}"
