"""A loop that is right already is left alone, and only one that can be seen to be right is."""

from __future__ import annotations

from pathlib import Path

import pytest

from modify.baileys.codemod import examine
from skill.host import Host
from skill.options import Options
from tests.quick.rewrite.harness import IMPORTS

RIGHT = """\
let timer;
let attempts = 0;
let stopped = false;

async function connect() {
  const { state } = await useMultiFileAuthState('auth');
  const sock = makeWASocket({ auth: state });
  sock.ev.on('messages.upsert', () => undefined);
  sock.ev.on('connection.update', ({ connection, lastDisconnect }) => {
    const code = lastDisconnect?.error?.output?.statusCode;
    if (connection === 'open') {
      setTimeout(() => {
        attempts = 0;
      }, 300_000);
    }
    if (connection === 'close') {
      if (code === DisconnectReason.loggedOut) process.exit(0);
      schedule();
    }
  });
}

function schedule() {
  if (stopped) return;
  clearTimeout(timer);
  const delay = Math.min(1000 * 2 ** attempts, 60_000) + Math.random() * 100;
  attempts += 1;
  timer = setTimeout(start, delay);
}

function start() {
  connect().catch(schedule);
}

start();
"""


def is_called_right(tmp_path: Path, files: dict[str, str]) -> bool:
    for path, text in {"package.json": '{ "type": "module" }', **files}.items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(text, encoding="utf-8")
    patch = examine(Host(tmp_path), Options())
    right = [note for note in patch.notes if note.kind == "right"]
    assert bool(right) != bool(patch.findings), (patch.notes, patch.findings)
    return bool(right)


ALSO_RIGHT = {
    "as it is": [],
    "one timer by a test": [("clearTimeout(timer);", "if (timer) return;\n  timer = undefined;")],
    "a delay that is kept": [
        ("let attempts = 0;", "let attempts = 1000;"),
        ("attempts = 0;\n", "attempts = FIRST;\n"),
        ("1000 * 2 ** attempts, 60_000)", "attempts, 60_000)"),
        ("attempts += 1", "attempts = Math.min(attempts * 2, 60_000)"),
    ],
    "a function that reckons": [
        ("Math.min(1000 * 2 ** attempts, 60_000) + Math.random() * 100", "backoff()"),
        (
            "function start",
            "const backoff = () => Math.min(1000 * Math.pow(2, attempts), 60_000) + jitter();\n"
            "const jitter = () => Math.random() * 100;\n\nfunction start",
        ),
    ],
    "at once after 515": [
        ("      schedule();\n", "      if (code === 515) start();\n      else schedule();\n")
    ],
    "a helper that is told the number": [
        ("      schedule();", "      schedule(failures);"),
        ("function schedule()", "function schedule(attempts)"),
        ("  attempts += 1;\n", ""),
        ("setTimeout(start, delay)", "setTimeout(() => start(attempts + 1), delay)"),
        ("function start()", "function start(attempts)"),
        ("catch(schedule)", "catch(() => schedule(attempts))"),
    ],
    "a close function that stops": [
        ("start();\n", "export function bye() {\n  stopped = true;\n  sock.end();\n}\n\nstart();\n")
    ],
}


@pytest.mark.parametrize("changes", ALSO_RIGHT.values(), ids=ALSO_RIGHT)
def test_a_right_loop_is_left_alone(tmp_path: Path, changes: list[tuple[str, str]]) -> None:
    assert is_called_right(tmp_path, {"bot.js": IMPORTS + changed(changes)})


def changed(changes: list[tuple[str, str]]) -> str:
    text = RIGHT
    for old, new in changes:
        assert old in text, old
        before, _, after = text.rpartition(old)
        text = before + new + after
    return text


