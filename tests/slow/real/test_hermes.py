"""hermes-agent 0.19.0: its own gateway on a bridge of ours that dies, flaps, or was logged out.

The wheel has no bridge; ``hermes_bridge.cjs`` speaks its HTTP. One start of the bridge is what
dials WhatsApp. Each case runs for 150 s of the gateway's time, fifteen times as fast.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from tests.slow.real.packages import copied, site
from tests.slow.real.test_hosts import skillgen

ROOM = Path(__file__).resolve().parent
ENDED = "WhatsApp ended the session: link the bot again."
Seen = dict[str, Any]


@pytest.fixture(scope="module")
def halves(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """The host as it is, and patched."""
    folder = tmp_path_factory.mktemp("hermes")
    before, after = (copied("hermes-0.19.0", folder / name) for name in ("before", "after"))
    assert skillgen("apply", after).code == 1, "the bridge is left to its owner"
    return before, after


def drive(host: Path, home: Path, way: str) -> Seen:
    node = shutil.which("node")
    assert node, "the tests need Node.js 20 or later"
    home.mkdir()
    done = subprocess.run(
        [
            sys.executable,
            ROOM / "drive_hermes.py",
            host,
            home / "hermes",
            ROOM / "hermes_bridge.cjs",
            "150",
        ],
        capture_output=True,
        text=True,
        timeout=300,
        env={
            "PYTHONPATH": str(site()),
            "PATH": f"{Path(node).parent}:{os.environ['PATH']}",
            "HOME": str(home),
            "TIME_SCALE": "15",
            "BRIDGE_WAY": way,
            "BRIDGE_STARTS": str(home / "starts"),
        },
    )
    found = re.search(r"^SEEN (.*)$", done.stdout, re.MULTILINE)
    assert done.returncode == 0 and found, done.stdout + done.stderr
    seen: Seen = json.loads(found[1])
    return seen


def both(halves: tuple[Path, Path], folder: Path, way: str) -> tuple[Seen, Seen]:
    with ThreadPoolExecutor(2) as pool:
        runs = [
            pool.submit(drive, host, folder / name, way)
            for host, name in zip(halves, ("before", "after"), strict=True)
        ]
        before, after = (run.result() for run in runs)
    return before, after


@pytest.mark.parametrize("way", ["exit:1", "connecting:5000:1"], ids=["dead", "flapping"])
def test_a_bridge_that_fails_is_tried_again_by_the_host_s_own_backoff(
    halves: tuple[Path, Path], tmp_path: Path, way: str
) -> None:
    for seen in both(halves, tmp_path, way):
        assert 2 <= seen["starts"] <= 4  # at 0, 30, 90 s
        assert seen["queued"] == ["whatsapp"] and seen["exit"] is None


def test_a_bridge_that_is_lost_is_worth_a_retry(halves: tuple[Path, Path], tmp_path: Path) -> None:
    for seen in both(halves, tmp_path, "connected:40000:1"):
        assert (seen["state"], "exited unexpectedly" in seen["error"]) == ("retrying", True)


@pytest.mark.parametrize("way", ["exit:77", "connecting:5000:77"], ids=["at-once", "later"])
def test_a_start_that_finds_the_session_revoked(
    halves: tuple[Path, Path], tmp_path: Path, way: str
) -> None:
    before, after = both(halves, tmp_path, way)
    assert before["starts"] >= 2 and before["queued"] == ["whatsapp"]
    assert (after["starts"], after["queued"]) == (1, [])
    assert (after["state"], after["error"]) == ("fatal", ENDED)
    # What the host's unit has in RestartPreventExitStatus: nothing starts it again.
    assert after["exit"] == 78


def test_a_session_that_is_revoked_while_the_bot_runs(
    halves: tuple[Path, Path], tmp_path: Path
) -> None:
    before, after = both(halves, tmp_path, "connected:40000:77")
    assert before["state"] == "retrying"
    assert (after["starts"], after["queued"]) == (1, [])
    assert (after["state"], after["error"]) == ("fatal", ENDED)
