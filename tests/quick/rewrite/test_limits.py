"""Loops that give up after some attempts are held; counters that only delay are replaced."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.quick.rewrite.harness import held_text, host_text, patched

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
def test_a_limit_stays_and_the_dial_is_held(tmp_path: Path, close: str, tail: str) -> None:
    text = host_text(close, tail=tail)
    made = patched(tmp_path, {"bot.ts": text})
    assert (made.held, made.left) == (("it gives up after some attempts",), ())
    assert made.files["bot.ts"] == held_text(text)


def test_a_channel_whose_helper_deletes_the_credentials_is_held(tmp_path: Path) -> None:
    tail = """\
async function again() {
  notify();
  fs.rmSync('auth/session', { recursive: true });
  await connect();
}
connect();"""
    made = patched(tmp_path, {"bot.ts": host_text("      again();", tail=tail)})
    why = "credentials are deleted when the session ends, to link again at once"
    assert (made.held, made.left) == ((why,), ())


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
