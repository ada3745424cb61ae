"""``skillgen status``: what is applied, what has drifted, and what the bot waits for."""

from __future__ import annotations

from dataclasses import asdict

from modify.added_modules import lost_modules
from skill import transaction
from skill.commands import install
from skill.commands.added import added_modules
from skill.commands.reset import memories
from skill.commands.shell import quoted
from skill.commands.view import Row, View
from skill.host import Host
from skill.report import text


def status(view: View, host: Host, row: Row) -> int:
    # Lazy: what reads units takes 0.05 s to import.
    from skill.guard.command import guarded

    applied = transaction.applied(host.root)
    modules = added_modules(host)
    remembered = memories(host)
    for name in ("versions", "files", "changed", "missing"):
        row[name] = list(getattr(applied, name)) if applied else []
    row["modules"] = modules
    row["skill"] = install.held(host)
    row["guarded"] = guarded(host)
    row["warnings"] = [*view.warnings(host), *view.installed(host)]
    row["memories"] = [{**asdict(memory), "cleared": False} for memory in remembered]
    row["lost"] = [asdict(each) for each in lost_modules(host)]
    drifted = [part["path"] for part in modules + row["skill"] if not part["intact"]]
    if view.as_text:
        show(view, row, bool(applied), modules)
        for memory in remembered:
            view.printer.out(f"{view.printer.safe(memory.path)}: {memory.text}")
        if any(memory.state != "clear" and memory.resettable for memory in remembered):
            view.printer.out(f"clear it with: skillgen reset {quoted(host.root)}")
        view.show_warnings(row)
    left = row["changed"] or row["missing"] or row["lost"] or drifted or row["foreign_record"]
    return 1 if left else 0


def show(view: View, row: Row, recorded: bool, modules: list[Row]) -> None:
    out, safe = view.printer.out, view.printer.safe
    if recorded:
        versions = ", ".join(row["versions"])
        out(f"applied with skillgen {versions}: {text.count(len(row['files']), 'file')}")
    elif modules:
        out(f"applied with skillgen {modules[0]['version']}; no record here (a fresh clone?)")
    else:
        out("nothing is applied")
    for what in ("changed", "missing"):
        for path in row[what]:
            out(f"{what} since: {safe(path)}")
    for each in row["lost"]:
        out(f"{safe(each['path'])}:{each['line']}: {safe(each['message'])}")
    for part in modules + row["skill"]:
        if not part["intact"] and part["path"] not in row["changed"]:
            out(f"changed since: {safe(part['path'])}")
    if row["skill"]:
        version = row["skill"][0]["version"]
        out(f"the skill for agents is installed (skillgen {version})")
    for unit in row["guarded"]:
        out(f"{safe(unit['path'])}: guarded (skillgen {unit['version']})")
