"""The commands that change files, each on a small bot that needs them all."""

from __future__ import annotations

import json
import re
import shutil
import stat
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from skill.policy import MEMORY_VERSION
from tests.slow.faults.injector import KILL, Fault, Ran, points_of, run

CHANNEL = """\
import makeWASocket, { DisconnectReason, useMultiFileAuthState } from '@whiskeysockets/baileys';

async function connect() {
  const { state, saveCreds } = await useMultiFileAuthState('auth');
  const sock = makeWASocket({ auth: state });
  sock.ev.on('creds.update', saveCreds);
  sock.ev.on('connection.update', (update) => {
    const { connection, lastDisconnect } = update;
    if (connection === 'close') {
      const reason = lastDisconnect?.error?.output?.statusCode;
      if (reason !== DisconnectReason.loggedOut) {
        connect();
      } else {
        process.exit(1);
      }
    }
  });
  sock.ev.on('messages.upsert', ({ messages }) => {
    console.log(messages.length);
  });
}

connect();
"""
UNIT = """\
[Unit]
Description=A small bot

[Service]
ExecStart=/usr/bin/env node {root}/bot.mjs
WorkingDirectory={root}
Restart=always

[Install]
WantedBy=default.target
"""
COMPOSE = """\
services:
  bot:
    build: .
    command: node bot.mjs
    restart: always
"""
MEMORY = {
    "version": MEMORY_VERSION,
    "attempts": {},
    "notBefore": 0,
    "code": 401,
    "verdict": {"code": 401, "at": 1_700_000_000_000},
}

# The user's key, and the record on its way into the host and out of it.
OWN = re.compile(r"home/\.local(/state(/.*)?|/share)?$|bot/\.skillgen(\.[0-9a-f.]+)?(/|$)")
CLEARED = re.compile(rb', "cleared": \d+')  # the time of a reset

Files = dict[str, tuple[bytes, int] | None]


@dataclass
class World:
    """A bot, its user's home, and a folder for units outside of the bot's."""

    folder: Path
    environment: dict[str, str] = field(init=False)

    def __post_init__(self) -> None:
        self.host, self.units = self.folder / "bot", self.folder / "units"
        self.home, self.scratch = self.folder / "home", self.folder / "scratch"
        self.environment = {
            "HOME": str(self.home),
            "PATH": str(self.scratch / "bin"),  # no node: to prove the guard changes no file
            "TMPDIR": str(self.scratch),
            "LANG": "C.UTF-8",
        }

    def make(self) -> None:
        for made in (self.host, self.units, self.home, self.scratch / "bin"):
            made.mkdir(parents=True)
        (self.scratch / "bin/git").symlink_to(shutil.which("git") or "/usr/bin/git")
        self.write("bot/package.json", '{ "name": "bot", "type": "module" }\n')
        self.write("bot/bot.mjs", CHANNEL)
        self.write("bot/deploy/bot.service", UNIT.format(root="/opt/bot"))
        (self.host / "deploy/bot.service").chmod(0o640)

    def write(self, path: str, text: str) -> None:
        file = self.folder / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")

    def edit(self, path: str, old: str, new: str) -> None:
        text = (self.folder / path).read_text(encoding="utf-8")
        assert old in text, path
        self.write(path, text.replace(old, new, 1))

    def run(self, command: Sequence[str], fault: Fault | None = None, trace: bool = False) -> Ran:
        words = [word.format(w=self.folder) for word in command]
        return run(words, self.environment, self.scratch, fault, trace)

    def must(self, *command: str) -> None:
        ran = self.run(command)
        assert ran.code in (0, 1), ran

    def files(self) -> Files:
        """All that a fault must not break; a folder is None. Not skillgen's own state."""
        found: Files = {}
        for top in (self.host, self.units, self.home):
            for path in sorted(top.rglob("*")):
                name = path.relative_to(self.folder).as_posix()
                status = path.lstat()
                if OWN.match(name):
                    continue
                if stat.S_ISDIR(status.st_mode):
                    if name.startswith("bot/"):
                        found[name] = None
                else:
                    content = CLEARED.sub(b"", path.read_bytes())
                    found[name] = (content, stat.S_IMODE(status.st_mode))
        return found

    def save(self, folder: Path) -> None:
        shutil.copytree(self.folder, folder, symlinks=True)

    def restore(self, folder: Path) -> None:
        """Be as it was when saved, at the same path: some files name it."""
        shutil.rmtree(self.folder, ignore_errors=True)
        shutil.copytree(folder, self.folder, symlinks=True)


