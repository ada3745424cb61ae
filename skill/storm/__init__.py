"""The storm: a host's real channel code under virtual time, with a scripted WhatsApp.

``simulate`` is the command: it puts a host through the storm before and after the patch.
``scenarios`` and ``catalogue`` hold what WhatsApp and the network do, and the bounds, as data;
``supervisor`` what starts the process again; ``outcome`` what a host did, and what it broke.
``host/`` reads the host; ``node/`` and ``python/`` are the two engines, each with a ``runner/``
that runs beside the bot's code, in a process of its own (``child``) and behind ``fence/``.
"""
