class Channel:
    name = "base"

    def __init__(self, settings, inbox):
        self.settings = settings
        self.inbox = inbox
        self._running = False
