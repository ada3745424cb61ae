"""Drives the S1 fixture's channel against a loopback server; prints what was counted."""

import asyncio
import json
import sys
import time

sys.path.insert(0, sys.argv[1])
mode, span = sys.argv[2], float(sys.argv[3])

import websockets  # noqa: E402
from harbor.channels.whatsapp import WhatsAppChannel  # noqa: E402

attempts = 0
MESSAGE = json.dumps({"type": "message", "sender": "a", "content": "Brest"})


async def count_raw(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Refuses in its own way: the connection is reset before any answer."""
    global attempts
    attempts += 1
    writer.transport.abort()


async def serve(ws: "websockets.ServerConnection") -> None:
    global attempts
    attempts += 1
    if mode == "logout":
        await ws.send(json.dumps({"type": "status", "status": "logged_out"}))
        await asyncio.sleep(0.2)
    if mode == "comeback":
        await ws.send(MESSAGE)
        await asyncio.sleep(60)


async def main() -> None:
    global attempts
    bot = WhatsAppChannel({"bridge": ""}, [])
    if mode in ("refuse", "comeback", "stop"):
        # A port that nobody listens on, for a while; dials are counted at the client.
        probe = await asyncio.start_server(count_raw, "127.0.0.1", 0)
        port = probe.sockets[0].getsockname()[1]
        probe.close()
        await probe.wait_closed()
        real = websockets.connect

        def counted(*args: object, **options: object) -> object:
            global attempts
            attempts += 1
            return real(*args, **options)

        websockets.connect = counted
    elif mode == "reset":
        server = await asyncio.start_server(count_raw, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
    else:
        served = await websockets.serve(serve, "127.0.0.1", 0)
        port = next(iter(served.sockets)).getsockname()[1]
    bot.settings["bridge"] = f"ws://127.0.0.1:{port}"
    task = asyncio.create_task(bot.start())
    if mode == "stop":
        await asyncio.sleep(1)
        begun = time.monotonic()
        await bot.stop()
        await asyncio.wait_for(task, 5)
        print(f"ended={time.monotonic() - begun:.3f}")
        return
    if mode == "comeback":
        await asyncio.sleep(span / 2)
        before = attempts
        await websockets.serve(serve, "127.0.0.1", port)
        await asyncio.sleep(span / 2)
        print(f"messages={len(bot.inbox)}")
        print(f"attempts={before}")
    else:
        await asyncio.sleep(span)
        print(f"attempts={attempts}")
    task.cancel()


asyncio.run(main())
