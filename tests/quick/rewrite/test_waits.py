"""A flat wait right before the redial goes: all waiting is in the gate."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.quick.rewrite.harness import host_text, patched

DELAY = "import { delay } from './delay.js';\n"


@pytest.mark.parametrize(
    "wait",
    [
        "await delay(5000);",
        "await delay(5 * 1000);",
        "await new Promise((resolve) => setTimeout(resolve, 5000));",
        "await new Promise(r => setTimeout(r, 5_000));",
    ],
)
def test_the_wait_and_what_tells_of_it_go(tmp_path: Path, wait: str) -> None:
    close = (
        "      console.log('closed', code);\n      console.log('again in 5 seconds');\n"
        f"      {wait}\n      connect();"
    )
    text = host_text(close, head=DELAY if "delay" in wait else "")
    made = patched(tmp_path, {"bot.ts": text}).files["bot.ts"]
    assert (
        "{\n      console.log('closed', code);\n      console.log('again');\n"
        "      reconnect.dial(connect);\n    }\n"
    ) in made
    assert "delay" not in made


@pytest.mark.parametrize(
    "between",
    [
        "await delay(5000);\n      if (stopping) return;",
        "await delay(backoff());",
        "await flush(5000);",
    ],
)
def test_what_is_more_than_a_flat_wait_stays(tmp_path: Path, between: str) -> None:
    head = DELAY + "import { backoff, flush, stopping } from './more.js';\n"
    text = host_text(f"      {between}\n      connect();", head=head)
    made = patched(tmp_path, {"bot.ts": text}).files["bot.ts"]
    assert f"      {between}\n      reconnect.dial(connect);\n" in made
