"""A flag that only kept a second reconnect timer away goes with the timer."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.quick.rewrite.harness import host_text, patched

TIMER = """\
        reconnecting = true;
        console.log('Reconnecting in 5 seconds...');
        setTimeout(() => {
          reconnecting = false;
          connect();
        }, 5000);"""
IN_BRACES = """\
      if (!reconnect.terminal) {
        console.log('Reconnecting...');
        reconnect.dial(connect);
      }"""
LET = "let reconnecting = false;\n"


@pytest.mark.parametrize(
    ("close", "left"),
    [
        (
            f"      if (code !== 401 && !reconnecting) {{\n{TIMER}\n      }}",
            IN_BRACES,
        ),
        (
            f"      if (!reconnecting && code !== 401) {{\n{TIMER}\n      }}",
            IN_BRACES,
        ),
        (
            f"      if (reconnecting) return;\n      if (code !== 401) {{\n{TIMER}\n      }}",
            IN_BRACES,
        ),
        (
            "      if (reconnecting || code === 401) return;\n" + TIMER.replace("  " * 4, "  " * 3),
            "      if (reconnect.terminal) return;\n"
            "      console.log('Reconnecting...');\n      reconnect.dial(connect);",
        ),
    ],
    ids=["last", "first", "return", "or"],
)
def test_the_flag_goes_with_its_timer(tmp_path: Path, close: str, left: str) -> None:
    made = patched(tmp_path, {"bot.ts": host_text(close, head=LET)})
    text = made.files["bot.ts"]
    assert left in text
    assert "reconnecting" not in text.replace("Reconnecting", "")
    assert "5 seconds" not in text


@pytest.mark.parametrize(
    "elsewhere",
    [
        "function quit() {\n  reconnecting = true;\n}\nquit;",
        "setInterval(() => console.log(reconnecting), 60000);",
        "export const isBusy = () => reconnecting;",
    ],
    ids=["set", "read", "asked"],
)
def test_a_flag_with_another_use_stays(tmp_path: Path, elsewhere: str) -> None:
    close = f"      if (code !== 401 && !reconnecting) {{\n{TIMER}\n      }}"
    made = patched(
        tmp_path, {"bot.ts": host_text(close, head=LET, tail=f"connect();\n{elsewhere}")}
    )
    text = made.files["bot.ts"]
    assert "&& !reconnecting" in text
    assert elsewhere in text
    # Where it still waits, its log line is true.
    assert ("5000" in text) == ("5 seconds" in text)
