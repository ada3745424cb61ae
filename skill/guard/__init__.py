"""The guard: a file that Node loads before a bot, so that no source of the bot changes.

``render`` makes the file, ``node`` starts it once to see that it loads, ``units`` writes
what makes a supervisor load it, ``command`` is ``skillgen guard``.
"""
