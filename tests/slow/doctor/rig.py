"""``skillgen doctor`` on a small bot, in this process and beside a real manager."""

from __future__ import annotations

from typing import Any

from tests.slow.service import rig


class Said(rig.Said):
    def of(self, question: str) -> list[dict[str, Any]]:
        return [each for each in self.row["answers"] if each["question"] == question]

    def one(self, question: str) -> dict[str, Any]:
        [answer] = self.of(question)
        assert isinstance(answer, dict)
        return answer
