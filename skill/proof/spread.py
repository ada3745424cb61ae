"""The scenarios of a proof: few, and between them they break every promise that a patch can break.

Chosen by mutation: of the wrong patches of ``tests/slow/proof/mutants.py`` each fails one of them.
"""

from __future__ import annotations

BAILEYS = (
    "healthy",
    "revoked",
    "refused",
    "silent",
    "replaced",
    "flapping",
    "offline-hour",
    "unlinked",
    "restart-once",
    "credentials-rewritten",
    "relinked",
    "stop-in-wait",
    "stop-while-up",
)
BRIDGE = (
    "bridge-healthy",
    "bridge-refuses",
    "bridge-closes",
    "bridge-logged-out",
    "bridge-stopped",
)
NEONIZE = ("healthy", "revoked", "replaced", "unlinked", "dropped", "stopped")

SPREAD = frozenset((*BAILEYS, *BRIDGE, *NEONIZE))
"""Each kind of channel takes those that are its own."""
