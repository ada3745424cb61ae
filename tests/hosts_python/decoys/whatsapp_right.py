"""WhatsApp over a bridge, as it should be: every end waits, longer each time."""

import asyncio

import websockets


class WhatsApp:
    def __init__(self):
        self._running = True

    async def run(self):
        delay = 5
        while self._running:
            try:
                async with websockets.connect("ws://x") as ws:
                    async for message in ws:
                        print(message)
            except Exception:
                pass
            await asyncio.sleep(delay)
            delay = min(delay * 2, 300)

    async def wait_for_qr(self):
        while self._running:
            await asyncio.sleep(2)


async def ask_model(prompt):
    for _ in range(3):
        try:
            return prompt
        except OSError:
            await asyncio.sleep(5)
