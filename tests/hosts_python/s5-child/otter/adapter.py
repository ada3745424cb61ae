"""WhatsApp through a bridge that is our child."""

import asyncio
import subprocess


class WhatsAppAdapter:
    def __init__(self):
        self._bridge_process = None
        self._running = False
        self.fatal = None

    def _set_fatal_error(self, code, message, *, retryable):
        self.fatal = (code, message, retryable)

    async def connect(self):
        self._bridge_process = subprocess.Popen(["node", "bridge/bridge.js"])
        for _ in range(15):
            await asyncio.sleep(1)
            if self._bridge_process.poll() is not None:
                print("bridge died")
                return False
        self._running = True
        return True

    async def check(self):
        """The reason why the bridge has ended, or None."""
        if self._bridge_process is None:
            return None
        returncode = self._bridge_process.poll()
        if returncode is None:
            return None
        message = f"bridge exited with {returncode}"
        if self.fatal is None:
            self._set_fatal_error("bridge_exited", message, retryable=True)
        return message

    async def poll(self):
        while self._running:
            try:
                await self.fetch()
            except Exception:
                await asyncio.sleep(5)
            await asyncio.sleep(1)  # poll interval

    async def fetch(self):
        raise NotImplementedError
