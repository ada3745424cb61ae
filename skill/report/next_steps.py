"""The commands that follow an apply: build, test, install the unit, restart."""

from __future__ import annotations

import re
import shlex
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from skill.host import Host
from skill.package_json import package_at
from skill.plan import Change, Plan

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
SOURCES = (".ts", ".mts", ".cts", ".tsx")
UNIT_NAME = re.compile(rb"[\w@:-][\w@:.-]*\.service\b")
LABEL = re.compile(rb"<key>Label</key>\s*<string>([\w.-]+)</string>")


@dataclass(frozen=True, slots=True)
class NextStep:
    """command: to be run in the host's folder, None where a person has to act."""

    command: str | None
    why: str


def next_steps(host: Host, plan: Plan, platform: str = sys.platform) -> list[NextStep]:
    package = package_at(host)
    steps = list(_scripts(host, package, plan))
    steps += _restart(host, plan, platform)
    return steps


def stale_build(host: Host) -> str | None:
    """A warning when the built output is older than the source it is made from."""
    package = package_at(host)
    entry = package.get("main") if isinstance(package.get("main"), str) else None
    folder = host.root / (Path(str(entry)).parts[0] if entry and "/" in str(entry) else "dist")
    built = _newest(folder.rglob("*.js")) if folder.is_dir() else 0.0
    source = _newest(
        file.absolute
        for file in host.files.values()
        if file.path.endswith(SOURCES) and not file.path.endswith((".d.ts", ".test.ts"))
    )
    if not built or folder.name == "src" or built >= source:
        return None
    return f"{folder.name}/ is older than the source: build, or the bot goes on as before"


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
    if "build" in scripts and any(change.path.endswith(SOURCES) for change in plan.changes):
        yield NextStep(f"{manager} run build", "the bot runs what is built")
    if "test" in scripts:
        yield NextStep(f"{manager} run test", "the host's own tests, and the added one")


def _restart(host: Host, plan: Plan, platform: str) -> Iterator[NextStep]:
    added = next((change for change in plan.changes if _is_added_unit(change)), None)
    if added is not None and added.path in PM2_FILES:
        yield NextStep(f"pm2 start {added.path}", "the app is new to pm2")
        return
    if added is not None:
        yield NextStep(None, f"install {added.path}; its first lines say how")
        return
    pm2 = next((name for name in PM2_FILES if host.exists(name)), None)
    if pm2:
        yield NextStep(f"pm2 restart {pm2}", "the new code runs after a restart")
        return
    units = [change for change in plan.changes if _is_unit_change(change)]
    generators = sorted(
        change.path
        for change in units
        if not change.path.endswith((".service", ".plist")) and not _is_test(change.path)
    )
    if generators:
        yield NextStep(None, f"install the service again ({', '.join(generators)} writes it)")
    elif units:
        files = sorted(change.path for change in units if not _is_test(change.path))
        yield NextStep(None, f"install the changed unit where the old one is ({', '.join(files)})")
    names = _names(host, platform)
    if platform == "darwin":
        for label in names:
            yield NextStep(
                f"launchctl kickstart -k gui/$(id -u)/{shlex.quote(label)}", "restart the bot"
            )
    else:
        scope = "systemctl --user" if _is_user_unit(host) else "sudo systemctl"
        if units and names:
            yield NextStep(f"{scope} daemon-reload", "systemd reads units only when told")
        for name in names:
            yield NextStep(f"{scope} restart {shlex.quote(name)}", "restart the bot")
    if not names:
        yield NextStep(None, "restart the bot; the running one is still the old one")


def _is_added_unit(change: Change) -> bool:
    return any(rule.startswith("add-service-") for rule in change.rules)


def _is_unit_change(change: Change) -> bool:
    prefixes = ("systemd-", "launchd-")
    return change.path.endswith((".service", ".plist")) or any(
        rule.startswith(prefixes) for rule in change.rules
    )


def _is_test(path: str) -> bool:
    return ".test." in path or ".spec." in path or path.startswith(("test/", "tests/"))


def _texts(host: Host) -> Iterator[tuple[str, bytes]]:
    """Where a host names its own unit: unit files, and the code that installs them."""
    for file in host.with_suffix(".service", ".plist", "service.ts", "service.js", ".sh"):
        if not _is_test(file.path):
            yield file.path, host.read(file.path)


def _names(host: Host, platform: str) -> list[str]:
    """The host's service names, when they can be told; never more than the evident one."""
    found: dict[str, None] = {}
    for path, text in _texts(host):
        if platform == "darwin":
            found.update(dict.fromkeys(label.decode() for label in LABEL.findall(text)))
        elif path.endswith(".service"):
            found[Path(path).stem] = None
        else:
            names = (name.decode().removesuffix(".service") for name in UNIT_NAME.findall(text))
            found.update(dict.fromkeys(name for name in names if name))
    return list(found) if len(found) == 1 else []


def _is_user_unit(host: Host) -> bool:
    marks = (b"systemd/user", b"systemctl --user", b"default.target")
    return any(mark in text for _path, text in _texts(host) for mark in marks)