WORDS = "Math.min(1000 * 2 ** attempts, 60_000) + Math.random() * 100; clearTimeout(timer)"
DELAY = "const delay = Math.min(1000 * 2 ** attempts, 60_000) + Math.random() * 100;"
WRONG = {
    "all of it in a comment": [
        (DELAY, f"const delay = 1000; // {WORDS}"),
    ],
    "all of it in a string": [(DELAY, f"const delay = 1000;\n  log('{WORDS}');")],
    "all of it about something else": [
        (DELAY, f"const delay = 1000;\n  const other = {WORDS.partition(';')[0]};\n  log(other);")
    ],
    "no cap": [("Math.min(1000 * 2 ** attempts, 60_000)", "1000 * 2 ** attempts")],
    "no jitter": [(" + Math.random() * 100", "")],
    "jitter alone": [("Math.min(1000 * 2 ** attempts, 60_000)", "Math.min(1000, 60_000)")],
    "a second timer": [("  clearTimeout(timer);\n", "")],
    "another timer is cleared": [("clearTimeout(timer)", "clearTimeout(other)")],
    "a count that stands still": [("  attempts += 1;\n", "")],
    "set back on open": [("setTimeout(() => {\n        attempts = 0;\n      }, 300_000);",
                          "attempts = 0;")],
    "a number that starts again": [
        ("      schedule();", "      schedule(0);"),
        ("function schedule()", "function schedule(attempts)"),
        ("  attempts += 1;\n", ""),
        ("setTimeout(start, delay)", "setTimeout(() => start(attempts + 1), delay)"),
        ("function start()", "function start(attempts)"),
        ("catch(schedule)", "catch(() => schedule(attempts))"),
    ],
    "dials around it": [
        ("      schedule();", "      if (code === 428) start();\n      schedule();")
    ],
    "at once by a helper": [("      schedule();", "      start();")],
    "gives up": [("  attempts += 1;\n", "  attempts += 1;\n  if (attempts > 10) return;\n")],
    "exits with an error": [("if (stopped) return;", "if (attempts > 10) process.exit(1);")],
    "a first dial that fails is the end": [("\nstart();\n", "\nconnect();\n")],
    "no end": [("      if (code === DisconnectReason.loggedOut) process.exit(0);\n", "")],
    "reckoned elsewhere": [(DELAY, "const delay = backoff(attempts);")],
    "stopped, and dials again": [
        ("start();\n", "export function bye() {\n  sock.end();\n}\n\nstart();\n")
    ],
}  # fmt: skip


@pytest.mark.parametrize("changes", WRONG.values(), ids=WRONG)
def test_a_loop_that_is_not_right_in_all_is_seen(
    tmp_path: Path, changes: list[tuple[str, str]]
) -> None:
    assert not is_called_right(tmp_path, {"bot.js": IMPORTS + changed(changes)})


LISTENER = """\
import { onUpdate } from './update.js';

export class Client {
  bind() {
    this.sock.ev.on('connection.update', this.handle.bind(this));
    this.sock.ev.on('messages.upsert', () => undefined);
  }

  async handle(update) {
    GIVEN
  }
}
"""
HANDED_ON = {
    "in an object": "await onUpdate({ update, client: this });",
    "as it is": "return onUpdate(update);",
    "spread": "onUpdate({ ...update });",
    "to a method of another": "await this.manager.onUpdate(update);",
}


@pytest.mark.parametrize("given", HANDED_ON.values(), ids=HANDED_ON)
def test_an_update_that_is_handed_to_other_code_is_for_a_person(tmp_path: Path, given: str) -> None:
    update = """\
import { makeSocket } from './make.js';

export async function onUpdate({ update, client }) {
  if (update.connection !== 'close') return;
  await sleep(5000);
  client.sock = await makeSocket();
  client.bind();
}
"""
    files = {"client.js": LISTENER.replace("GIVEN", given), "update.js": update}
    assert not is_called_right(tmp_path, files)


@pytest.mark.parametrize(
    "given",
    [
        "console.log(update);",
        "this.events.emit('state', update);",
        "this.state = update.connection;",
    ],
    ids=["logged", "told to others", "looked at"],
)
def test_an_update_that_is_only_looked_at_is_right(tmp_path: Path, given: str) -> None:
    assert is_called_right(tmp_path, {"client.js": LISTENER.replace("GIVEN", given)})


@pytest.mark.parametrize("which", ["flat", "restarted"])
def test_the_two_loops_that_were_called_right(tmp_path: Path, which: str) -> None:
    """One by the words of a comment; one that starts its count again at each close."""
    flat = """\
      // TODO: Math.min(1000 * 2 ** n, 60_000) plus jitter, and clearTimeout(timer) first
      setTimeout(connect, 1000);"""
    close = flat if which == "flat" else "      schedule(0);"
    text = f"""\
{IMPORTS}
let timer;
async function connect() {{
  const {{ state }} = await useMultiFileAuthState('auth');
  const sock = makeWASocket({{ auth: state }});
  sock.ev.on('messages.upsert', () => {{}});
  sock.ev.on('connection.update', (update) => {{
    const code = update.lastDisconnect?.error?.output?.statusCode;
    if (update.connection === 'close') {{
      if (code === DisconnectReason.loggedOut) return;
{close}
    }}
  }});
}}
function schedule(attempt) {{
  clearTimeout(timer);
  const delay = Math.min(1000 * 2 ** attempt, 60_000) + Math.random() * 100;
  timer = setTimeout(() => connect().catch(() => schedule(attempt + 1)), delay);
}}
connect();
"""
    assert not is_called_right(tmp_path, {"bot.js": text})
