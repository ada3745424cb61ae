"""pm2: an ecosystem file that takes the host's own one and adds the guard to its bot."""

from __future__ import annotations

import json
import re
from pathlib import Path

from modify.units.managers import pm2
from skill import __version__
from skill.commands.shell import quoted
from skill.errors import SkillgenError
from skill.guard import values
from skill.guard.files import Wanted, read
from skill.guard.unit import Guarding, Unit, choose

HEADER = re.compile(rb"\A// Guard by skillgen (\S+): ")
TEMPLATE = """\
// Guard by skillgen {version}: the bot connects no more often than is safe.
// Take it back with: skillgen guard --remove --unit {name}
const config = require({base});
const [guarded, guard, memory] = {values};

for (const app of config.apps || [].concat(config)) {{
  if (!guarded.includes(app.name)) continue;
{environment}}}
module.exports = config;
"""
ENVIRONMENT = """\
  app.env = app.env || {};
  for (const key of Object.keys(app).filter((name) => /^env(_|$)/.test(name))) {
    const env = app[key];
    const own = env.NODE_OPTIONS || (key === 'env' ? '' : app.env.NODE_OPTIONS) || '';
    env.NODE_OPTIONS = `${own.replace(guard, '').trim()} ${guard}`.trim();
    env.WHATSAPP_RECONNECT_DIR = env.WHATSAPP_RECONNECT_DIR || memory;
  }
"""
"""Adds the guard to the variables of one app."""


def wrapper(unit: Unit) -> Path:
    """pm2 takes a file for an ecosystem file by the end of its name."""
    stem = re.sub(r"(\.config)?\.(js|cjs|mjs|ts|json)$", "", unit.path.name)
    return unit.path.parent / f"{stem}.guard.config.cjs"


def make(unit: Unit, guard: Path) -> Guarding:
    if unit.path.suffix in (".mjs", ".ts"):
        raise SkillgenError(f"{unit.path}: pm2 cannot require it; add NODE_OPTIONS to its env")
    apps = {app.name: app for app in pm2.read(unit.text, unit.project)}
    chosen = choose(unit, {name: app.started.is_host for name, app in apps.items()}, "app")
    folder = pm2.plain(apps[chosen[0]].pairs.get("cwd")) or str(unit.path.parent)
    option = values.node_option(str(guard))
    text = TEMPLATE.format(
        version=__version__,
        name=quoted(unit.path.name),
        base=json.dumps(f"./{unit.path.name}"),
        values=json.dumps([chosen, option, unit.memory_in(folder)]),
        environment=ENVIRONMENT,
    )
    path = wrapper(unit)
    before = read(path)
    if before is not None and not HEADER.match(before):
        raise SkillgenError(f"{path}: is not skillgen's own; move it away first")
    done = Guarding([Wanted(path, before, text.encode())])
    done.next += steps(unit, path, chosen)
    return done


def steps(unit: Unit, path: Path, chosen: list[str]) -> list[str]:
    names = " ".join(chosen)
    return [f"cd {path.parent} && pm2 delete {names} && pm2 start {path.name} && pm2 save"]


def take_back(unit: Unit) -> Guarding:
    path = wrapper(unit)
    before = read(path)
    done = Guarding()
    if before is not None and HEADER.match(before):
        done.wanted.append(Wanted(path, before, None))
        done.next.append(f"cd {path.parent} && pm2 delete all && pm2 start {unit.path.name}")
    return done


def found(unit: Unit) -> str | None:
    header = HEADER.match(read(wrapper(unit)) or b"")
    return header[1].decode() if header else None


def program_words(unit: Unit) -> list[str]:
    return []


def search_path(unit: Unit) -> str | None:
    return None
