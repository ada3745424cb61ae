"""The commands that follow an apply: build, test, install the unit, restart."""

from __future__ import annotations

import json
import os
import re
import shlex
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from modify.nanoclaw.updates import undone_by
from skill.host import Host
from skill.options import Options
from skill.package_json import package_at
from skill.plan import Change, Plan
from skill.report.service_names import DOCUMENTS, Names, names_of
from skill.report.unit_writers import linking_command, starts_the_bot, writing_command
from skill.source_paths import TYPED, is_among_tests

# Types, tests, and settings of tools, as ``vitest.config.mts``: no build makes a program of them.
UNBUILT = re.compile(r"\.(?:d|test|spec|config)\.[cm]?tsx?$")
# Which package manager a lock file belongs to.
LOCK_FILES = {
    "pnpm-lock.yaml": "pnpm",
    "yarn.lock": "yarn",
    "bun.lock": "bun",
    "bun.lockb": "bun",
    "package-lock.json": "npm",
}
MANAGERS = frozenset(LOCK_FILES.values())
PM2_FILES = tuple(f"ecosystem.config.{suffix}" for suffix in ("js", "cjs", "mjs", "json"))
ADDED_TEST = "whatsapp-reconnect.test."
RESTART = "restart the bot; the running one is still the old one"


@dataclass(frozen=True, slots=True)
class NextStep:
    """command: to be run in the host's folder, None where a person has to act."""

    command: str | None
    why: str


def next_steps(
    host: Host, plan: Plan, platform: str = sys.platform, reverted: bool = False
) -> list[NextStep]:
    """reverted: the plan was taken back, so that nothing is known of what the units say."""
    package = package_at(host)
    steps = list(_scripts(host, package, plan))
    steps += _restart(host, plan, platform, reverted)
    return steps if reverted else [*steps, *_lasting(host, plan)]


def after_revert(
    host: Host, rules: Mapping[str, tuple[str, ...]], platform: str = sys.platform
) -> list[NextStep]:
    """The steps after a revert: the patched sources are still built, installed and running.

    rules: of each file that was taken back, those that had changed it.
    """
    changes = tuple(Change(path, b"", b"", 0o644, asked) for path, asked in rules.items())
    return next_steps(host, Plan(host.root, Options(), changes), platform, reverted=True)


def stale_build(host: Host) -> str | None:
    """A warning when the built output is older than the source it is made from."""
    found = built_at(host)
    source = _newest(
        file.absolute
        for file in host.files.values()
        if file.path.endswith(TYPED) and not UNBUILT.search(file.path)
    )
    if found is None or found[1] >= source:
        return None
    return f"{found[0]}/ is older than the source: build, or the bot goes on as before"


def built_at(host: Host) -> tuple[str, float] | None:
    """The folder of the built output and when the newest of it was written, or None."""
    package = package_at(host)
    entry = package.get("main") if isinstance(package.get("main"), str) else None
    first = Path(str(entry)).parts[0] if entry and "/" in str(entry) else "dist"
    folder = host.root / first
    if first in ("/", "//", "..", "src") or folder.is_symlink():
        return None
    built = _newest(folder.rglob("*.js")) if os.path.isdir(folder) else 0.0
    return (folder.name, built) if built else None


def _newest(files: Iterator[Path]) -> float:
    newest = 0.0
    for file in files:
        try:
            newest = max(newest, file.lstat().st_mtime)
        except OSError:
            continue
    return newest


def package_manager(host: Host, package: dict[str, Any]) -> str:
    named = str(package.get("packageManager", "")).partition("@")[0]
    if named in MANAGERS:
        return named
    return next((name for file, name in LOCK_FILES.items() if host.exists(file)), "npm")


def _scripts(host: Host, package: dict[str, Any], plan: Plan) -> Iterator[NextStep]:
    scripts = package.get("scripts")
    if not isinstance(scripts, dict):
        return
    manager = package_manager(host, package)
    if "build" in scripts and any(change.path.endswith(TYPED) for change in plan.changes):
        yield NextStep(f"{manager} run build", "the bot runs what is built")
    if "test" in scripts:
        added = any(change.is_addition and ADDED_TEST in change.path for change in plan.changes)
        also = ", and the added one" if added else ""
        yield NextStep(f"{manager} run test", f"the host's own tests{also}")


def _lasting(host: Host, plan: Plan) -> Iterator[NextStep]:
    """What keeps the changes where the host's own commands copy their files anew."""
    changed = [change.path for change in plan.changes if not change.is_addition]
    for undoing in undone_by(host, changed):
        path = shown(undoing.path)
        if undoing.can_be_kept:
            does = "brings the skill along" if undoing.is_kept else "lays a skill"
            why = f"{undoing.command} copies {path} anew; this {does} that patches it again"
            yield NextStep("skillgen install", why)
        else:
            why = f"{undoing.command} puts {path} back as it was; after that: skillgen apply"
            yield NextStep(None, why)


