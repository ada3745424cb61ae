"""``sock.ev.process``: one function for all events."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.quick.rewrite.harness import IMPORTS, patched

TEXT = f"""\
{IMPORTS}
async function connect() {{
  const {{ state, saveCreds }} = await useMultiFileAuthState('auth');
  const sock = makeWASocket({{ auth: state }});
  sock.ev.process(async (events) => {{
    TAKEN
      const {{ connection }} = UPDATE;
      if (connection === 'close') connect();
    }}
    if (events['creds.update']) {{
      await saveCreds();
    }}
    if (events['messages.upsert']) answer(sock, events['messages.upsert']);
  }});
}}

connect();
"""
BATCH = "if (events['connection.update']) {"
LOCAL = "const update = events['connection.update'];\n    if (update) {"
FORMS = {
    "in place": (BATCH, "events['connection.update']"),
    "a local name": (LOCAL, "update"),
    "another condition": ("if ('connection.update' in events) {", "events['connection.update']"),
}


@pytest.mark.parametrize(("taken", "update"), FORMS.values(), ids=FORMS)
def test_the_function_for_all_events_stays_the_hosts(
    tmp_path: Path, taken: str, update: str
) -> None:
    """Only its close branch changes: the socket sees its own events."""
    text = TEXT.replace("TAKEN", taken).replace("UPDATE", update)
    made = patched(tmp_path, {"bot.ts": text}).files["bot.ts"]
    expected = text.replace("=== 'close') connect();", "=== 'close') reconnect.dial(connect);")
    handler = expected[expected.index("  sock.ev.process") : expected.index("\n\nconnect();")]
    assert handler in made
    assert "const sock = reconnect.socket(makeWASocket, { auth: state });" in made
