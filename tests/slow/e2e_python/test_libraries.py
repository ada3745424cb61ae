"""Links of websocket-client and aiohttp, the real libraries, against a real server on loopback.

The policy is a hundred times shorter (5 s is 0.05 s), and so are the fixtures' own pauses.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.slow.e2e_python.harness import Trial, counted, shorten
from tests.slow.real.packages import site

DRIVER = Path(__file__).parent / "drive_library.py"
SPAN = 3.0
# The fixtures' own pauses, and what they are here.
SHORTER = (
    ("time.sleep(5)", "time.sleep(0.05)"),
    ("time.sleep(1)", "time.sleep(0.01)"),
    ("reconnect=5", "reconnect=0.05"),
    ("RETRY = 5", "RETRY = 0.05"),
    ("FIRST_DELAY = 2", "FIRST_DELAY = 0.02"),
    ("LONGEST_DELAY = 120", "LONGEST_DELAY = 1.2"),
)
APP = "s1c-app ferry.whatsapp:WhatsAppLink"
RELAY = "s1c-app ferry.relay:relay"
BEACON = "s1d-aiohttp beacon.whatsapp:WhatsAppBeacon"
LISTEN = "s1d-aiohttp beacon.listen:listen_whatsapp"


@pytest.fixture(scope="module")
def hosts(tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[Path, Path]]:
    """Each fixture as it is and patched, both with short waits."""
    made = {}
    for name in ("s1c-app", "s1d-aiohttp"):
        plain = Trial(name, tmp_path_factory.mktemp(name))
        patched = Trial(name, tmp_path_factory.mktemp(name))
        for trial in (plain, patched):
            trial.clone()
        assert patched.skillgen("apply").code == patched.expected.exit
        for file in plain.host.rglob("*.py"):
            text = file.read_text()
            for pause, short in SHORTER:
                text = text.replace(pause, short)
            file.write_text(text)
        [module] = patched.host.glob("*/whatsapp_reconnect.py")
        shorten(module)
        made[name] = (plain.host, patched.host)
    return made


def drive(host: Path, place: str, mode: str, span: float = SPAN) -> dict[str, float]:
    return counted(site(), DRIVER, host, place, mode, span)


@pytest.mark.parametrize("mode", ["clean", "lost"])
@pytest.mark.parametrize("link", [APP, RELAY, BEACON, LISTEN])
def test_attempts_are_spaced(hosts: dict[str, tuple[Path, Path]], link: str, mode: str) -> None:
    name, place = link.split()
    plain, patched = (drive(host, place, mode)["attempts"] for host in hosts[name])
    # 0.05, 0.1, 0.2, 0.4, 0.6, 0.6 …: nine or fewer in three seconds.
    assert 3 <= patched <= 10
    assert plain > 20


@pytest.mark.parametrize("link", [APP, RELAY, BEACON])
def test_it_comes_back_when_the_bridge_does(hosts: dict[str, tuple[Path, Path]], link: str) -> None:
    name, place = link.split()
    found = drive(hosts[name][1], place, "comeback")
    assert found["messages"] == 1 and found["attempts"] <= 8


@pytest.mark.parametrize("link", [APP, BEACON])
def test_stop_ends_the_wait_and_the_loop(hosts: dict[str, tuple[Path, Path]], link: str) -> None:
    name, place = link.split()
    assert drive(hosts[name][1], place, "stop", 1.0)["ended"] < 2


def test_a_logout_ends_the_link_although_the_bridge_keeps_it_open(
    hosts: dict[str, tuple[Path, Path]],
) -> None:
    name, place = APP.split()
    assert drive(hosts[name][1], place, "logout", 1.0) == {"attempts": 1, "over": 1}
    # Not hearing of it, the unpatched one stays on the dead link.
    assert drive(hosts[name][0], place, "logout", 1.0) == {"attempts": 1, "over": 0}
