"""Dials of the real neonize, counted on loopback: unpatched bots, and patched ones.

The policy of the patched ones is shortened in the module that they gained (5 s -> 0.25 s); the
first wait of whatsmeow's own redial is 0 s, so its storm needs no shortening.
"""

from __future__ import annotations

import itertools
import json
import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.slow.baileys.harness import wait
from tests.slow.e2e_python.harness import Trial
from tests.slow.real.whatsapp import Bot, Proxy, WhatsApp, whatsapp

FIRST = 0.25
PATIENCE = 40.0
# More than a patched bot can make in the time that an unpatched one gets for it.
STORM = 12


@dataclass(frozen=True)
class Host:
    """database: where it keeps its device; command: what Python is told to run."""

    fixture: str
    database: str
    command: tuple[str, ...]


HOSTS = {
    "loop": Host("s3-loop", "ping.db", ("bot.py",)),
    "single": Host("s3-single", "lantern.db", ("-m", "lantern.app")),
    "restart": Host(
        "s3-restart",
        "relay.db",
        ("-c", "import asyncio, relay.whatsapp as w; asyncio.run(w.WhatsApp().run())"),
    ),
    "thread": Host(
        "s3-thread",
        "robot.db",
        (
            "-c",
            "import asyncio, whatsapp_channel as w; c = w.WhatsAppChannel('robot.db');"
            " asyncio.run(c.start()); c._thread.join()",
        ),
    ),
}
every_host = pytest.mark.parametrize("name", HOSTS)


@pytest.fixture(scope="module")
def loopback(node_tools: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[WhatsApp]:
    with whatsapp(node_tools, tmp_path_factory.mktemp("whatsapp")) as found:
        yield found


@pytest.fixture(scope="module")
def trials(tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[Path, Path]]:
    """Each bot as it is, and patched."""
    found = {}
    for name, host in HOSTS.items():
        pair = [Trial(host.fixture, tmp_path_factory.mktemp(name)) for _ in range(2)]
        plain, patched = (trial.clone() for trial in pair)
        assert pair[1].skillgen("apply").code == 0
        (module,) = patched.rglob("whatsapp_reconnect.py")
        text, count = re.subn(r"(?m)^DELAY = 5.0$", f"DELAY = {FIRST}", module.read_text())
        assert count == 1
        module.write_text(text)
        found[name] = plain, patched
    return found


@contextmanager
def driven(
    loopback: WhatsApp, folder: Path, name: str, script: str, refusals: int = 0
) -> Iterator[tuple[Host, Proxy, Bot]]:
    """A bot that is linked anew and runs, behind a proxy of its own."""
    host = HOSTS[name]
    loopback.link(folder / host.database)
    memory(folder, host).unlink(missing_ok=True)
    with (
        loopback.proxy(script, refusals) as proxy,
        loopback.running([*host.command], folder, proxy) as bot,
    ):
        yield host, proxy, bot


def memory(folder: Path, host: Host) -> Path:
    return folder / f"{host.database}-reconnect.json"


def counted(folder: Path, host: Host) -> int:
    return len(json.loads(memory(folder, host).read_text())["attempts"])


def turns(folder: Path, host: Host) -> list[float]:
    """When the gate let the bot connect, in seconds since 1970; whatsmeow's own are not in it."""
    file = memory(folder, host)
    attempts = json.loads(file.read_text())["attempts"] if file.exists() else {}
    return sorted(at for name, at in attempts.items() if "again" not in name)


@every_host
def test_a_link_that_drops_after_each_login(
    loopback: WhatsApp, trials: dict[str, tuple[Path, Path]], name: str
) -> None:
    plain, patched = trials[name]
    with driven(loopback, plain, name, "open-then/drop") as (_, proxy, bot):
        assert wait(PATIENCE, lambda: len(proxy.dials) >= STORM), bot.said
    # whatsmeow's own: each login sets its count back, so it is at once, each time.
    assert min(proxy.dials[-1] - proxy.dials[-4], 9) < 9

    with driven(loopback, patched, name, "open-then/drop") as (host, proxy, bot):
        # Four turns, and whatsmeow's own after each: one, or more where it is slow to stop.
        assert wait(PATIENCE, lambda: len(turns(patched, host)) >= 4), bot.said
        # Then nothing: the next turn is eight times FIRST away.
        assert wait(PATIENCE, lambda: time.monotonic() - proxy.dials[-1] > 4 * FIRST), bot.said
        assert len(proxy.dials) <= counted(patched, host), "each dial counts"
        began = turns(patched, host)[:4]
    waits = [after - before for before, after in itertools.pairwise(began)]
    for wanted, waited in zip((FIRST, 2 * FIRST, 4 * FIRST), waits, strict=True):
        assert waited >= wanted


@every_host
def test_no_network_at_first(
    loopback: WhatsApp, trials: dict[str, tuple[Path, Path]], name: str
) -> None:
    _, patched = trials[name]
    with driven(loopback, patched, name, "open", refusals=3) as (host, proxy, bot):
        logins = loopback.server.of
        assert wait(PATIENCE, lambda: bool(logins(proxy.bot, "login"))), bot.said
        assert wait(PATIENCE, lambda: len(proxy.dials) == 4)
        time.sleep(4 * FIRST)
        assert bot.process.poll() is None, bot.said
        assert len(proxy.dials) == counted(patched, host) == 4
        assert not logins(proxy.bot, "closed")


@pytest.mark.parametrize("name", ["single", "thread"])
def test_no_network_at_first_ends_an_unpatched_one(
    loopback: WhatsApp, trials: dict[str, tuple[Path, Path]], name: str
) -> None:
    plain, _ = trials[name]
    with driven(loopback, plain, name, "open", refusals=1) as (_, proxy, bot):
        bot.process.wait(PATIENCE)
        assert "failed to dial" in bot.said
    assert len(proxy.dials) == 1


@every_host
@pytest.mark.parametrize("step", ["failure/401", "conflict/replaced"])
def test_a_session_that_is_over_is_not_dialled_again(
    loopback: WhatsApp, trials: dict[str, tuple[Path, Path]], name: str, step: str
) -> None:
    _, patched = trials[name]
    with driven(loopback, patched, name, step) as (_, proxy, bot):
        assert bot.process.wait(PATIENCE) == 0, bot.said
    assert len(proxy.dials) == 1
    assert ("401 (logged out" if "401" in step else "440 (another client") in bot.said
