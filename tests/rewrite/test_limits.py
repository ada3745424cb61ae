"""Loops that give up after some attempts are contained; counters that only delay are replaced."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.rewrite.harness import host_text, patched

RETRY = """\
let attempts = 0;
async function retry(why) {
  if (attempts >= 5) {
    notify(why);
    return;
  }
  attempts += 1;
  await new Promise((r) => setTimeout(r, 1000 * attempts));
  await connect();
}
connect();"""


@pytest.mark.parametrize(
    ("close", "tail"),
    [
        ("      if (attempts < 5) {\n        attempts++;\n        connect();\n      }",
         "let attempts = 0;\nconnect();"),
        ("      if (retryCount >= 3) return;\n      connect();", "let retryCount = 0;\nconnect();"),
        ("      retry(code);", RETRY),
    ],
    ids=["condition", "early return", "helper"],
)  # fmt: skip
def test_a_limit_is_handed_off(tmp_path: Path, close: str, tail: str) -> None:
    made = patched(tmp_path, {"bot.ts": host_text(close, tail=tail)})
    assert made.reasons == {"it gives up after some attempts"}
    assert "await reconnect.turn()" in made.files["bot.ts"]
    assert close in made.files["bot.ts"]


def test_credentials_that_a_helper_deletes_are_handed_off(tmp_path: Path) -> None:
    tail = """\
async function again() {
  notify();
  fs.rmSync('auth/session', { recursive: true });
  await connect();
}
connect();"""
    made = patched(tmp_path, {"bot.ts": host_text("      again();", tail=tail)})
    assert made.reasons == {"credentials are deleted when the session ends, to link again at once"}


def test_a_counter_that_only_delays_goes_with_the_loop(tmp_path: Path) -> None:
    close = """\
      if (code === 401) return;
      attempts += 1;
      setTimeout(connect, Math.min(1000 * 2 ** attempts, 60000));"""
    made = patched(tmp_path, {"bot.ts": host_text(close, head="let attempts = 0;\n")})
    assert made.left == ()
    assert "attempts" not in made.files["bot.ts"]


def test_what_a_kept_helper_passes_on_stays(tmp_path: Path) -> None:
    tail = """\
function again(account) {
  notify(account);
  connect(account);
}
connect();"""
    made = patched(tmp_path, {"bot.ts": host_text("      again('a');", tail=tail)})
    assert "reconnect.dial(() => connect(account));" in made.files["bot.ts"]
