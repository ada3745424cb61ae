"""The storm for Python channels: a bridge link or a neonize client, under virtual time.

``discover`` says how the channel of a host is driven, or why it cannot be; ``scenarios`` what
its bridge or WhatsApp does, and the bounds; ``run`` puts the host through them, in child
processes that run what lies in ``runner/``.
"""
