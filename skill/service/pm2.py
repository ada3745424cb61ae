"""pm2: the apps that its daemon runs, with the settings that it runs them by.

Any command of pm2 starts a daemon where none runs, so it is asked only where one does; else the
list that ``pm2 save`` has left is read. pm2 takes settings when it starts an app: an ecosystem
file of skillgen's takes the host's own one and adds them. An app that came from no such file
is given them by ``pm2 restart``.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

from modify.units.bot_project import BotProject
from modify.units.locate import unit_texts
from modify.units.managers import pm2 as reader
from modify.units.managers.pm2 import App
from modify.units.model import UnitText
from modify.units.process_managers import faults_of
from modify.units.started import Started
from skill import __version__
from skill.commands.shell import quoted
from skill.edit import apply_edits
from skill.errors import SkillgenError
from skill.guard import pm2 as guard
from skill.guard import values
from skill.guard.command import default_guard
from skill.guard.files import Wanted, read
from skill.guard.unit import Unit
from skill.host import Host
from skill.options import Options, ServiceOptions
from skill.service import record
from skill.service.changes import Changes, Restart, Step, heredoc
from skill.service.clean_exit import edits_of, held_back
from skill.service.logs import starts_in
from skill.service.model import UNKNOWN, Look, Policy, Service, Starts
from skill.service.place import started_here
from skill.service.tools import Tools

TITLE = "pm2"
SETTINGS = (
    *("autorestart", "stop_exit_codes", "exp_backoff_restart_delay", "restart_delay"),
    *("max_restarts", "min_uptime"),
)
"""What the rules look at, by pm2's own names."""
# pm2 starts a script of npm by npm's own file.
RUNNERS = {"npm-cli.js": "npm", "npx-cli.js": "npx", "yarn.js": "yarn", "pnpm.cjs": "pnpm"}
ONLINE = re.compile(r"^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d): PM2 log: App \[(.+):\d+\] online", re.M)
STAMP = "%Y-%m-%dT%H:%M:%S"
LARGEST = 16_000_000
STATES = {"online": "active (online)"}
GIVEN = re.compile(r"\A// Restart policy by skillgen [\s\S]*\n.* = (\[\[.*\]);\n")
TEMPLATE = """\
// Restart policy by skillgen {version}: a session that is over stays down.
// Take it back with: skillgen service {root} --revert
const config = require({base});
const [names, settings, guard, memory] = {values};

for (const app of config.apps || [].concat(config)) {{
  if (!names.includes(app.name)) continue;
  Object.assign(app, settings);
{environment}}}
module.exports = config;
"""


@dataclass(frozen=True)
class Managed:
    """What a Service keeps. app: its settings, for the rules. file: the host's ecosystem file."""

    app: App
    folder: str
    words: tuple[str, ...]
    file: Path | None
    line: int
    is_running: bool


def home() -> Path:
    return Path(os.environ.get("PM2_HOME") or os.path.expanduser("~/.pm2"))


def look(host: Host, tools: Tools) -> Iterator[Look | Service]:
    folder = home()
    if not folder.is_absolute() or not os.path.isdir(folder):
        yield Look(TITLE, "absent", f"no {folder} here")
        return
    runs = daemon_runs(folder)
    apps, why = asked(tools) if runs else saved(folder)
    if why:
        yield Look(TITLE, "failed", why)
        apps, _ = saved(folder)
    else:
        yield Look(TITLE, "looked")
    # Each instance of a cluster is listed, and they share their settings.
    for data in {text_of(data, "name"): data for data in apps}.values():
        service = of_app(host, data, folder, runs and not why)
        if service is not None:
            yield service


def daemon_runs(folder: Path) -> bool:
    try:
        pid = int((folder / "pm2.pid").read_text())
        os.kill(pid, 0)
    except PermissionError:
        return True
    except (OSError, ValueError, OverflowError):
        return False
    return os.path.exists(folder / "rpc.sock")


def asked(tools: Tools) -> tuple[list[dict[str, Any]], str]:
    """The apps of the daemon, and why they are not known."""
    answer = tools.ask("pm2", "jlist")
    if not answer.is_good:
        return [], answer.reason
    # News may come before it.
    found = parsed(answer.out[max(0, answer.out.find("[{")) :])
    return [env for app in found if isinstance(env := app.get("pm2_env"), dict)], ""