def nothing(_world: World) -> None:
    return


@dataclass(frozen=True)
class Case:
    """One command. undo: what brings the world back. exits: its status without a fault.

    recovers: the command is the one after a kill, and cleans up.
    """

    name: str
    command: tuple[str, ...]
    prepare: Callable[[World], None] = nothing
    undo: tuple[str, ...] | None = None
    exits: int = 0
    recovers: bool = False


def applied(world: World) -> None:
    world.must("apply", "{w}/bot")


def edited(world: World) -> None:
    """Edits of the owner's: one that merges, one that does not."""
    applied(world)
    world.edit("bot/bot.mjs", "console.log(messages.length)", "console.log(messages)")
    world.edit("bot/deploy/bot.service", "Restart=on-failure", "Restart=on-abnormal")


def installed(world: World) -> None:
    world.must("install", "{w}/bot")


GUARD_IN = ("guard", "{w}/bot", "--unit", "{w}/bot/deploy/bot.service")
GUARD_OUT = ("guard", "{w}/bot", "--unit", "{w}/units/bot.service")
GUARD_COMPOSE = ("guard", "{w}/bot", "--unit", "{w}/bot/docker-compose.yml", "--service", "bot")


def unit_outside(world: World) -> None:
    world.write("units/bot.service", UNIT.format(root=world.host))


def compose(world: World) -> None:
    world.write("bot/docker-compose.yml", COMPOSE)


def guarded_inside(world: World) -> None:
    world.must(*GUARD_IN)


def guarded_outside(world: World) -> None:
    unit_outside(world)
    world.must(*GUARD_OUT)


def guarded_compose(world: World) -> None:
    compose(world)
    world.must(*GUARD_COMPOSE)


def old_guard(world: World) -> None:
    """The guard of an earlier version, which an upgrade replaces."""
    guarded_outside(world)
    file = world.home / ".local/share/skillgen/guard.cjs"
    text = file.read_text(encoding="utf-8")
    file.write_text(text.replace("\n", "\n// older\n", 1), encoding="utf-8")


def stopped(world: World) -> None:
    world.write("bot/auth-reconnect.json", json.dumps(MEMORY))


def killed(call: str, which: int) -> Callable[[World], None]:
    """After an apply that was killed at that call of a name; negative: from the end."""

    def prepare(world: World) -> None:
        saved = world.folder.with_name("fresh")
        world.save(saved)
        log = world.run(("apply", "{w}/bot"), trace=True).log
        world.restore(saved)
        shutil.rmtree(saved)
        point = [point for point in points_of(log) if point.call == call][which]
        ran = world.run(("apply", "{w}/bot"), Fault(point, KILL))
        assert ran.code == -9, ran

    return prepare


STATUS = ("status", "{w}/bot")
CASES = (
    Case("apply", ("apply", "{w}/bot"), undo=("revert", "{w}/bot")),
    Case("revert", ("revert", "{w}/bot"), applied, undo=("apply", "{w}/bot")),
    Case("revert, merged", ("revert", "{w}/bot"), edited, exits=1),
    Case("install", ("install", "{w}/bot"), undo=("install", "{w}/bot", "--remove")),
    Case("install --remove", ("install", "{w}/bot", "--remove"), installed),
    Case("guard", GUARD_IN, undo=(*GUARD_IN, "--remove")),
    Case("guard --remove", (*GUARD_IN, "--remove"), guarded_inside),
    Case("guard, unit elsewhere", GUARD_OUT, unit_outside, undo=(*GUARD_OUT, "--remove")),
    Case("guard --remove, unit elsewhere", (*GUARD_OUT, "--remove"), guarded_outside),
    Case("guard, upgraded", ("guard", "{w}/bot"), old_guard),
    Case("guard, compose", GUARD_COMPOSE, compose, undo=(*GUARD_COMPOSE, "--remove")),
    Case("guard --remove, compose", (*GUARD_COMPOSE, "--remove"), guarded_compose),
    Case("reset", ("reset", "{w}/bot"), stopped),
    Case("status, staging", STATUS, killed("openat", -4), recovers=True),
    Case("status, committing", STATUS, killed("renameat", -2), recovers=True),
)
