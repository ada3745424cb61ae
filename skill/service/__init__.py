"""The installed service: what starts a bot on this machine, and how it is made safe there.

``place`` decides what a command starts, by paths alone. Each process manager has a file that
looks (``systemd``, …) and yields Services; ``drop_in`` plans what is written for systemd.
``command`` is ``skillgen service``.
"""
