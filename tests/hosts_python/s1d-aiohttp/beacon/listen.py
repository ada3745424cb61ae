"""Prints what the WhatsApp bridge says."""

import asyncio

import aiohttp

RETRY = 5


async def listen_whatsapp(url):
    while True:
        try:
            async with aiohttp.ClientSession() as session, session.ws_connect(url) as ws:
                while True:
                    frame = await ws.receive()
                    if frame.type in (
                        aiohttp.WSMsgType.CLOSE,
                        aiohttp.WSMsgType.CLOSING,
                        aiohttp.WSMsgType.CLOSED,
                        aiohttp.WSMsgType.ERROR,
                    ):
                        break
                    print(frame.data)
        except Exception as error:
            print(f"{error}: again in {RETRY} seconds")
            # Give the bridge some time before the next try.
            await asyncio.sleep(RETRY)
