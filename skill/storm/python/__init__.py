"""The storm for Python channels: a bridge link or a neonize client, under virtual time.

``scenarios`` holds what a channel's bridge or WhatsApp does, and the bounds; ``run`` puts a host
through them, in child processes that run what lies in ``runner/``.
"""
