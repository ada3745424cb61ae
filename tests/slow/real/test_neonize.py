"""neonize bots with the real library (0.5.2): its classes, protobuf events and threads."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.slow.e2e_python.harness import Trial
from tests.slow.real.packages import site

DRIVER = Path(__file__).parent / "drive_neonize.py"
BOTS = {
    "single": "s3-single",
    "manager": "s3-manager",
    "thread": "s3-thread",
    "sessions": "s8-split",
}


@pytest.fixture(scope="module")
def hosts(tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[Path, Path]]:
    """Each bot as it is, and patched."""
    found = {}
    for name, fixture in BOTS.items():
        trials = [Trial(fixture, tmp_path_factory.mktemp(name)) for _ in range(2)]
        plain, patched = (trial.clone() for trial in trials)
        assert trials[1].skillgen("apply").code == 0
        found[name] = plain, patched
    return found


def drive(host: Path, bot: str, event: str) -> str:
    shutil.rmtree(host / "data", ignore_errors=True)
    done = subprocess.run(
        [sys.executable, DRIVER, host, bot, event],
        capture_output=True,
        text=True,
        timeout=120,
        env={"PYTHONPATH": str(site()), "PATH": "/usr/bin:/bin", "PYTHONDONTWRITEBYTECODE": "1"},
    )
    said = done.stdout + done.stderr
    assert done.returncode == 0, said
    assert "Traceback" not in said, said
    return said


@pytest.mark.parametrize("event", ["logout", "ban", "replaced"])
@pytest.mark.parametrize("bot", ["single", "manager", "thread"])
def test_a_bot_ends_with_its_session(
    hosts: dict[str, tuple[Path, Path]], bot: str, event: str
) -> None:
    before, after = (drive(host, bot, event) for host in hosts[bot])
    assert "bot runs on" in before
    assert "bot ended" in after, after
    if bot == "manager":
        assert "other ended by itself" in after, "only this channel ends"
        assert re.search(r"errors \{'whatsapp': 'WhatsApp ended the session: 4\d\d \(", after)
    else:
        assert "stops 0" in before and "stops 1" in after


@pytest.mark.parametrize("bot", ["single", "manager", "thread"])
def test_a_lost_connection_ends_nothing(hosts: dict[str, tuple[Path, Path]], bot: str) -> None:
    assert "bot runs on" in drive(hosts[bot][1], bot, "disconnected")


def test_a_session_that_is_lost_again_and_again(hosts: dict[str, tuple[Path, Path]]) -> None:
    """whatsmeow makes the connection again in the client that is there: no second one beside it."""
    before, after = (drive(host, "sessions", "disconnected") for host in hosts["sessions"])
    # The last send may be one that nothing follows any more.
    assert re.search(r"dials 1[01]\n", before)
    assert "dials 1\n" in after and "stops 0" in after


def test_a_session_that_was_logged_out(hosts: dict[str, tuple[Path, Path]]) -> None:
    before, after = (drive(host, "sessions", "logout") for host in hosts["sessions"])
    assert re.search(r"dials 1[01]\n", before) and "dials 1\n" in after
    assert "401 (logged out" in after


def test_a_session_that_another_client_took(hosts: dict[str, tuple[Path, Path]]) -> None:
    assert "stops 1" in drive(hosts["sessions"][1], "sessions", "replaced")
