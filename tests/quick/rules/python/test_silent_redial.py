"""silent-redial: what it leaves alone, then what it sees."""

from __future__ import annotations

from pathlib import Path

import pytest

from modify.rules.channels.silent_redial import rule
from tests.quick.rules.python.harness import after, look, loop, rules

PATH = "bot.py"
GROWS = "await asyncio.sleep(min(2**self.tries, 60))"


@pytest.mark.parametrize("end", ["            await asyncio.sleep(5)\n", "            return\n"])
def test_a_wait_or_an_end_that_a_clean_close_comes_to(tmp_path: Path, end: str) -> None:
    assert rule.id not in rules(look(tmp_path, {PATH: loop(after=end)}))


def test_a_pause_in_the_except_alone(tmp_path: Path) -> None:
    patch = look(tmp_path, {PATH: loop(wait=GROWS)})
    assert rules(patch) == {rule.id}
    assert "while self._running and await link.turn():" in after(tmp_path, patch, PATH)
