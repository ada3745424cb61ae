"""Fixture hosts as real processes with the real Baileys, against the server of server.mjs.

A host is cloned, patched by the real command line, built with esbuild and started by Node.
Only the policy of the module that it gained is another one: real time is short, so the
module is rendered anew from ``SHORT``.
"""

from __future__ import annotations

import atexit
import hashlib
import json
import os
import re
import shutil
import subprocess
import tempfile
import threading
import time
import uuid
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import cache, cached_property
from pathlib import Path
from typing import Any

from modify.kit.typescript.style import detect_style
from skill import __version__
from skill.host import Host
from skill.policy import Backoff, Policy
from skill.render.typescript import render_channel_module
from tests.slow.e2e.harness import Trial

HERE = Path(__file__).resolve().parent
PRELOAD = HERE / "preload.mjs"
BAILEYS = {"7.0.0-rc14": "@whiskeysockets/baileys", "6.7.24": "baileys-6"}
"""Version to its folder in the node tools' node_modules."""
OWN = ("@hapi", "pino", "qrcode-terminal")
"""What a fixture host has beside Baileys."""

SHORT = Policy(
    # The caps are out of reach: what does not slow down breaks the policy on any machine.
    transient=Backoff(first=0.2, cap=60),
    hold=Backoff(first=0.4, cap=60),
    # Longer than any handshake on a busy machine; where the deadline is the thing to see,
    # the case sets its own.
    deadlines=(20, 40, 60),
    settle=0.2,
    unflushed=2,
    late_after=2,
    uptime=1,
    recheck=1,
)
"""The policy, 25 times as fast. Budget and memory are as they are."""
QUICK_DEADLINE = replace(SHORT, deadlines=(0.7, 1.4, 20))
"""For faults that meet a bot twice and never answer; the attempt after them has time."""


@cache
def one_file(node_tools: Path) -> Path:
    """A ``node_modules`` with both Baileys as in the node tools', each of them in one file.

    Nearly all that a bot's start takes is loading some hundred modules. Where how Baileys is
    found and loaded is the thing to see, a bot has the node tools' own.
    """
    modules = Path(tempfile.mkdtemp(prefix="one-file-")) / "node_modules"
    atexit.register(shutil.rmtree, modules.parent, ignore_errors=True)
    tools = node_tools.resolve() / "node_modules"
    modules.mkdir()
    for package in OWN:
        (modules / package).symlink_to(tools / package)
    for package in BAILEYS.values():
        (modules / package).mkdir(parents=True)
        command = ["node", HERE / "one_file.mjs", tools / package, modules / package]
        subprocess.run(command, check=True, timeout=120)
    return modules


@dataclass
class Server:
    """A running server.mjs. events: grows while it runs; by bot and name, when it happened.

    Times are in seconds since 1970.
    """

    process: subprocess.Popen[str]
    port: int
    root: str
    events: dict[tuple[str, str], list[float]] = field(default_factory=lambda: defaultdict(list))

    def url(self, bot: str, script: Sequence[str]) -> str:
        return f"ws://127.0.0.1:{self.port}/{bot}?script={','.join(script)}"

    def of(self, bot: str, name: str) -> list[float]:
        """When a bot did that, so far."""
        return self.events.get((bot, name), []).copy()

    def read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            said = json.loads(line)
            self.events[said["bot"], said["event"]].append(said["at"] / 1000)


