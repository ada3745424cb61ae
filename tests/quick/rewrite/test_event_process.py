"""``sock.ev.process``: one function for all events, of which the eye judges one."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.quick.rewrite.harness import IMPORTS, held_text, patched

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
}


@pytest.mark.parametrize(("taken", "update"), FORMS.values(), ids=FORMS)
def test_the_rest_of_a_batch_is_the_hosts(tmp_path: Path, taken: str, update: str) -> None:
    """Whatever the eye says of the update, credentials are saved and messages are read."""
    text = TEXT.replace("TAKEN", taken).replace("UPDATE", update)
    made = patched(tmp_path, {"bot.ts": text}).files["bot.ts"]
    assert f"{update} && reconnect.observe({update}, attempt, sock)" in " ".join(made.split())
    assert "return" not in made
    assert "await reconnect.saving(saveCreds)();" in made


def test_a_channel_with_another_condition_is_held(tmp_path: Path) -> None:
    taken = "if ('connection.update' in events) {"
    text = TEXT.replace("TAKEN", taken).replace("UPDATE", "events['connection.update']")
    made = patched(tmp_path, {"bot.ts": text})
    assert made.files["bot.ts"] == held_text(text)
    assert made.held == ("the place where the update is taken out was not found",)
