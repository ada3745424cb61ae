"""Close branches that go by single codes, and redials where the session is over."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.quick.rewrite.harness import HELD, host_text, patched

FALLBACK = """\
      // No other code is a reason to give up
      if (!reconnect.terminal) reconnect.dial(connect);
    }
  });
"""

WHY = "        // 0, so that no supervisor starts it again\n"


def close_branch(text: str) -> str:
    return text.partition("if (connection === 'close') {\n")[2]


@pytest.mark.parametrize(
    "close",
    [
        """\
      if (code === DisconnectReason.connectionLost) {
        connect();
      } else if (code === DisconnectReason.timedOut) {
        connect();
      } else if (code === DisconnectReason.loggedOut) {
        console.log('Link it again');
      } else sock.end(new Error(`unknown: ${code}`));""",
        """\
      if (code === 428) connect();
      if (code === 515) connect();""",
        """\
      switch (code) {
        case DisconnectReason.connectionClosed:
          connect();
          break;
        default:
          console.log('closed');
      }""",
        "      if (code !== 401 && code === DisconnectReason.restartRequired) connect();",
        "      if (code === (DisconnectReason.timedOut || 428)) connect();",
    ],
    ids=["else-if", "ifs", "switch", "restart only", "two in one"],
)
def test_a_code_that_no_branch_names_is_dialled_again(tmp_path: Path, close: str) -> None:
    made = patched(tmp_path, {"bot.ts": host_text(close)})
    assert FALLBACK in made.files["bot.ts"]
    assert made.left == ()


@pytest.mark.parametrize(
    "close",
    [
        "      if (code !== DisconnectReason.loggedOut) connect();",
        "      if (code === DisconnectReason.loggedOut) return;\n      connect();",
        """\
      if (code === 440) {
        console.log('another client');
      } else {
        connect();
      }""",
    ],
    ids=["all but one", "early return", "else"],
)
def test_a_branch_that_dials_for_the_rest_needs_no_more(tmp_path: Path, close: str) -> None:
    made = patched(tmp_path, {"bot.ts": host_text(close)})
    assert "No other code" not in made.files["bot.ts"]
    assert made.files["bot.ts"].count("reconnect.dial(connect)") == 2


GUARDED = """\
      if (!stopping) {
        if (code === 428) connect();
        if (code === 408) connect();
      }
      console.log('closed');"""


def test_a_guard_around_the_codes_holds_for_the_others(tmp_path: Path) -> None:
    made = patched(tmp_path, {"bot.ts": host_text(GUARDED, head="let stopping = false;\n")})
    assert """\
        if (code === 408) reconnect.dial(connect);
        // No other code is a reason to give up
        if (!reconnect.terminal) reconnect.dial(connect);
      }
      console.log('closed');
""" in made.files["bot.ts"]


@pytest.mark.parametrize(
    "close",
    [
        "      if (code === 428 && !stopping) connect();",
        "      if (code === 428) connect();\n      if (x) {\n        if (code === 8) x();\n"
        "        if (code === 500) connect();\n      }",
    ],
    ids=["a veto beside the code", "in several blocks"],
)
def test_where_the_others_belong_is_not_guessed(tmp_path: Path, close: str) -> None:
    made = patched(tmp_path, {"bot.ts": host_text(close, head="let stopping = false;\n")})
    assert (made.held, made.left) == (("it reconnects after some codes only",), ())
    assert HELD in made.files["bot.ts"]


@pytest.mark.parametrize(
    ("said", "instead"),
    [
        ("console.log('Session over');", ""),
        ("if (update.fatal) process.exit(1);", f"{WHY}        process.exit(0);\n"),
    ],
    ids=["lives on", "exits"],
)
def test_nothing_dials_where_the_session_is_over(tmp_path: Path, said: str, instead: str) -> None:
    close = f"""\
      if (code === DisconnectReason.loggedOut) {{
        {said}
        connect();
      }} else {{
        connect();
      }}"""
    made = patched(tmp_path, {"bot.ts": host_text(close)})
    over = close_branch(made.files["bot.ts"]).partition("} else")[0]
    kept = said.replace("exit(1)", "exit(0)")
    why = WHY if kept != said else ""
    assert over == f"      if (reconnect.terminal) {{\n{why}        {kept}\n{instead}      "


HELPER = """\
function onClosed(code) {
  switch (code) {
    case DisconnectReason.connectionLost:
      flush();
      connect();
      break;
    default:
      console.log('unknown', code);
  }
}
"""


@pytest.mark.parametrize(
    ("helper", "reasons"),
    [
        (HELPER, {"it reconnects after some codes only"}),
        (HELPER.replace("'unknown', code);", "'unknown', code);\n      connect();"), set()),
    ],
    ids=["some", "all"],
)
def test_a_function_that_goes_by_codes_is_no_loop_for_the_others(
    tmp_path: Path, helper: str, reasons: set[str]
) -> None:
    made = patched(tmp_path, {"bot.ts": host_text("      onClosed(code);", head=helper)})
    assert (set(made.held), made.left) == (reasons, ())
    assert ("reconnect.dial(connect)" in made.files["bot.ts"]) != bool(reasons)
