"""``skillgen doctor`` on a small bot, in this process and beside a real manager."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Said:
    code: int
    out: str
    err: str

    @property
    def row(self) -> dict[str, Any]:
        [row] = json.loads(self.out)["hosts"]
        assert isinstance(row, dict)
        return row

    def of(self, question: str) -> list[dict[str, Any]]:
        return [each for each in self.row["answers"] if each["question"] == question]

    def one(self, question: str) -> dict[str, Any]:
        [answer] = self.of(question)
        assert isinstance(answer, dict)
        return answer
