"""``skillgen doctor``: whether the bot that runs here is safe, in one look.

``scene`` is what was looked at, each thing once; ``questions`` is the table of what is asked of it,
in the order in which things are done, one file a question. ``logs`` reads what a bot has written,
``stamps`` when. ``installed`` is the one line of ``check`` and ``status``. Nothing is written.
"""
