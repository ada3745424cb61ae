"""QQ. See whatsapp_right.py for the way to wait."""

import asyncio

import websockets


async def serve():
    while True:
        try:
            async with websockets.connect("wss://api.qq.example") as ws:
                async for _ in ws:
                    pass
        except Exception:
            await asyncio.sleep(5)
