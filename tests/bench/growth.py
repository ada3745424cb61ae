"""Hosts of any size, to see how time grows: of each kind one with twice as much of one thing."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

HOSTS = Path(__file__).resolve().parents[1] / "hosts"
PYTHON_HOSTS = Path(__file__).resolve().parents[1] / "hosts_python"
IMPORT = "import makeWASocket, { useMultiFileAuthState } from '@whiskeysockets/baileys'\n"
LISTENER = "  sock.ev.on('connection.update', (u) => { if (u.connection === 'close') start() })\n"
FUNCTION = """export async function start{n}() {{
  const {{ state, saveCreds }} = await useMultiFileAuthState('auth{n}')
  const sock = makeWASocket({{ auth: state }})
  sock.ev.on('creds.update', saveCreds)
  sock.ev.on('connection.update', (u) => {{
    if (u.connection === 'close') setTimeout(start{n}, 5000)
  }})
}}
"""
LOOP = """
async def run{n}(self):
    while True:
        try:
            async with websockets.connect("ws://localhost:3001") as ws:
                async for message in ws:
                    print(message)
        except Exception as error:
            await asyncio.sleep(5)

"""


def handlers(root: Path, size: int) -> None:
    """One file, one socket, many listeners."""
    root.mkdir()
    (root / "package.json").write_text('{"name": "bot"}')
    head = "async function start() {\n  const { state } = await useMultiFileAuthState('auth')\n"
    head += "  const sock = makeWASocket({ auth: state })\n"
    (root / "bot.ts").write_text(IMPORT + head + LISTENER * size + "}\nstart()\n")


def functions(root: Path, size: int) -> None:
    """One file, many sockets, each with its function and listener."""
    root.mkdir()
    (root / "package.json").write_text('{"name": "bot"}')
    (root / "bot.ts").write_text(IMPORT + "".join(FUNCTION.format(n=n) for n in range(size)))


def channels(root: Path, size: int) -> None:
    """Many files that are each a whole channel."""
    shutil.copytree(HOSTS / "v1-class", root)
    text = (root / "src" / "channels" / "whatsapp.ts").read_text()
    for number in range(size):
        folder = root / "src" / f"copy{number}"
        folder.mkdir()
        (folder / "whatsapp.ts").write_text(text)


def files(root: Path, size: int) -> None:
    """Many files that are nothing to skillgen."""
    shutil.copytree(HOSTS / "v1-class", root)
    for number in range(size):
        folder = root / "web" / f"part-{number // 1000}"
        if number % 1000 == 0:
            folder.mkdir(parents=True)
        text = f"export const page{number} = () => ({{ title: 'Page {number}' }});\n"
        (folder / f"page-{number}.ts").write_text(text)


def unit_lines(root: Path, size: int) -> None:
    """A unit whose command goes on over many lines."""
    shutil.copytree(HOSTS / "v1-class", root)
    command = "ExecStart=/usr/bin/node dist/index.js \\\n" + "  --a \\\n" * size + "  --b\n"
    text = f"[Unit]\nDescription=x\n[Service]\nRestart=always\n{command}"
    (root / "bot.service").write_text(text)


def python_channels(root: Path, size: int) -> None:
    shutil.copytree(PYTHON_HOSTS / "s1-link", root)
    (source,) = (p for p in root.rglob("whatsapp.py") if "test" not in p.name)
    for number in range(size):
        folder = source.parent / f"copy{number}"
        folder.mkdir()
        (folder / source.name).write_text(source.read_text())


def python_loops(root: Path, size: int) -> None:
    """One file with many loops that dial."""
    root.mkdir()
    (root / "pyproject.toml").write_text('[project]\nname = "bot"\n')
    head = "import asyncio\nimport websockets\n# the WhatsApp bridge\n"
    (root / "whatsapp.py").write_text(head + "".join(LOOP.format(n=n) for n in range(size)))


# Each with the largest size that is measured: what a file of a host can hold, or more than any has.
KINDS: dict[str, tuple[Callable[[Path, int], None], int]] = {
    "listeners in one function": (handlers, 10_000),
    "channels in one file": (functions, 4_000),
    "channels, a file each": (channels, 1_000),
    "files": (files, 200_000),
    "continued lines of a unit": (unit_lines, 200_000),
    "Python channels, a file each": (python_channels, 1_000),
    "Python dials in one file": (python_loops, 4_000),
}
