"""The rules of what starts a bot, and of the tests that repeat it."""
