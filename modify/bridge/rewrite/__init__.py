"""One rewrite for each kind of channel: what its edits are, once the rules have found something.

``link`` (a loop that dials a bridge), ``app`` (a WebSocketApp in such a loop), ``neonize`` (a
client that is stopped when its session is over), ``dial`` (one whose host connects it),
``session`` (one that is made anew each time), ``child`` (a bridge that is a child process).
``tell`` is the line that the rewrites of ``dial`` and ``session`` put into handlers.
"""
