"""Real Python hosts, from the package index: patched, driven, reverted; decoys stay as they are."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from dataclasses import replace
from math import inf
from pathlib import Path

import pytest

from modify.units.restarts import GROWTH
from skill.host import Host
from skill.storm.host.python_channels import discover
from skill.storm.python.run import PythonOutcome, simulate_python
from skill.storm.python.scenarios import TABLES
from skill.storm.scenarios import HOUR
from skill.storm.supervisor import ALWAYS_5S, ON_FAILURE_10S
from tests.slow.e2e.harness import Tree, changed_paths, tree
from tests.slow.e2e.programs import Run
from tests.slow.real.packages import HOSTS, copied, site

MAIN = Path(__file__).resolve().parents[3] / "skill" / "__main__.py"
# What changes in each, apart from the Node half of a bridge, which is TypeScript's affair.
CHANGED = {
    "nanobot-0.1.3": {
        "nanobot/channels/whatsapp.py",
        "nanobot/channels/whatsapp_reconnect.py",
    },
    "nanobot-0.2.2": {
        "nanobot/channels/whatsapp.py",
        "nanobot/channels/whatsapp_reconnect.py",
        "nanobot/gateway/service.py",
    },
    # /restart in its mode "exit" ends with a failure now: the unit says on-failure.
    "nanobot-0.3.5": {
        "nanobot/channels/whatsapp/runtime.py",
        "nanobot/channels/whatsapp/whatsapp_reconnect.py",
        "nanobot/command/builtin.py",
        "nanobot/gateway/service.py",
    },
    "hermes-0.19.0": {"hermes_cli/gateway.py", "plugins/platforms/whatsapp/adapter.py"},
}


def skillgen(command: str, host: Path, *options: str) -> Run:
    words = (sys.executable, "-I", str(MAIN), command, str(host), *options)
    done = subprocess.run(words, capture_output=True, timeout=300)
    return Run(words, done.returncode, done.stdout, done.stderr)


@pytest.fixture(scope="module", params=sorted(HOSTS))
def trial(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> tuple[str, Path, Tree]:
    name = str(request.param)
    host = copied(name, tmp_path_factory.mktemp(name) / "host")
    before = tree(host)
    applied = skillgen("apply", host)
    assert applied.code in (0, 1), str(applied)
    assert "Traceback" not in applied.text
    return name, host, before


def test_a_user_s_day(trial: tuple[str, Path, Tree]) -> None:
    name, host, before = trial
    after = tree(host)
    changed = changed_paths(before, after)
    python = {path for path in changed if path.endswith(".py")}
    assert python == CHANGED[name], "and every decoy is as it was"
    for path in python:
        ast.parse(after[path][1])
    if name.startswith(("nanobot-0.1", "nanobot-0.2")):
        bridge = after["nanobot/bridge/src/whatsapp.ts"][1]
        assert b".terminal ? 'logged_out' : 'disconnected'" in bridge
    if name.startswith("hermes"):
        left = skillgen("check", host).text
        assert "exits with 77" in left
        # launchd has to start it after a clean exit, too: the host says so.
        assert "launchd-keep-alive" in left and "clean exit" in left
        units = after["hermes_cli/gateway.py"][1]
        assert units.count(b"\nStartLimitIntervalSec=300\nStartLimitBurst=5\n") == 2
        assert b"StartLimitIntervalSec=0" not in units
        growing = b"\nRestart=on-failure\nRestartSec=10\n" + GROWTH.encode()
        assert units.count(growing + b"RestartForceExitStatus={") == 2
    if name == "nanobot-0.3.5":
        assert b"        os._exit(75)\n" in after["nanobot/command/builtin.py"][1]
        assert b'"Restart=on-failure",' in after["nanobot/gateway/service.py"][1]
    second = skillgen("apply", host)
    assert second.code in (0, 1), str(second)
    assert tree(host) == after
    assert not re.search(rb"[1-9]\d* files? (would be|were|was) (changed|added)", second.stdout)


@pytest.fixture(scope="module", params=["nanobot-0.1.3", "nanobot-0.2.2", "nanobot-0.3.5"])
def halves(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> tuple[str, Path, Path]:
    """A host as it is, and patched."""
    name = str(request.param)
    folder = tmp_path_factory.mktemp(name)
    for half in ("before", "after"):
        copied(name, folder / half)
    assert skillgen("apply", folder / "after").code in (0, 1)
    return name, folder / "before", folder / "after"


def storm(host: Path, *, patched: bool, hours: float = inf) -> dict[str, PythonOutcome]:
    """Every scenario, or the first hours of each."""
    [channel] = discover(Host(host))
    table = [
        replace(one, horizon_s=min(one.horizon_s, hours * HOUR)) for one in TABLES[channel.way]
    ]
    supervisor = ON_FAILURE_10S if patched else ALWAYS_5S
    found = simulate_python(host, channel, scenarios=table, supervisor=supervisor, workers=2)
    assert [one.not_run for one in found if one.not_run] == []
    return {one.scenario.id: one for one in found}


# Dials of the bridge in the busiest hour: nanobot-ai's own code, as domain.md has them.
STORM = {
    "bridge-refuses": 713,
    "bridge-resets": 596,
    "bridge-closes": 3429,
    "bridge-flaps": 40,
    "bridge-logged-out": 3429,
}
ENDED_BY_WHATSAPP = ("revoked", "revoked-later", "locked", "banned", "replaced")


def test_unpatched_channel_storms_or_goes_on(halves: tuple[str, Path, Path]) -> None:
    name, before, _ = halves
    found = storm(before, patched=False, hours=2.1)
    if name == "nanobot-0.3.5":
        for id in ENDED_BY_WHATSAPP:
            assert (found[id].attempts, found[id].ended_s, found[id].settled_s) == (1, None, None)
        return
    assert {id: found[id].busiest_hour for id in STORM} == STORM


def test_patched_channel_keeps_its_promises(halves: tuple[str, Path, Path]) -> None:
    name, _, after = halves
    found = storm(after, patched=True)
    assert {id: one.broken() for id, one in found.items() if one.broken()} == {}
    if name == "nanobot-0.3.5":
        for id in ENDED_BY_WHATSAPP:
            # start() raises, which is how this host's manager learns why a channel is down.
            assert (found[id].attempts, found[id].settled_ok) == (1, False)
    else:
        assert found["bridge-logged-out"].attempts == 1
        assert max(one.busiest_hour for id, one in found.items() if id in STORM) < 65


def test_the_fake_neonize_has_the_real_one_s_events() -> None:
    from skill.storm.python.runner.neonize import KINDS

    code = (
        "from neonize.aioze import events\nfrom neonize import events as synchronous\n"
        "for module in (events, synchronous):\n"
        "    for name in dir(module):\n"
        "        if name.endswith('Ev'): print(name, getattr(module, name).__name__)\n"
    )
    real = dict(line.split() for line in real_python(code).splitlines())
    fake = {name: kind.__name__ for name, kind in KINDS.items()}
    assert fake.keys() == real.keys()
    # Hosts tell them apart by their names: "LoggedOut", "TemporaryBan".
    for name in ("ConnectedEv", "DisconnectedEv", "LoggedOutEv", "StreamReplacedEv"):
        assert fake[name] == real[name]
    for name in ("TemporaryBanEv", "ConnectFailureEv", "ClientOutdatedEv"):
        assert fake[name] == real[name]


def real_python(code: str) -> str:
    """What a program prints that has the real libraries."""
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        env={"PYTHONPATH": str(site()), "PATH": "/usr/bin:/bin"},
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_revert_gives_the_tree_back(trial: tuple[str, Path, Tree]) -> None:
    _, host, before = trial
    assert skillgen("revert", host).code == 0
    assert tree(host) == before


def test_real_neonize_has_the_events_and_the_one_handler() -> None:
    """What the rewrite of a neonize client rests on, asked of neonize itself."""
    code = (
        "from neonize.aioze.events import LoggedOutEv, StreamReplacedEv, TemporaryBanEv\n"
        "from neonize.aioze.events import Event\n"
        "e = Event(None)\n"
        "async def one(c, x): pass\n"
        "async def two(c, x): pass\n"
        "for kind in (LoggedOutEv, StreamReplacedEv, TemporaryBanEv):\n"
        "    e(kind)(one)\n"
        "e(LoggedOutEv)(two)\n"
        "print(len(e.list_func), e.list_func[6] is two)\n"
    )
    assert real_python(code).split() == ["3", "True"]
