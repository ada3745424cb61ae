import bot


class Link:
    def __enter__(self):
        return self

    def __exit__(self, *exc):
        return False

    def __iter__(self):
        bot.running.clear()
        yield "hello"


def test_listens_until_told(monkeypatch):
    monkeypatch.setattr(bot, "connect", lambda url: Link())
    bot.running.set()
    bot.listen("ws://x")
    assert bot.seen[-1] == "hello"


def test_listener_stops():
    listener = bot.WhatsAppListener("ws://x")
    listener.close()
    listener.run()
    assert listener.stopped.is_set()