@contextmanager
def serving(node_tools: Path, work: Path) -> Iterator[Server]:
    """A server on loopback, ended with the block."""
    # Node looks for packages beside the real place of a file.
    for name in ("server.mjs", "noise.mjs"):
        shutil.copy(HERE / name, work)
    (work / "node_modules").symlink_to(node_tools.resolve() / "node_modules")
    with (work / "server.log").open("w") as log:
        process = subprocess.Popen(
            ["node", work / "server.mjs"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
        )
    assert process.stdin is not None and process.stdout is not None
    try:
        first = process.stdout.readline()
        assert first, (work / "server.log").read_text()
        said = json.loads(first)
        server = Server(process, said["port"], said["root"])
        threading.Thread(target=server.read, daemon=True).start()
        yield server
    finally:
        process.stdin.close()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


@dataclass
class Program:
    """A fixture host with one version of Baileys, before or after ``apply``, ready to run.

    is_quick: Baileys is in one file.
    """

    fixture: str
    version: str
    work: Path
    node_tools: Path
    is_quick: bool = False

    @cached_property
    def trial(self) -> Trial:
        return Trial(self.fixture, self.work, self.node_tools)

    @cached_property
    def unpatched(self) -> Path:
        self.trial.clone(self.trial.host)
        return self.build("unpatched")

    @cached_property
    def patched(self) -> Path:
        assert self.unpatched
        applied = self.trial.skillgen("apply")
        assert applied.code == 0, str(applied)
        return self.build("patched")

    @cached_property
    def credentials(self) -> bytes:
        """creds.json of a linked bot, as this Baileys writes it."""
        command = ("node", HERE / "credentials.mjs")
        done = self.trial.run(*command, cwd=self.unpatched)
        assert done.code == 0, str(done)
        return (self.unpatched / "store" / "auth" / "creds.json").read_bytes()

    def bot(self, folder: Path, server: Server, script: Sequence[str], **more: Any) -> Bot:
        """A linked bot without a history."""
        (folder / "store" / "auth").mkdir(parents=True)
        (folder / "store" / "auth" / "creds.json").write_bytes(self.credentials)
        if not (folder / "node_modules").exists():
            (folder / "node_modules").symlink_to(self.unpatched / "node_modules")
        return Bot(uuid.uuid4().hex[:12], folder, server, script, **more)

    def build(self, state: str) -> Path:
        """A copy with its own node_modules, compiled as ``npm run build`` does, without checks."""
        target = self.work / f"{self.fixture}-{state}"
        shutil.copytree(
            self.trial.host, target, symlinks=True, ignore=shutil.ignore_patterns(".git")
        )
        (target / "node_modules").unlink()
        modules, tools = target / "node_modules", self.node_tools.resolve() / "node_modules"
        baileys = one_file(self.node_tools) if self.is_quick else tools
        (modules / "@whiskeysockets").mkdir(parents=True)
        (modules / "@whiskeysockets" / "baileys").symlink_to(baileys / BAILEYS[self.version])
        for package in OWN:
            (modules / package).symlink_to(tools / package)
        self.compile(target)
        return target

    def compile(self, folder: Path) -> None:
        sources = [path for path in (folder / "src").rglob("*.ts") if ".test." not in path.name]
        options = ("--format=esm", "--platform=node", "--outbase=src", "--outdir=dist")
        done = self.trial.node("esbuild", *sources, *options, "--log-level=error", cwd=folder)
        assert done.code == 0, str(done)

    def with_policy(self, policy: Policy) -> Path:
        """The patched host, with another policy in the module that it gained."""
        digest = hashlib.sha256(repr(policy).encode()).hexdigest()[:8]
        target = self.work / f"{self.fixture}-{digest}"
        if target.exists():
            return target
        shutil.copytree(self.patched, target, symlinks=True)
        (module,) = (target / "src").rglob("whatsapp-reconnect.ts")
        channel = module.with_name("whatsapp.ts")
        path = channel.relative_to(target).as_posix()
        style = detect_style(Host(self.unpatched), path, (self.unpatched / path).read_text())
        # Just what the host has been given, but for the policy.
        assert module.read_text() == render_channel_module(style, __version__)
        module.write_text(render_channel_module(style, __version__, policy=policy))
        self.compile(target)
        return target


@dataclass
class Bot:
    """A folder in which a program is started, again and again: its credentials and memory."""

    name: str
    folder: Path
    server: Server
    script: Sequence[str]
    timeout_ms: int | None = None

    @property
    def environment(self) -> dict[str, str]:
        """The environment that preload.mjs reads."""
        environment = {
            "WHATSAPP_URL": self.server.url(self.name, self.script),
            "WHATSAPP_ROOT": self.server.root,
        }
        if self.timeout_ms:
            environment["WHATSAPP_TIMEOUT_MS"] = str(self.timeout_ms)
        return environment

    @contextmanager
    def running(self, program: Path) -> Iterator[subprocess.Popen[bytes]]:
        """The program, started; what still runs after the block is killed."""
        environment = {"PATH": os.environ["PATH"], "HOME": str(self.folder), **self.environment}
        command = ["node", "--import", str(PRELOAD), str(program / "dist" / "index.js")]
        with self.log.open("ab") as log:
            process = subprocess.Popen(
                command, cwd=self.folder, env=environment, stdout=log, stderr=subprocess.STDOUT
            )
        try:
            yield process
        finally:
            if process.poll() is None:
                process.kill()
            process.wait()

    @property
    def log(self) -> Path:
        return self.folder / "bot.log"

    @property
    def said(self) -> str:
        return self.log.read_text(errors="replace")

    @cached_property
    def began(self) -> float:
        """When its first start was handed over to the bot, in seconds since 1970."""
        found = re.search(r'^\{"began":(\d+)\}$', self.said, re.MULTILINE)
        assert found, self.said
        return int(found[1]) / 1000

    @property
    def attempts(self) -> list[float]:
        return self.server.of(self.name, "attempt")

    @property
    def online(self) -> bool:
        """Whether its last attempt met the last step, and it has learnt that its link is open."""
        attempts = self.attempts
        heard = self.server.of(self.name, "available")
        closed = self.server.of(self.name, "closed")
        through = len(attempts) >= len(self.script) and bool(heard)
        return through and heard[-1] >= max([attempts[-1], *closed])


def wait(seconds: float, *conditions: Callable[[], bool]) -> bool:
    """Whether one of them came true."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        if any(condition() for condition in conditions):
            return True
        time.sleep(0.02)
    return False