def _restart(host: Host, plan: Plan, platform: str, reverted: bool) -> Iterator[NextStep]:
    added = next((change for change in plan.changes if _is_added_unit(change)), None)
    if added is not None and added.path in PM2_FILES:
        yield NextStep(f"pm2 start {shlex.quote(added.path)}", "the app is new to pm2")
        return
    if added is not None:
        yield NextStep(None, f"install {shown(added.path)}; its first lines say how")
        return
    pm2 = next((name for name in PM2_FILES if host.exists(name)), None)
    if pm2:
        yield NextStep(f"pm2 restart {pm2}", "the new code runs after a restart")
        return
    units = sorted(
        change.path
        for change in plan.changes
        if _is_unit_change(change) and not is_among_tests(change.path)
    )
    yield from _install(host, units)
    names = names_of(host, units)
    if platform == "darwin":
        yield from _launchd(host, names)
    else:
        limit = plan.options.start_limit
        expected = "" if reverted else f": Restart=on-failure, StartLimitBurst={limit}"
        yield from _systemd(names, bool(units), expected)


def _install(host: Host, units: list[str]) -> Iterator[NextStep]:
    """Where the unit that runs comes from: code that writes it, a file, or a page to read."""
    pages = [path for path in units if path.endswith(DOCUMENTS)]
    files = [path for path in units if path.endswith((".service", ".plist"))]
    writers = [path for path in units if path not in (*pages, *files)]
    if writers:
        yield from _written(host, writers)
    elif files:
        where = _listed(files)
        yield NextStep(None, f"install the changed unit where the old one is ({where})")
    elif pages:
        yield NextStep(
            None, f"change the installed unit in the same way ({_listed(pages)} shows it)"
        )


def _written(host: Host, writers: list[str]) -> Iterator[NextStep]:
    """How the unit is written anew; where that starts the bot, it is to be linked before."""
    package = package_at(host)
    manager = package_manager(host, package)
    known = ((each, writing_command(host, package, manager, each)) for each in writers)
    writer, command = next(((each, told) for each, told in known if told), (writers[0], None))
    starts = host.exists(writer) and starts_the_bot(host, writer)
    if starts:
        link = linking_command(host, package, manager)
        how = f": {link}" if link else ""
        yield NextStep(None, f"if WhatsApp has logged the bot out, link it before it starts{how}")
    if command is None:
        also = ", and starts the bot" if starts else ""
        yield NextStep(None, f"install the service again ({_listed(writers)} writes it{also})")
    else:
        also = " and starts the bot" if starts else ""
        yield NextStep(command, f"writes the installed unit anew{also}")


def _launchd(host: Host, names: Names) -> Iterator[NextStep]:
    label = names.only("plist")
    if label is not None:
        command = f"launchctl kickstart -k gui/$(id -u)/{shlex.quote(label)}"
        yield NextStep(command, "restart the bot")
    elif names.any("plist"):
        name = package_at(host).get("name")
        name = name if isinstance(name, str) and name.isprintable() and name else host.root.name
        word = shlex.quote(name.rpartition("/")[2])
        why = "restart the bot, under its name here: launchctl kickstart -k gui/$(id -u)/NAME"
        yield NextStep(f"launchctl list | grep -i -- {word}", why)
    else:
        yield NextStep(None, RESTART)


def _systemd(names: Names, changed: bool, expected: str) -> Iterator[NextStep]:
    scope = "systemctl --user" if names.user else "sudo systemctl"
    name = names.only("service")
    if not names.any("service"):
        yield NextStep(None, RESTART)
        return
    if changed:
        yield NextStep(f"{scope} daemon-reload", "systemd reads units only when told")
    if name is None:
        why = f"restart the bot, under its name here: {scope} restart NAME"
        yield NextStep(f"{scope} list-units --type=service", why)
        return
    both = "; sudo systemctl if root installed it" if names.user and names.root else ""
    unit = shlex.quote(name)
    if changed:
        why = "a start limit that was reached would refuse the next start"
        yield NextStep(f"{scope} reset-failed {unit} || true", why)
    yield NextStep(f"{scope} restart {unit}", f"restart the bot{both}")
    if changed:
        command = f"{scope} show {unit} -p Restart -p StartLimitBurst"
        yield NextStep(command, f"reads it back{expected}")


def _listed(paths: list[str]) -> str:
    return ", ".join(map(shown, paths))


def shown(path: str) -> str:
    """A path as shown to a person: line breaks and the like are escaped."""
    return path if path.isprintable() else json.dumps(path)


def _is_added_unit(change: Change) -> bool:
    return any(rule.startswith("add-service-") for rule in change.rules)


def _is_unit_change(change: Change) -> bool:
    prefixes = ("systemd-", "launchd-")
    return change.path.endswith((".service", ".plist")) or any(
        rule.startswith(prefixes) for rule in change.rules
    )
