"""Held hosts with the real Baileys: dials are counted at the server, whatever loop the host has."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import time
import uuid
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from modify.kit.typescript.style import detect_style
from skill import __version__
from skill.host import Host
from skill.policy import Backoff
from skill.render.typescript import render_channel_module
from tests.slow.baileys.harness import BAILEYS, PRELOAD, SHORT, Server, one_file, serving, wait
from tests.slow.e2e.harness import Trial

HERE = Path(__file__).resolve().parent
QUICK = replace(
    SHORT, transient=Backoff(first=0.2, cap=60, first_jitter=2), deadlines=(3, 6, 60), spacing=0.05
)
"""Twenty-five times as fast, deadlines included: an HTTP refusal never brings an event."""
SEVEN, SIX = BAILEYS
HELD_S = 6.0
"""So long a held bot is refused; at 0.2 s, 0.4 s … it has time for five attempts, six at most."""
MOST = 7
STORM = 12
"""More dials than any held bot makes, of one that is not."""


@dataclass(frozen=True)
class Shape:
    """A fixture host that is held. folder: of its credentials, '' where they lie in none."""

    name: str
    folder: str
    entry: str = "src/index.js"
    versions: tuple[str, ...] = (SEVEN,)
    words: tuple[str, ...] = ()
    storms: bool = True
    """Its own loop redials at once; else after a pause of seconds."""


SHAPES = (
    Shape("session-map", "data/bells-one", words=("one",)),
    Shape("top-level-reload", "riddles", "index.js"),
    Shape("event-table", "bakery"),
    Shape("local-reexport", "ferries", versions=(SEVEN, SIX)),
    Shape("shared-maker", "cats", storms=False),
    Shape("wrapped-listener", "crew", versions=(SEVEN, SIX), storms=False),
    Shape("awaited-listener", "orchard", storms=False),
    Shape("database-credentials", "", versions=(SEVEN, SIX)),
    Shape("synchronous-connect", "", versions=(SEVEN, SIX)),
)
CASES = [(shape, version) for shape in SHAPES for version in shape.versions]
NAMES = [f"{shape.name}-{version}" for shape, version in CASES]


@dataclass
class Program:
    """A fixture host, held or as it is, with one version of Baileys."""

    shape: Shape
    root: Path
    server: Server
    creds: bytes
    name: str = field(default_factory=lambda: uuid.uuid4().hex[:12])

    def prepare(self) -> None:
        if self.shape.folder:
            folder = self.root / self.shape.folder
            folder.mkdir(parents=True)
            (folder / "creds.json").write_bytes(self.creds)

    @contextmanager
    def running(self, script: Sequence[str]) -> Iterator[subprocess.Popen[bytes]]:
        """The bot, started; what still runs after the block is killed."""
        environment = {
            "PATH": os.environ["PATH"],
            "HOME": str(self.root),
            "WHATSAPP_URL": self.server.url(self.name, script),
            "WHATSAPP_ROOT": self.server.root,
        }
        command = ["node", "--import", str(PRELOAD), self.shape.entry, *self.shape.words]
        with (self.root / "bot.log").open("ab") as log:
            process = subprocess.Popen(
                command, cwd=self.root, env=environment, stdout=log, stderr=subprocess.STDOUT
            )
        try:
            yield process
        finally:
            if process.poll() is None:
                process.kill()
            process.wait()

    @property
    def dials(self) -> int:
        return len(self.server.of(self.name, "attempt"))

    @property
    def log(self) -> str:
        return (self.root / "bot.log").read_text(errors="replace")[-4000:]


class Programs:
    """Copies of the fixture hosts, each held by the real command line once."""

    def __init__(self, work: Path, node_tools: Path, server: Server) -> None:
        self.work, self.node_tools, self.server = work, node_tools, server
        self.held: dict[str, Path] = {}
        self.creds: dict[str, bytes] = {}

    def linked(self, version: str) -> bytes:
        if version not in self.creds:
            folder = self.work / f"creds-{version}"
            self.install(folder, version)
            command = ["node", str(HERE / "credentials.mjs")]
            subprocess.run(command, cwd=folder, check=True, timeout=60)
            self.creds[version] = (folder / "store/auth/creds.json").read_bytes()
        return self.creds[version]

    def install(self, folder: Path, version: str) -> None:
        (folder / "node_modules/@whiskeysockets").mkdir(parents=True)
        target = one_file(self.node_tools) / BAILEYS[version]
        (folder / "node_modules/@whiskeysockets/baileys").symlink_to(target)
        if not (folder / "package.json").exists():
            (folder / "package.json").write_text("{}")

    def make(self, shape: Shape, version: str, held: bool) -> Program:
        source = self.patched(shape) if held else Path("tests/hosts") / shape.name
        root = self.work / uuid.uuid4().hex[:12]
        ignored = shutil.ignore_patterns("node_modules", ".git", ".skillgen")
        shutil.copytree(source, root, ignore=ignored)
        self.install(root, version)
        program = Program(shape, root, self.server, self.linked(version))
        program.prepare()
        return program

    def patched(self, shape: Shape) -> Path:
        if shape.name not in self.held:
            trial = Trial(shape.name, self.work / "trials" / shape.name, self.node_tools)
            trial.clone(trial.host)
            applied = trial.skillgen("apply")
            assert applied.code == 0, str(applied)
            (module,) = trial.host.rglob("whatsapp-reconnect.js")
            path = (trial.host / shape.entry).relative_to(trial.host).as_posix()
            source = (trial.host / path).read_text()
            style = detect_style(Host(trial.host), path, source)
            if "require(" in source:
                style = replace(style, modules="commonjs")
            # Just what the host has been given, but for the policy.
            text = render_channel_module(style, __version__, ".js", kind="held")
            assert module.read_text() == text
            quick = render_channel_module(style, __version__, ".js", policy=QUICK, kind="held")
            module.write_text(quick)
            self.held[shape.name] = trial.host
        return self.held[shape.name]


@pytest.fixture(scope="module")
def programs(node_tools: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Programs]:
    work = tmp_path_factory.mktemp("held")
    (work / "server").mkdir()
    with serving(node_tools, work / "server") as server:
        yield Programs(work, node_tools, server)


def all_at_once(programs: Programs, run: object) -> dict[str, object]:
    """What ``run(shape, version)`` says of each case, four of them side by side."""
    assert callable(run)
    for shape, version in CASES:
        programs.patched(shape)
        programs.linked(version)
    with ThreadPoolExecutor(4) as pool:
        return dict(zip(NAMES, pool.map(lambda case: run(*case), CASES), strict=True))


def test_refused_at_once_is_paced(programs: Programs) -> None:
    def run(shape: Shape, version: str) -> str:
        plain = programs.make(shape, version, held=False)
        if shape.storms:
            with plain.running(["failure/503"]):
                if not wait(40, lambda: plain.dials >= STORM):
                    return f"unpatched: {plain.dials} dials\n{plain.log}"
        held = programs.make(shape, version, held=True)
        with held.running(["failure/503"]) as process:
            if not wait(60, lambda: held.dials >= 1):
                return f"held: no dial\n{held.log}"
            time.sleep(HELD_S)
            alive = process.poll() is None
        well = 2 <= held.dials <= MOST or (not shape.storms and held.dials >= 1)
        return "" if well and alive else f"held: {held.dials} dials, {alive=}\n{held.log}"

    wrong = {name: said for name, said in all_at_once(programs, run).items() if said}
    assert not wrong


def test_a_held_bot_recovers(programs: Programs) -> None:
    """After refusals of both kinds: with a close, and at the upgrade, which brings no event."""

    def run(shape: Shape, version: str) -> str:
        held = programs.make(shape, version, held=True)
        script = ["failure/503", "http/503", "open" if shape.folder else "qr"]
        with held.running(script):
            heard = lambda: bool(held.server.of(held.name, "available"))  # noqa: E731
            well = wait(90, heard if shape.folder else lambda: held.dials >= len(script))
            time.sleep(1)
        return "" if well and held.dials == 3 else f"{held.dials} dials\n{held.log}"

    wrong = {name: said for name, said in all_at_once(programs, run).items() if said}
    assert not wrong


def test_a_revoked_session_is_dialled_once_in_three_starts(programs: Programs) -> None:
    def run(shape: Shape, version: str) -> str:
        if not shape.folder:
            return ""  # never linked: there is no session to revoke
        held = programs.make(shape, version, held=True)
        for start in range(3):
            with held.running(["failure/401"]) as process:
                if start == 0:
                    wait(60, lambda: held.dials >= 1)
                wait(4, lambda: process.poll() is not None)
        told = re.search(r"401 \(logged out.*No further attempt", held.log)
        return "" if held.dials == 1 and told else f"{held.dials} dials\n{held.log}"

    wrong = {name: said for name, said in all_at_once(programs, run).items() if said}
    assert not wrong
