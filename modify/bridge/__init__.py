"""Bridges: Python programs that reach WhatsApp through a Node program of their own.

What it is
    A loop that connects to the bridge's WebSocket and starts again when it closes (``link``,
    ``websocket_app``), or a program that starts the bridge as a child process and starts it again
    (``bridge_process``, ``process_loop``). What the bridge reports of a logout is read from its
    status messages (``bridge_status``) and its exit status.
How it is found
    By the calls of a WebSocket library inside a loop of a function that is about WhatsApp.
What is done
    One rewrite a link (``rewrite``): every attempt waits for its turn, an open link resets the wait
    only once it has held, and a logout ends the loop. The Node half is amended (``bridge_logout``).
    Redials in another form are reported with what to do (``other_reconnects``).
"""
