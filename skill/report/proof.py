"""How a proof is shown: a line a channel, and what was taken back with the events that show it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from skill.proof.verdict import Proof, Proven, as_data
from skill.report.printer import one_line


def text(proven: Proven) -> Iterator[str]:
    """What was taken back, with the events that show it, then the channels that remain."""
    for proof in proven.failed:
        yield one_line(f"{_place(proof)} {proof.change}, and taken back: {proof.why}")
        for event in proof.trace:
            yield one_line(f"    {event}")
    for proof in proven.proofs:
        how = f" {proof.way}" if proof.way else ""
        yield one_line(f"{_place(proof)} {proof.change}, {proof.text}{how}")
        if proof.stood_in:
            yield one_line(f"    stood in for: {', '.join(proof.stood_in)}")


def data(proven: Proven) -> dict[str, Any]:
    """For JSON: see ``skill.report.data``."""
    return {
        "holds": proven.holds,
        "remembered": proven.remembered,
        "channels": [as_data(proof) for proof in proven.proofs],
        "failed": [as_data(proof) for proof in proven.failed],
    }


def _place(proof: Proof) -> str:
    return f"{proof.path}:{proof.line}"
