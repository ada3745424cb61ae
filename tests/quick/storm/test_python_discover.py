"""How a Python channel is driven, read from its code."""

from __future__ import annotations

from pathlib import Path
from textwrap import dedent

import pytest

from skill.host import Host
from skill.storm.host.python_channels import PythonChannel, discover
from skill.storm.outcome import StormError
from skill.storm.python.run import simulate_python
from skill.storm.python.scenarios import BRIDGE

LOOP = """
    while self._running:
        try:
            async with websockets.connect(self.url) as ws:
                async for message in ws:
                    print(message)
        except Exception:
            await asyncio.sleep(5)
"""


def found(tmp_path: Path, files: dict[str, str]) -> list[PythonChannel]:
    for name, text in files.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(dedent(text).lstrip(), "utf-8")
    return discover(Host(tmp_path))


def of_class(methods: str, bases: str = "") -> str:
    loop = LOOP.replace("\n", "\n    ")
    body = methods.replace("LOOP", loop.strip())
    return f"import asyncio, threading, websockets\n\n\nclass WhatsApp{bases}:\n{body}"


@pytest.mark.parametrize(
    ("methods", "label"),
    [
        ("    async def start(self):\n        LOOP", "WhatsApp.start()"),
        ("    async def _serve(self):\n        LOOP", "WhatsApp._serve()"),
        (
            "    async def start(self):\n        self.task = asyncio.create_task(self._loop())\n"
            "    async def _loop(self):\n        LOOP",
            "WhatsApp.start()",
        ),
        (
            "    def begin_all(self):\n        return self.run()\n"
            "    async def run(self):\n        await self._deep()\n"
            "    async def _deep(self):\n        await self._loop()\n"
            "    async def _loop(self):\n        LOOP",
            "WhatsApp.run()",
        ),
        (
            "    async def start(self):\n        print('another channel')\n"
            "    async def listen(self):\n        LOOP",
            "WhatsApp.listen()",
        ),
    ],
)
def test_it_is_started_as_its_manager_would(tmp_path: Path, methods: str, label: str) -> None:
    [channel] = found(tmp_path, {"bot/__init__.py": "", "bot/whatsapp.py": of_class(methods)})
    assert (channel.label, channel.module, channel.root) == (label, "bot.whatsapp", "")
    assert channel.is_async and not channel.alone and not channel.cannot


def test_a_file_that_is_a_program_is_run_as_one(tmp_path: Path) -> None:
    text = (
        LOOP.replace("self._running", "True")
        .replace("self.url", "'ws://x'")
        .replace("\n", "\n    ")
    )
    main = f"import asyncio, websockets\nasync def whatsapp():{text}\n"
    [channel] = found(
        tmp_path, {"src/bot.py": main + "if __name__ == '__main__':\n    asyncio.run(whatsapp())\n"}
    )
    assert (channel.kind, channel.label, channel.alone) == ("program", "python src/bot.py", True)
    assert channel.root == "src"
    [channel] = found(tmp_path, {"src/bot.py": main})
    assert (channel.kind, channel.label) == ("function", "whatsapp()")


def test_tests_pairing_scripts_and_other_channels_are_no_channels(tmp_path: Path) -> None:
    channel = of_class("    async def start(self):\n        LOOP")
    files = {
        "tests/test_whatsapp.py": channel,
        "discord.py": channel.replace("WhatsApp", "Discord"),
        "pair.py": """
            from neonize.client import NewClient
            from neonize.events import ConnectedEv
            def pair():
                client = NewClient("a")
                @client.event(ConnectedEv)
                def on_connected(_, __): print("paired")
                client.connect()
                client.stop()
            """,
    }
    assert found(tmp_path, files) == []
    with pytest.raises(StormError, match=r"discord\.py: no WhatsApp channel"):
        simulate_python(tmp_path, "discord.py", scenarios=BRIDGE[:1])
