"""The program that a command starts, as far as it is known."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Started:
    """what: the command in short. why: what keeps an unknown one from being known."""

    kind: Literal["host", "side", "unknown"]
    what: str
    why: str = ""

    @property
    def is_host(self) -> bool:
        return self.kind == "host"
