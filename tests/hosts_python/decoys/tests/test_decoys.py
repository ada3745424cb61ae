import asyncio


def test_sleep():
    asyncio.run(asyncio.sleep(0))
