"""Bots that do something odd around their dials, held and guarded, with both real Baileys.

Dials are counted at the server. All runs are side by side.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import uuid
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from itertools import pairwise
from pathlib import Path

import pytest

from skill.guard.render import render_guard
from skill.policy import POLICY, Backoff
from skill.render.style import Style
from skill.render.typescript import render_channel_module
from tests.slow.baileys.harness import BAILEYS, SHORT, Server, one_file, serving, wait

HERE = Path(__file__).resolve().parent
QUICK = replace(
    SHORT,
    transient=Backoff(first=0.1, cap=60, first_jitter=0.5, jitter=0.1),
    hold=Backoff(first=6, cap=60),
    spacing=0.05,
)
"""The policy, 50 times as fast, with little jitter: each run has its time."""
PATIENCE = 60.0
STORM = 12
"""More dials than any of the runs makes with a gate."""
EARLY = 0.02
"""By so many seconds the server's clock may be behind a bot's."""
WAYS = ("held", "guarded")
REFUSED = "failure/503"


@dataclass
class Bot:
    """One of bots.mjs in a folder of its own. way: held, guarded, or as it is."""

    tree: Path
    server: Server
    kind: str
    way: str
    version: str
    script: Sequence[str]
    name: str = field(default_factory=lambda: uuid.uuid4().hex[:12])

    @property
    def folder(self) -> Path:
        return self.tree / "runs" / self.name

    @contextmanager
    def running(self) -> Iterator[subprocess.Popen[bytes]]:
        """The bot, started; it is killed after the block."""
        self.folder.mkdir(parents=True, exist_ok=True)
        environment = {
            "PATH": os.environ["PATH"],
            "HOME": str(self.folder),
            "BOT_BAILEYS": BAILEYS[self.version],
            "BOT_WAY": self.way,
            "WHATSAPP_URL": self.server.url(self.name, self.script),
            "WHATSAPP_ROOT": self.server.root,
        }
        if self.way == "guarded":
            environment["NODE_OPTIONS"] = f"--require={self.tree / 'guard.cjs'}"
        with (self.folder / "log").open("ab") as log:
            process = subprocess.Popen(
                ["node", str(self.tree / "bots.mjs"), self.kind],
                cwd=self.folder,
                env=environment,
                stdout=log,
                stderr=subprocess.STDOUT,
            )
        try:
            yield process
        finally:
            process.kill()
            process.wait()

    @property
    def log(self) -> str:
        return (self.folder / "log").read_text(errors="replace")

    def seen(self, words: str) -> int:
        """How often the bot said a line that begins so."""
        return len(re.findall(rf"^SEEN {words}", self.log, re.M))

    @property
    def dials(self) -> list[float]:
        """When each of its attempts came to the server, in seconds since 1970."""
        return self.server.of(self.name, "attempt")

    @property
    def counted(self) -> list[float]:
        """When each was counted, by its own memory of all accounts. In ms, as it is there."""
        files = (self.folder / ".whatsapp-reconnect").glob("*-reconnect.json")
        return sorted(
            at for file in files for at in json.loads(file.read_text())["attempts"].values()
        )

    def counted_ahead(self) -> bool:
        """Whether nothing has come to the server that had not been counted by then.

        So what was counted at its time was dialled no sooner. What is on its way to the server
        may be late by any time on a busy machine: its arrivals alone do not say how far apart
        two dials were.
        """
        counted, dials = self.counted, self.dials
        pairs = zip(counted, dials, strict=False)
        return len(dials) <= len(counted) and all(at / 1000 < dial + EARLY for at, dial in pairs)


@dataclass(frozen=True)
class Life:
    """What came of a run. alive: its process had not ended by itself."""

    bot: Bot
    done: bool
    alive: bool
    dials: int

    def __str__(self) -> str:
        return f"{self.dials} dials, alive: {self.alive}\n{self.bot.log[-3000:]}"


def live(bot: Bot, until: Callable[[Bot], bool]) -> Life:
    with bot.running() as process:
        wait(PATIENCE, lambda: until(bot), lambda: process.poll() is not None)
        alive = process.poll() is None
        return Life(bot, until(bot), alive, len(bot.dials))


def thirty_starts(bot: Bot) -> Life:
    """A bot that its supervisor restarts as soon as it has been refused."""
    for start in range(30):
        _start_until_refused(bot, start)
    return Life(bot, bot.seen("up") == 30, True, len(bot.dials))


def _start_until_refused(bot: Bot, start: int) -> None:
    """start: how many starts there were before this one."""
    with bot.running() as process:

        def ended() -> bool:
            return process.poll() is not None

        # Its start-up is not counted: a busy machine needs seconds for it.
        wait(PATIENCE, lambda: bot.seen("up") > start, ended)
        wait(1.2, lambda: len(bot.dials) > start or bot.seen("close") > start, ended)


def opened(bot: Bot) -> bool:
    return bot.seen("open") > 0


RUNS: dict[str, tuple[Sequence[str], Callable[[Bot], bool]]] = {
    "lonely": ((*[REFUSED] * 4, "open"), opened),
    # Six refusals make a wait that is longer than the watchdog's patience.
    "watchdog": ((*[REFUSED] * 6, "open"), opened),
    "code": ((REFUSED, REFUSED, "qr"), lambda bot: bot.seen("code") > 0),
    "panel": (("qr-then/drop", "qr"), lambda bot: bot.seen("qr") > 1),
    "proxy": ((REFUSED, REFUSED, "open"), opened),
}
HUNDRED = "hundred"
MADE = [(kind, way, version) for kind in RUNS for way in WAYS for version in BAILEYS]


@pytest.fixture(scope="module")
def tree(node_tools: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("odd")
    shutil.copytree(HERE / "odd", folder, dirs_exist_ok=True)
    (folder / "node_modules").symlink_to(one_file(node_tools))
    module = render_channel_module(Style(), "1", ".mjs", QUICK, "held")
    (folder / "whatsapp-reconnect.mjs").write_text(module)
    (folder / "guard.cjs").write_bytes(render_guard(policy=QUICK))
    return folder


@pytest.fixture(scope="module")
def lives(
    tree: Path, node_tools: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[dict[tuple[str, ...], Life]]:
    """Every run of this file, some of them at a time."""
    seven = next(iter(BAILEYS))
    found: dict[tuple[str, ...], Future[Life]] = {}
    with (
        serving(node_tools, tmp_path_factory.mktemp("server")) as server,
        ThreadPoolExecutor(6) as pool,
    ):

        def bot(kind: str, way: str, version: str, *script: str) -> Bot:
            return Bot(tree, server, kind, way, version, script)

        for way in WAYS:
            made = bot("unlinked", way, seven, REFUSED)
            found["unlinked", way] = pool.submit(thirty_starts, made)
            made = bot(HUNDRED, way, seven, REFUSED)
            found[HUNDRED, way] = pool.submit(live, made, lambda bot: len(bot.dials) >= 100)
            made = bot("lonely", way, seven, "conflict/replaced")
            found["replaced", way] = pool.submit(live, made, lambda bot: len(bot.dials) > 1)
        for kind, way, version in MADE:
            script, until = RUNS[kind]
            found[kind, way, version] = pool.submit(live, bot(kind, way, version, *script), until)
        for kind in ("lonely", "watchdog", "proxy", "unlinked"):
            made = bot(kind, "as it is", seven, REFUSED)
            found[kind, "as it is"] = pool.submit(live, made, lambda bot: len(bot.dials) >= STORM)
        yield {name: future.result() for name, future in found.items()}


Lives = dict[tuple[str, ...], Life]


@pytest.mark.parametrize("kind", ["lonely", "watchdog", "proxy", "unlinked"])
def test_it_storms_as_it_is(lives: Lives, kind: str) -> None:
    life = lives[kind, "as it is"]
    assert life.dials >= STORM, life


@pytest.mark.parametrize(("kind", "way", "version"), MADE)
def test_it_is_paced_and_comes_back(lives: Lives, kind: str, way: str, version: str) -> None:
    life = lives[kind, way, version]
    assert life.done and life.alive, life
    assert life.dials == len(RUNS[kind][0]), life
    counted = life.bot.counted
    assert len(counted) == life.dials and life.bot.counted_ahead(), (counted, life)
    first = 1000 * QUICK.transient.first
    gaps = [later - earlier for earlier, later in pairwise(counted)]
    assert all(gap >= first * 2**step for step, gap in enumerate(gaps)), (gaps, life)


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("version", BAILEYS)
def test_a_pairing_code_is_asked_for_when_the_server_is_ready(
    lives: Lives, way: str, version: str
) -> None:
    """Asked for 60 ms after the first socket: two sockets later it is given, once."""
    bot = lives["code", way, version].bot
    assert bot.seen("code 8") == 1, bot.log
    # Asked for before, it leaves a number in the credentials, and the next dial is a login.
    assert bot.seen("me false") == 2 and bot.seen("me true") == 0, bot.log


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("version", BAILEYS)
def test_a_host_s_own_agent_makes_each_connection(lives: Lives, way: str, version: str) -> None:
    life = lives["proxy", way, version]
    assert life.bot.seen("proxied") == life.dials


@pytest.mark.parametrize("way", WAYS)
def test_a_hundred_accounts_start_one_after_the_other(lives: Lives, way: str) -> None:
    life = lives[HUNDRED, way]
    assert life.done and life.alive, life
    assert life.bot.counted_ahead(), life
    first, *_, hundredth = life.bot.counted[:100]
    # Each is counted right after the moment from which the next one is spaced.
    assert (hundredth - first) / 1000 > 99 * QUICK.spacing - EARLY, life


@pytest.mark.parametrize("way", WAYS)
def test_what_is_not_linked_has_one_budget_for_all_starts(lives: Lives, way: str) -> None:
    life = lives["unlinked", way]
    assert life.done, life
    assert 1 <= life.dials <= POLICY.budget, life


@pytest.mark.parametrize("way", WAYS)
def test_a_session_that_another_client_took_is_left_to_it(lives: Lives, way: str) -> None:
    life = lives["replaced", way]
    assert life.done and life.alive, life
    assert life.bot.counted_ahead(), life
    first, second = life.bot.counted
    assert second - first >= 1000 * QUICK.hold.first, life
