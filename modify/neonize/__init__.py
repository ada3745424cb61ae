"""neonize: Python programs that connect to WhatsApp themselves, through whatsmeow in Go.

What it is
    A client of neonize with handlers of its events (``client``), the place where its host connects
    it (``dial``), or a session that makes a new client each time (``session``).
How it is found
    By the import of neonize and the handlers that are registered, also across files.
What is done
    A logout, a replaced stream and a ban stop the client instead of making it reconnect; where the
    host connects the client itself, one paced loop takes the place of its own (``rewrite``).
"""
