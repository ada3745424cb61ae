"""A Python channel that was found is driven, or says why it cannot be."""

from __future__ import annotations

from pathlib import Path
from textwrap import dedent

import pytest

from skill.host import Host
from skill.storm.host.python_channels import discover
from skill.storm.python.run import simulate_python
from skill.storm.python.scenarios import NEONIZE
from tests.quick.storm.test_python_discover import found
from tests.slow.e2e_python.harness import Trial


def test_what_cannot_be_driven_says_why(tmp_path: Path) -> None:
    closure = "import websockets, time\ndef whatsapp():\n    def inner():\n" + dedent(
        """
        while True:
            with websockets.connect('ws://whatsapp') as ws:
                print(ws.recv())
        """
    ).replace("\n", "\n        ")
    [channel] = found(tmp_path, {"closure.py": closure})
    assert channel.cannot == "inner() is made inside another function"
    (tmp_path / "closure.py").unlink()
    [channel] = found(
        tmp_path,
        {
            "pacing.py": """
                import websockets
                async def whatsapp():
                    async for ws in websockets.connect("ws://x"):
                        print(await ws.recv())
                """
        },
    )
    assert "no loop of the host's" in channel.cannot
    (tmp_path / "pacing.py").unlink()
    [channel] = found(
        tmp_path,
        {
            "calls.py": """
                import asyncio, websockets
                async def whatsapp():
                    try:
                        ws = await websockets.connect("ws://x")
                    except OSError:
                        await asyncio.sleep(5)
                        await whatsapp()
                """
        },
    )
    assert "whatsapp() leads to itself" in channel.cannot
    (tmp_path / "calls.py").unlink()
    [channel] = found(
        tmp_path,
        {
            "idle.py": """
                from neonize.client import NewClient
                from neonize.events import ConnectedEv
                client = NewClient("a")
                @client.event(ConnectedEv)
                def on_connected(_, __):
                    print("up")
                """
        },
    )
    assert channel.cannot == "nothing in this file connects the client that it makes"
    outcomes = simulate_python(tmp_path, channel)
    assert len(outcomes) == len(NEONIZE)
    assert {one.not_run for one in outcomes} == {channel.cannot}


@pytest.mark.parametrize(
    "name",
    [
        "s1-link",
        "s1b-thread",
        "s1c-app",
        "s1d-aiohttp",
        "s2-event",
        "s3-manager",
        "s3-single",
    ],
)
def test_a_patched_host_is_driven_in_the_same_way(tmp_path: Path, name: str) -> None:
    trial = Trial(name, tmp_path)
    trial.clone()

    def labels() -> list[tuple[str, str, str]]:
        return [(one.path, one.label, one.cannot) for one in discover(Host(trial.host))]

    before = labels()
    assert trial.skillgen("apply").code in (0, 1)
    assert labels() == before
