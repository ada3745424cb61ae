"""A host that an earlier skillgen patched gets the form of today, or stays as it is."""

from __future__ import annotations

from pathlib import Path

import pytest

from skill.render.typescript import module_identity
from tests.harness import Outcome, patched
from tests.quick.rewrite.harness import IMPORTS

HEADER = "// Added by skillgen 0.0.9 (sha256 of the rest: 78fa00785f3494b3)\n"
MODULE = f"""\
{HEADER}export class Reconnect {{
  turn() {{}}
  observe() {{}}
  saving() {{}}
}}
"""
HEAD = f"""\
{IMPORTS}import {{ Reconnect }} from './whatsapp-reconnect.js';

// Paces reconnects: WhatsApp blocks a number that dials too often
const reconnect = new Reconnect({{
  authDir: 'auth',
  logger: console,
}});
"""
EARLIER = f"""\
{HEAD}
async function connect() {{
  const attempt = await reconnect.turn();
  const {{ state, saveCreds }} = await useMultiFileAuthState('auth');
  const sock = makeWASocket({{ auth: state }});
  sock.ev.on('creds.update', reconnect.saving(saveCreds));
  sock.ev.on('connection.update', (update) => {{
    if (!reconnect.observe(update, attempt, sock)) return;
    if (update.connection === 'close' && !reconnect.terminal) reconnect.dial(connect);
  }});
}}

reconnect.dial(connect);
"""
TODAY = f"""\
{HEAD}
async function connect() {{
  const {{ state, saveCreds }} = await useMultiFileAuthState('auth');
  const sock = reconnect.socket(makeWASocket, {{ auth: state }});
  sock.ev.on('creds.update', saveCreds);
  sock.ev.on('connection.update', (update) => {{
    if (update.connection === 'close' && !reconnect.terminal) reconnect.dial(connect);
  }});
}}

reconnect.dial(connect);
"""
BATCH = """\
  sock.ev.process(async (events) => {
    if (%s) {
      if (events['connection.update'].connection === 'close') reconnect.dial(connect);
    }
  });
"""
ONE = EARLIER[EARLIER.index("  sock.ev.on('connection.update'") : EARLIER.index("}\n\nreconnect.d")]


def upgraded(root: Path, bot: str = EARLIER, module: str = MODULE, **more: str) -> Outcome:
    """more: further files, by their names without .js."""
    files = {"package.json": '{ "type": "module" }', "bot.js": bot, "whatsapp-reconnect.js": module}
    return patched(root, {**files, **{f"{name}.js": text for name, text in more.items()}})


def test_the_modules_hash_is_right() -> None:
    assert module_identity(MODULE) == ("0.0.9", True)


def test_it_becomes_the_form_of_today(tmp_path: Path) -> None:
    made = upgraded(tmp_path)
    assert made.text("bot.js") == TODAY
    assert "socket(make, config)" in made.text("whatsapp-reconnect.js")
    assert [finding.rule for finding in made.settled] == ["ungated-connect"]
    assert made.left == ()


def test_a_function_for_all_events(tmp_path: Path) -> None:
    event = "events['connection.update']"
    looks = f"{event} && reconnect.observe({event}, attempt, sock)"
    made = upgraded(tmp_path, EARLIER.replace(ONE, BATCH % looks)).text("bot.js")
    assert BATCH % event in made


@pytest.mark.parametrize(
    ("bot", "module"),
    [
        (EARLIER, MODULE.replace("turn() {}", "turn() { return 7; }")),
        (
            EARLIER.replace("(update, attempt, sock)) return;", "(update, attempt)) return log();"),
            MODULE,
        ),
        (EARLIER.replace("await reconnect.turn();", "(await reconnect.turn()) + 1;"), MODULE),
    ],
    ids=["its module was edited", "its listener was edited", "its connect function was edited"],
)
def test_what_was_edited_since_stays_and_works(tmp_path: Path, bot: str, module: str) -> None:
    made = upgraded(tmp_path, bot, module)
    assert (made.text("bot.js"), made.text("whatsapp-reconnect.js")) == (bot, module)


def test_a_module_goes_only_with_all_that_need_it(tmp_path: Path) -> None:
    other = EARLIER.replace("await reconnect.turn();", "(await reconnect.turn()) + 1;")
    made = upgraded(tmp_path, other=other)
    assert made.text("bot.js") == EARLIER
    assert made.text("whatsapp-reconnect.js") == MODULE


def test_the_notes_of_a_skill_are_written_anew(tmp_path: Path) -> None:
    skill = ".claude/skills/add-voice/modify"
    intent = "# Intent\n\n## Reconnecting\n\n- Every attempt waits for `await reconnect.turn()`.\n"
    files = {
        "package.json": '{ "type": "module" }',
        f"{skill}/bot.js": EARLIER,
        f"{skill}/bot.js.intent.md": f"{intent}\n## Other\n\nkept\n",
        "bot.js": EARLIER,
        "whatsapp-reconnect.js": MODULE,
    }
    text = patched(tmp_path, files).text(f"{skill}/bot.js.intent.md")
    assert "turn()" not in text
    assert "`reconnect.socket(makeWASocket, …)`" in text
    assert text.startswith("# Intent\n\n## Reconnecting\n") and text.endswith("## Other\n\nkept\n")