def saved(folder: Path) -> tuple[list[dict[str, Any]], str]:
    """The apps that pm2 starts at boot."""
    try:
        with (folder / "dump.pm2").open("rb") as stream:
            return parsed(stream.read(LARGEST).decode("utf-8", "replace")), ""
    except OSError:
        return [], ""


def parsed(text: str) -> list[dict[str, Any]]:
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return []
    return [item for item in found if isinstance(item, dict)] if isinstance(found, list) else []


def text_of(data: dict[str, Any], key: str) -> str:
    value = data.get(key)
    return value if isinstance(value, str) else ""


def words_of(data: dict[str, Any]) -> list[str]:
    path, interpreter = text_of(data, "pm_exec_path"), text_of(data, "exec_interpreter")
    given = data.get("args")
    more = given.split() if isinstance(given, str) else given
    arguments = [word for word in more if isinstance(word, str)] if isinstance(more, list) else []
    runner = RUNNERS.get(os.path.basename(path))
    if runner:
        return [runner, *arguments]
    first = [interpreter] if interpreter and interpreter != "none" else []
    return [*first, path, *arguments]


def of_app(host: Host, data: dict[str, Any], folder: Path, runs: bool) -> Service | None:
    name = text_of(data, "name")
    words, cwd = words_of(data), text_of(data, "pm_cwd")
    started = started_here(words, cwd, host) if name and words else None
    if started is None:
        return None
    file, line = ecosystem(host, name)
    path = file or Path(text_of(data, "pm_exec_path"))
    app = as_app(data, name, path, host, started)
    if app is None:
        return None
    service = Service(TITLE, "pm2", name, started, path)
    service.own = Managed(app, cwd, tuple(words), file, line, runs)
    service.policy = policy_of(app)
    status = text_of(data, "status")
    service.state = STATES.get(status, status) if runs else "not running; in the saved list"
    restarts = data.get("restart_time")
    service.starts = starts_of(folder, name, restarts if isinstance(restarts, int) else None)
    if started.kind == "side":
        return service
    service.is_guarded = "skillgen/guard.cjs" in options_of(data)
    found = [
        replace(sight.finding, path=str(path), line=line, column=1)
        for sight in faults_of(app, Options())
    ]
    service.findings = held_back(found, host)
    if started.kind == "unknown":
        service.obstacles.append(f"{UNKNOWN}: {started.why}")
    return service


def options_of(data: dict[str, Any]) -> str:
    """The app's NODE_OPTIONS; nothing else of its environment is looked at."""
    env = data.get("env")
    inner = text_of(env, values.NODE_OPTIONS) if isinstance(env, dict) else ""
    return text_of(data, values.NODE_OPTIONS) or inner


def as_app(data: dict[str, Any], name: str, path: Path, host: Host, started: Started) -> App | None:
    """The app as the rules take it: its settings as an ecosystem file in JSON."""
    shown = {"name": name, "script": text_of(data, "pm_exec_path")}
    shown |= {key: data[key] for key in SETTINGS if data.get(key) is not None}
    content = json.dumps({"apps": [shown]}, indent=2).encode()
    return app_in(content, host, started)


def app_in(content: bytes, host: Host, started: Started) -> App | None:
    text = UnitText("ecosystem.json", content, 0, len(content), "pm2")
    apps = reader.read(text, BotProject(host))
    return replace(apps[0], started=started) if len(apps) == 1 else None


def ecosystem(host: Host, name: str) -> tuple[Path | None, int]:
    """The host's ecosystem file that has the app, and the app's line in it."""
    for text in unit_texts(host):
        if text.kind != "pm2" or text.form != "file" or text.in_test:
            continue
        for app in reader.read(text, BotProject(host)):
            if app.name == name:
                return host.root / text.path, text.place(app.position)[0]
    return None, 1


def policy_of(app: App) -> Policy:
    """pm2's own settings in systemd's words."""
    found = reader.restarts(app)
    restart = found.restart
    if restart == "always" and 0 in found.prevent_codes:
        restart = "on-failure"
    pause = found.backoff_s or found.restart_s
    if restart == "no":
        return Policy("no", starts_per_hour=1)
    # It lets its own pause grow to 15 s (domain: pm2 7.0.4, run for real).
    longest = max(pause, LONGEST_PAUSE) if found.backoff_s else None
    return Policy(restart, pause, longest)


LONGEST_PAUSE = 15.0


def starts_of(folder: Path, name: str, restarts: int | None) -> Starts:
    """By the daemon's own log."""
    return starts_in(folder / "pm2.log", ONLINE, STAMP, lambda app: app == name, restarts)


