"""Real Python hosts, from the package index: patched, driven, reverted; decoys stay as they are."""

from __future__ import annotations

import ast
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.e2e.harness import Run, Tree, changed_paths, tree
from tests.real.packages import HOSTS, site, wheel

MAIN = Path(__file__).resolve().parent.parent.parent / "skill" / "__main__.py"
DRIVER = Path(__file__).parent / "drive.py"
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
    host = tmp_path_factory.mktemp(name) / "host"
    shutil.copytree(wheel(name), host, ignore=shutil.ignore_patterns(".done", "*.so"))
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
        assert units.count(b"\nRestart=on-failure\nRestartSec=10\nRestartForceExitStatus={") == 2
    if name == "nanobot-0.3.5":
        assert b"        os._exit(75)\n" in after["nanobot/command/builtin.py"][1]
        assert b'"Restart=on-failure",' in after["nanobot/gateway/service.py"][1]
    second = skillgen("apply", host)
    assert second.code in (0, 1), str(second)
    assert tree(host) == after
    assert not re.search(rb"[1-9]\d* files? (would be|were|was) (changed|added)", second.stdout)


MODES = {"refuse": (713, 75), "clean": (3429, 75), "flap": (40, 40)}


@pytest.mark.parametrize("name", ["nanobot-0.1.3", "nanobot-0.2.2"])
@pytest.mark.parametrize("mode", [*MODES, "logout"])
def test_dials_in_an_hour(name: str, mode: str, tmp_path: Path) -> None:
    host = tmp_path / "host"
    shutil.copytree(wheel(name), host, ignore=shutil.ignore_patterns(".done", "*.so"))
    before = drive(host, mode)
    assert skillgen("apply", host).code in (0, 1)
    after = drive(host, mode)
    if mode == "logout":
        assert after == 1
        return
    known, most = MODES[mode]
    assert abs(before - known) <= known * 0.02 + 1
    assert after <= most


def drive(host: Path, mode: str) -> int:
    words = (sys.executable, DRIVER, host, mode)
    done = subprocess.run(words, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    print(f"{host.parent.name} {mode}: {done.stdout.strip()}")
    return int(done.stdout.partition("=")[2])


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
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        env={"PYTHONPATH": str(site()), "PATH": "/usr/bin:/bin"},
    )
    assert done.stdout.split() == ["3", "True"], done.stderr
