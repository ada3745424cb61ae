"""A patched S1 bot against a real WebSocket server on loopback: attempts are counted.

The real ``websockets`` library on both ends; the policy is shortened by rewriting the
constants of the added module (5 s → 0.05 s), so an hour of the policy is 36 s here.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.slow.e2e_python.harness import Trial, counted, shorten
from tests.slow.real.packages import site

DRIVER = Path(__file__).parent / "drive_link.py"
SPAN = 3.0


def drive(host: Path, packages: Path, mode: str) -> dict[str, float]:
    return counted(packages, DRIVER, host, mode, SPAN)


@pytest.fixture(scope="module")
def hosts(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """The S1 fixture as it is, and patched with a policy a hundred times shorter."""
    plain = Trial("s1-link", tmp_path_factory.mktemp("plain"))
    patched = Trial("s1-link", tmp_path_factory.mktemp("patched"))
    for trial in (plain, patched):
        trial.clone()
        channel = trial.host / "harbor/channels/whatsapp.py"
        text = channel.read_text()
        if trial is patched:
            assert trial.skillgen("apply").code == 1
            module = trial.host / "harbor/channels/whatsapp_reconnect.py"
            shorten(module)
        else:
            channel.write_text(text.replace("asyncio.sleep(5)", "asyncio.sleep(0.05)"))
    return plain.host, patched.host


@pytest.mark.parametrize("mode", ["clean", "reset", "refuse"])
def test_attempts_are_spaced(hosts: tuple[Path, Path], mode: str) -> None:
    plain, patched = (drive(host, site(), mode) for host in hosts)
    # 0.05, 0.1, 0.2, 0.4, 0.6, 0.6 …: nine or fewer in three seconds.
    assert 3 <= patched["attempts"] <= 10, patched
    assert plain["attempts"] > 25, plain
    if mode == "clean":
        # More than a pause of 0.05 s leaves room for, however busy the machine is.
        assert plain["attempts"] > SPAN / 0.05, "the clean close was redialled at once"


def test_it_comes_back_when_the_bridge_does(hosts: tuple[Path, Path]) -> None:
    found = drive(hosts[1], site(), "comeback")
    assert found["messages"] == 1
    assert found["attempts"] <= 8


def test_stop_ends_the_wait_and_the_loop(hosts: tuple[Path, Path]) -> None:
    found = drive(hosts[1], site(), "stop")
    assert found["ended"] < 0.5


def test_a_logout_ends_the_attempts(hosts: tuple[Path, Path]) -> None:
    assert drive(hosts[1], site(), "logout")["attempts"] == 1
