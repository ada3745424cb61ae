"""The one rewrite of a channel file: its sockets, close branch, start, ``stop()``.

Everything is decided on the Channel model; nothing is half done. Where the channel has no
known shape nothing is rewritten: the dial itself is held (``modify.baileys.hold.wrapping``).
"""