def plan(host: Host, tools: Tools, service: Service, choice: ServiceOptions) -> Changes:
    """An ecosystem file that takes the host's own and adds what the rules ask for."""
    own: Managed = service.own
    changes = Changes()
    settings = settings_of(own.app, host)
    place = choice.guard_file.absolute() if choice.guard_file else default_guard()
    wants_guard = choice.guard and not service.is_guarded
    if not settings and not wants_guard:
        if own.file is not None:
            path = wrapper(own.file)
            file = path if os.path.exists(path) else own.file
            changes.restart.append(Restart(service.name, started_anew(service.name, file)[0]))
        return changes
    if own.file is None or own.file.suffix in (".mjs", ".ts"):
        without_file(service, settings, place if wants_guard else None, changes)
        return changes
    path = wrapper(own.file)
    before = read(path)
    known = given_in(path, before)
    given: list[Any] = [[service.name], {**known[1], **settings}, *known[2:]]
    if wants_guard:
        memory = os.path.join(own.folder, ".whatsapp-reconnect")
        given = [*given[:2], values.node_option(str(place)), memory]
    content = TEMPLATE.format(
        version=__version__,
        root=quoted(host.root),
        base=json.dumps(f"./{own.file.name}"),
        values=json.dumps(given),
        environment=guard.ENVIRONMENT if len(given) > 2 else "",
    ).encode()
    if wants_guard:
        unit = Unit(own.file, own.file.read_bytes(), "pm2", host)
        changes.guards.append((unit, place))
    changes.wanted.append(Wanted(path, before, content))
    steps, command = started_anew(service.name, path)
    changes.restart.append(Restart(service.name, steps))
    changes.by_hand += [*heredoc(path, content, ""), command]
    changes.next.append(command)
    changes.notes.append(
        "pm2 takes settings when it starts an app: until then it goes on as before"
    )
    steps, back = started_anew(service.name, own.file)
    kept = (path, host.root, service.name, before, content, (), steps, (back,), (back,))
    changes.remember.append(partial(record.remember, host, record.Record(*kept)))
    return changes


def wrapper(file: Path) -> Path:
    """pm2 takes a file for an ecosystem file by the end of its name."""
    return file.with_name(re.sub(r"(\.config)?\.\w+$", ".skillgen.config.cjs", file.name))


def given_in(path: Path, content: bytes | None) -> list[Any]:
    """What skillgen's file there already gives. Raises SkillgenError where it is another's."""
    if content is None:
        return [[], {}]
    found = GIVEN.search(content.decode("utf-8", "replace"))
    if found is None:
        raise SkillgenError(f"{path}: is not skillgen's own; move it away, then run it again")
    known = json.loads(found[1])
    return list(known)


def started_anew(name: str, file: Path) -> tuple[tuple[Step, ...], str]:
    """How pm2 takes an app from that file, and the same for a person to type."""
    folder = str(file.parent)
    steps = (
        Step(("pm2", "delete", name), may_fail=True),
        Step(("pm2", "start", file.name, "--only", name), folder=folder),
        Step(("pm2", "save")),
    )
    command = (
        f"cd {quoted(folder)} && pm2 delete {quoted(name)} && "
        f"pm2 start {quoted(file.name)} --only {quoted(name)} && pm2 save"
    )
    return steps, command


def without_file(
    service: Service, settings: dict[str, Any], place: Path | None, changes: Changes
) -> None:
    """What gives an app its settings that came from no ecosystem file."""
    options = []
    for key, value in settings.items():
        listed = " ".join(map(str, value)) if isinstance(value, list) else str(value)
        options.append(f"--{key.replace('_', '-')} {listed}")
    name = quoted(service.name)
    command = f"pm2 restart {name} {' '.join(options)}".strip()
    if place is not None:
        command = (
            f"{values.NODE_OPTIONS}={quoted(values.node_option(str(place)))} {command} --update-env"
        )
    changes.todo.append(
        f"{service.name}: came from no ecosystem file that pm2 can require, so there is none to "
        f"add to; this starts it anew with its settings: {command} && pm2 save"
    )


def settings_of(app: App, host: Host) -> dict[str, Any]:
    """What the rules change, as settings of pm2."""
    edits = edits_of(faults_of(app, Options()), host)
    if not edits:
        return {}
    before = json.loads(app.text.content)["apps"][0]
    after = json.loads(apply_edits(app.text.content, edits))["apps"][0]
    return {key: value for key, value in after.items() if before.get(key) != value}
