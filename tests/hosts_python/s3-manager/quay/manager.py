import asyncio


class Manager:
    def __init__(self, channels):
        self.channels = channels
        self.errors = {}

    async def start_one(self, name, channel):
        self.errors.pop(name, None)
        try:
            await channel.start()
        except asyncio.CancelledError:
            raise
        except Exception as exc:
            self.errors[name] = str(exc) or "failed to start"

    async def run(self):
        await asyncio.gather(*(self.start_one(n, c) for n, c in self.channels.items()))
