"""Credentials deleted when the session is over: an end, unless a new link is asked for at once."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.quick.rewrite.harness import held_text, host_text, patched

HEAD = "import fs from 'fs';\n"
AGAIN = "credentials are deleted when the session ends, to link again at once"
WIPE = "fs.rmSync('auth', { recursive: true, force: true });"
OVER = "reconnect.terminal && code === DisconnectReason.loggedOut"

# The close branch, and the test that stands over the deletion afterwards.
ENDS = {
    "an else": (
        f"""\
      if (code === DisconnectReason.loggedOut) {{
        {WIPE}
        console.error('Logged out');
      }} else {{
        setTimeout(connect, 5000);
      }}""",
        f"if ({OVER}) {{",
    ),
    "a return": (
        f"""\
      if (code === 401) {{
        {WIPE}
        return;
      }}
      setTimeout(connect, 5000);""",
        "if (reconnect.terminal && code === 401) {",
    ),
    "an exit": (
        f"""\
      if (code === 401) {{
        {WIPE}
        process.exit(0);
      }}
      connect();""",
        "if (reconnect.terminal && code === 401) {",
    ),
    "an unequal code": (
        f"""\
      if (code !== DisconnectReason.loggedOut) {{
        connect();
      }} else {{
        {WIPE}
      }}""",
        "if (!reconnect.terminal || code !== DisconnectReason.loggedOut) {",
    ),
    "a flag": (
        f"""\
      const shouldReconnect = code !== 401;
      if (shouldReconnect) connect();
      else {WIPE}""",
        "const shouldReconnect = !reconnect.terminal || code !== 401;",
    ),
    "a flag that says over": (
        f"""\
      const loggedOut = code === 401;
      if (!loggedOut) {{
        connect();
      }} else {{
        {WIPE}
      }}""",
        "const loggedOut = reconnect.terminal && code === 401;",
    ),
    "another flag for the redial": (
        f"""\
      const shouldReconnect = !stopping && code !== DisconnectReason.loggedOut;
      if (shouldReconnect) {{
        connect();
      }} else if (code === DisconnectReason.loggedOut) {{
        try {{
          {WIPE}
        }} catch (error) {{
          console.error('Could not delete the credentials', error);
        }}
      }} else {{
        console.log('Stopped, the credentials are kept');
      }}""",
        f"else if ({OVER}) {{",
    ),
    "a veto beside it": (
        f"""\
      if (code === 401 && !keep) {{
        {WIPE}
      }}
      if (code !== 401) connect();""",
        "if (reconnect.terminal && code === 401 && !keep) {",
    ),
    "one of two codes": (
        f"""\
      if (code === 410 || code === 401) {{
        {WIPE}
      }} else {{
        connect();
      }}""",
        None,
    ),
}


@pytest.mark.parametrize(("close", "test"), ENDS.values(), ids=ENDS)
def test_an_end_is_rewritten_whole(tmp_path: Path, close: str, test: str | None) -> None:
    """What deletes stays for 401 alone: a ban for a day must not cost the link."""
    made = patched(tmp_path, {"bot.ts": host_text(close, head=HEAD)})
    text = made.files["bot.ts"]
    if test is None:
        assert made.held == (AGAIN,)
        assert text == held_text(host_text(close, head=HEAD))
        return
    assert made.left == ()
    assert WIPE in text
    assert test in text
    assert "reconnect.dial(connect)" in text.partition("'close'")[2].partition("\n}\n")[0]
    assert "\nreconnect.dial(connect" in text.rpartition("\n}\n")[2]
    assert "(reconnect.terminal) {" not in text


def test_by_a_function_of_the_file(tmp_path: Path) -> None:
    close = """\
      if (code === 401) {
        await forget();
      } else {
        connect();
      }"""
    tail = "async function forget() {\n  await fs.promises.rm('auth', {});\n}\n\nconnect();"
    made = patched(tmp_path, {"bot.ts": host_text(close, head=HEAD, tail=tail)})
    assert made.left == ()
    assert (
        "if (reconnect.terminal && code === 401) {\n        await forget();" in made.files["bot.ts"]
    )


LINKS_AGAIN = {
    "dials there": f"if (code === 401) {{\n{WIPE}\nconnect();\n}} else connect();",
    "dials there, later": f"if (code === 401) {{\n{WIPE}\nsetTimeout(connect);\n}} else connect();",
    "dials behind it": f"if (code === 401) {WIPE}\nconnect();",
    "dials before it": f"connect();\nif (code === 401) {{\n{WIPE}\nreturn;\n}}",
    "whatever the code": f"{WIPE}\nconnect();",
    "a supervisor dials": f"if (code === 401) {{\n{WIPE}\nprocess.exit(1);\n}}\nconnect();",
    "for another reason, too": (
        f"const again = !stopping && code !== 401;\nif (again) connect();\nelse {WIPE}"
    ),
    "by a function that dials": "if (code === 401) renew();\nelse connect();",
}


@pytest.mark.parametrize("close", LINKS_AGAIN.values(), ids=LINKS_AGAIN)
def test_a_new_link_stays_the_hosts_own(tmp_path: Path, close: str) -> None:
    tail = f"function renew() {{\n  {WIPE}\n  connect();\n}}\n\nconnect();"
    text = host_text(close, head=HEAD, tail=tail)
    made = patched(tmp_path, {"bot.ts": text})
    assert AGAIN in made.held[0], made.held
    assert made.left == ()
    assert made.files["bot.ts"] == held_text(text)


@pytest.mark.parametrize(
    ("close", "lines"),
    [
        (
            f"""\
      if (lastConnectionCode === DisconnectReason.loggedOut) {{
        {WIPE}
        return;
      }}
      connect();""",
            """\
      if (
        reconnect.terminal &&
        lastConnectionCode === DisconnectReason.loggedOut
      ) {
""",
        ),
        (
            f"""\
      const again = lastConnectionCode !== DisconnectReason.loggedOut;
      if (again) connect();
      else {WIPE}""",
            """\
      const again =
        !reconnect.terminal || lastConnectionCode !== DisconnectReason.loggedOut;
""",
        ),
    ],
    ids=["a test", "a flag"],
)
def test_a_test_that_grew_too_long_is_broken(tmp_path: Path, close: str, lines: str) -> None:
    text = host_text(close, head=HEAD).replace("const code", "const lastConnectionCode")
    assert lines in patched(tmp_path, {"bot.ts": text}).files["bot.ts"]
