"""A WhatsApp on loopback for the real neonize: whatsmeow dials it as it would the real one.

It goes through a proxy, as its environment says: that one ends TLS for web.whatsapp.com with a
certificate of the tests' own, which Go takes from ``SSL_CERT_FILE``, and hands what comes on to
the server of ``tests/slow/baileys``. The server's key takes the place of the one that whatsmeow
knows, in a copy of neonize's library. Nothing leaves loopback.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import sqlite3
import ssl
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.slow.baileys.harness import Server, serving
from tests.slow.real.packages import site

# WACertPubKey in whatsmeow's handshake.go.
PINNED = bytes.fromhex("142375574d0a587166aae71ebe516437c4a28b73e3695c6ce1f7f9545da8ee6b")
EMPTY = """
import sys
from neonize.client import NewClient
try:
    NewClient(sys.argv[1]).connect()
except Exception as error:
    assert "failed to dial" in str(error), error
else:
    raise SystemExit("it has reached somebody")
"""


@dataclass
class Proxy:
    """Takes CONNECT for web.whatsapp.com: refuses the first few, then hands on to the server.

    dials: when each came, in seconds of time.monotonic().
    """

    server: Server
    certificate: Path
    script: str
    refusals: int = 0
    bot: str = "bot"
    dials: list[float] = field(default_factory=list)
    port: int = 0

    async def serve(self, ready: threading.Event) -> None:
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.load_cert_chain(self.certificate, self.certificate.with_suffix(".key"))
        listening = await asyncio.start_server(self.take, "127.0.0.1", 0)
        self.port = listening.sockets[0].getsockname()[1]
        ready.set()
        await asyncio.Event().wait()

    async def take(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError, EOFError, asyncio.CancelledError), closing(writer):
            asked = await reader.readuntil(b"\r\n\r\n")
            if not asked.startswith(b"CONNECT web.whatsapp.com:443 "):
                return
            self.dials.append(time.monotonic())
            if len(self.dials) <= self.refusals:
                return
            writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
            await writer.drain()
            await writer.start_tls(self.context)
            request = await reader.readuntil(b"\r\n\r\n")
            back, forth = await asyncio.open_connection("127.0.0.1", self.server.port)
            line, headers = request.split(b"\r\n", 1)
            assert line.startswith(b"GET /ws/chat "), line
            forth.write(f"GET /{self.bot}?script={self.script} HTTP/1.1\r\n".encode() + headers)
            await asyncio.gather(hand_on(reader, forth), hand_on(back, writer))


async def hand_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(OSError), closing(writer):
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()


@dataclass
class WhatsApp:
    """The server, and what a bot needs to meet it."""

    server: Server
    work: Path
    bots: int = 0

    @contextmanager
    def proxy(self, script: str, refusals: int = 0) -> Iterator[Proxy]:
        self.bots += 1
        certificate = self.work / "whatsapp.pem"
        found = Proxy(self.server, certificate, script, refusals, f"bot{self.bots}")
        ready, loop = threading.Event(), asyncio.new_event_loop()
        task = loop.create_task(found.serve(ready))

        def run() -> None:
            with suppress(asyncio.CancelledError):
                loop.run_until_complete(task)
            for left in asyncio.all_tasks(loop):
                left.cancel()
                with suppress(asyncio.CancelledError):
                    loop.run_until_complete(left)
            loop.close()

        thread = threading.Thread(target=run, daemon=True)
        thread.start()
        assert ready.wait(10)
        try:
            yield found
        finally:
            loop.call_soon_threadsafe(task.cancel)
            thread.join(10)

    @contextmanager
    def running(self, command: list[str], host: Path, proxy: Proxy) -> Iterator[Bot]:
        log = host / f"{proxy.bot}.log"
        with log.open("ab") as stream:
            process = subprocess.Popen(
                [sys.executable, *command],
                cwd=host,
                env=self.environment(proxy.port),
                stdout=stream,
                stderr=subprocess.STDOUT,
            )
        try:
            yield Bot(process, log)
        finally:
            if process.poll() is None:
                process.kill()
            process.wait()

    def environment(self, port: int) -> dict[str, str]:
        return {
            "PATH": os.environ["PATH"],
            "HOME": str(self.work),
            "PYTHONPATH": f"{self.work / 'site'}:{site()}",
            "PYTHONDONTWRITEBYTECODE": "1",
            "PYTHONUNBUFFERED": "1",
            "HTTPS_PROXY": f"http://127.0.0.1:{port}",
            "SSL_CERT_FILE": str(self.work / "whatsapp.pem"),
        }

    def link(self, database: Path, registration: int = 7) -> None:
        """A database of whatsmeow with a linked device. registration: each link has another."""
        empty = self.work / "empty.db"
        if not empty.exists():
            # Port 9 of loopback: nothing listens there.
            done = subprocess.run(
                [sys.executable, "-c", EMPTY, empty],
                env=self.environment(9),
                capture_output=True,
                text=True,
                timeout=60,
            )
            assert done.returncode == 0, done.stdout + done.stderr
        shutil.copy(empty, database)
        sizes = {
            "noise_key": 32,
            "identity_key": 32,
            "signed_pre_key": 32,
            "signed_pre_key_sig": 64,
            "adv_key": 32,
            "adv_details": 64,
            "adv_account_sig": 64,
            "adv_account_sig_key": 32,
            "adv_device_sig": 64,
        }
        row = {
            "jid": "4915112345678:7@s.whatsapp.net",
            "lid": "999:7@lid",
            "registration_id": registration,
            "signed_pre_key_id": 1,
            **{name: os.urandom(size) for name, size in sizes.items()},
        }
        with closing(sqlite3.connect(database)) as connection, connection:
            connection.execute(
                f"INSERT INTO whatsmeow_device ({', '.join(row)})"
                f" VALUES ({', '.join('?' * len(row))})",
                list(row.values()),
            )


@dataclass
class Bot:
    process: subprocess.Popen[bytes]
    log: Path

    @property
    def said(self) -> str:
        return self.log.read_text(errors="replace")


@contextmanager
def whatsapp(node_tools: Path, work: Path) -> Iterator[WhatsApp]:
    """A server on loopback, and a neonize that takes it for WhatsApp."""
    make_certificate(work / "whatsapp.pem")
    with serving(node_tools, work) as server:
        take_for_whatsapp(bytes.fromhex(server.root)[-32:], work / "site")
        yield WhatsApp(server, work)


def make_certificate(target: Path) -> None:
    command = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"]
    command += ["-nodes", "-days", "30", "-subj", "/CN=loopback"]
    command += ["-addext", "subjectAltName=DNS:web.whatsapp.com"]
    command += ["-keyout", str(target.with_suffix(".key")), "-out", str(target)]
    if shutil.which("openssl") is None:
        pytest.fail("openssl is missing: apt-get install openssl, or brew install openssl", False)
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def take_for_whatsapp(key: bytes, folder: Path) -> None:
    """A copy of neonize whose library trusts ``key``."""
    shutil.copytree(site() / "neonize", folder / "neonize")
    (library,) = (folder / "neonize").glob("neonize-*")
    content = library.read_bytes()
    assert content.count(PINNED) == 1, f"{library.name} is of another whatsmeow"
    library.write_bytes(content.replace(PINNED, key))
