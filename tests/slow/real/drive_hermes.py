"""Runs hermes-agent's own gateway, with WhatsApp alone, on a bridge of ours; prints what it saw.

Arguments: the host's tree, an empty folder, the bridge's script, the seconds to run for. Classes,
watcher, status file, child process and HTTP are the host's own. Time runs TIME_SCALE times as
fast, for the event loop and for ``time.monotonic``; the bridge divides its own times by it.
Only waiting takes time, and starting the bridge takes none: the host gives up on it after 15 s,
which are one second here, and on a busy machine Node.js alone takes longer.
"""

import asyncio
import json
import os
import selectors
import shutil
import socket
import subprocess
import sys
import time
from pathlib import Path

tree, home, script, seconds = sys.argv[1:5]
SCALE = float(os.environ["TIME_SCALE"])
sys.path.insert(0, tree)
os.environ["HERMES_HOME"] = home

monotonic = time.monotonic
began = monotonic()
waited = 0.0
PATIENCE = 60


def scaled():
    return began + waited * SCALE


class ScaledSelector(selectors.DefaultSelector):
    def select(self, timeout=None):
        global waited
        start = monotonic()
        longest = timeout if timeout is None else timeout / SCALE
        ready = super().select(longest)
        took = monotonic() - start
        waited += took if longest is None else min(took, max(longest, 0.0))
        return ready


def starts():
    """How often the bridge was started; it notes that once it is up, or about to exit."""
    file = Path(os.environ["BRIDGE_STARTS"])
    return len(file.read_text().splitlines()) if file.exists() else 0


class Popen(subprocess.Popen):
    def __init__(self, command, *rest, **more):
        end, known = monotonic() + PATIENCE, starts()
        super().__init__(command, *rest, **more)
        if "--port" not in command:
            return
        while starts() == known and self.poll() is None and monotonic() < end:
            time.sleep(0.01)
        if os.environ["BRIDGE_WAY"].startswith("exit:"):
            self.wait(PATIENCE)


class ScaledLoop(asyncio.SelectorEventLoop):
    def __init__(self):
        super().__init__(ScaledSelector())

    def time(self):
        return scaled()


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def settings():
    """As a person has them who has paired: credentials, a bridge with its packages installed."""
    from gateway.config import GatewayConfig, Platform, PlatformConfig

    session = Path(home, "session")
    session.mkdir(parents=True)
    (session / "creds.json").write_text("{}")
    bridge = Path(home, "bridge")
    (bridge / "node_modules").mkdir(parents=True)
    (bridge / "package.json").write_text("{}")
    shutil.copy(script, bridge / "bridge.js")
    from plugins.platforms.whatsapp.adapter import _file_content_hash

    stamp = bridge / "node_modules" / ".hermes-pkg-hash"
    stamp.write_text(_file_content_hash(bridge / "package.json"))
    extra = {
        "bridge_script": str(bridge / "bridge.js"),
        "bridge_port": free_port(),
        "session_path": str(session),
    }
    return GatewayConfig(platforms={Platform.WHATSAPP: PlatformConfig(enabled=True, extra=extra)})


async def main():
    import gateway.run
    from gateway.status import read_runtime_status

    time.monotonic = scaled
    subprocess.Popen = Popen
    runner = gateway.run.GatewayRunner(settings())
    await runner.start()
    end = scaled() + float(seconds)
    while scaled() < end and not runner._shutdown_event.is_set():
        await asyncio.sleep(1)
    said = read_runtime_status()["platforms"]["whatsapp"]
    seen = {
        "starts": starts(),
        "state": said["state"],
        "error": said.get("error_message") or "",
        "queued": [platform.value for platform in runner._failed_platforms],
        "exit": runner._exit_code if runner._shutdown_event.is_set() else None,
    }
    for adapter in list(runner.adapters.values()):
        await adapter.disconnect()  # ends the bridge
    print("SEEN", json.dumps(seen), flush=True)


loop = ScaledLoop()
asyncio.set_event_loop(loop)
loop.run_until_complete(main())
os._exit(0)  # what else the gateway began ends with it: its own stop takes 5 s
