"""``stop()`` makes every later close inert: it belongs where the host ends its socket, alone."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.quick.rewrite.harness import IMPORTS, patched

BOT = """\
%s
let sock;
let timer;

async function connect() {
  const { state } = await useMultiFileAuthState('auth');
  sock = makeWASocket({ auth: state });
  sock.ev.on('connection.update', ({ connection }) => {
    if (connection === 'close') {
      beforeRedial();
      connect();
    }
  });
  sock.ev.on('messages.upsert', onMessage);
}

function beforeRedial() {}
function onMessage() {}

%s

connect();
"""
STOP = "reconnect.stop();"
DISCONNECT = """\
async function disconnect() {
  await sock?.end(undefined);
}
"""

ENDS = {
    "a function that others may call": f"export {DISCONNECT}",
    "a signal's own listener": "process.on('SIGTERM', () => {\n  sock.end(undefined);\n});",
    "called by a signal": f"{DISCONNECT}process.once('SIGINT', () => disconnect());",
    "given to a signal": f"{DISCONNECT}process.once('SIGINT', disconnect);",
    "by way of a shutdown": f"""\
{DISCONNECT}async function shutdown() {{
  await disconnect();
  process.exit(0);
}}
process.on('SIGTERM', shutdown);""",
    "a crash that ends the process": """\
process.on('uncaughtException', (error) => {
  sock.ws.close();
  process.exit(1);
});""",
    "a command that ends the process": f"""\
{DISCONNECT}commands.on('quit', async () => {{
  await disconnect();
  process.exit(0);
}});""",
    "in a finally, for good": """\
export async function bye() {
  try {
    await say('bye');
  } finally {
    await sock.logout();
  }
}""",
    "a command that dials by itself": f"""\
{DISCONNECT}commands.on('restart', async () => {{
  await disconnect();
  await connect();
}});""",
}


@pytest.mark.parametrize("outside", ENDS.values(), ids=ENDS)
def test_an_end_on_purpose(tmp_path: Path, outside: str) -> None:
    made = patched(tmp_path, {"bot.js": BOT % (IMPORTS, outside)})
    assert made.files["bot.js"].count(STOP) == 1


GOES_ON = {
    "a helper of a signal that saves": """\
function save() {
  fs.writeFileSync('cache.json', '{}');
}
function later() {
  timer = setTimeout(save, 30_000);
}
process.on('SIGINT', () => {
  save();
  process.exit(0);
});""",
    "a helper of a signal that clears": """\
function stopHeartbeat() {
  clearInterval(timer);
}
process.on('SIGTERM', () => {
  stopHeartbeat();
  process.exit(0);
});""",
    "a signal that only exits": "process.on('SIGINT', () => process.exit(0));",
    "a watchdog": "setInterval(() => {\n  if (stale()) sock.end(undefined);\n}, 1000);",
    "called by a watchdog": f"{DISCONNECT}setInterval(() => disconnect(), 1000);",
    "given to a timer": f"{DISCONNECT}setInterval(disconnect, 3_600_000);",
    "given to a timer, bound": f"{DISCONNECT}setInterval(disconnect.bind(null), 3_600_000);",
    "a timer at the top": "setTimeout(() => {\n  sock.end(undefined);\n}, 3_600_000);",
    "a scheduler": f"{DISCONNECT}cron.schedule('0 4 * * *', () => disconnect());",
    "a command": f"{DISCONNECT}commands.on('restart', () => disconnect());",
    "a web route": f"{DISCONNECT}app.post('/restart', async () => {{ await disconnect(); }});",
    "a route that is given it": f"{DISCONNECT}app.post('/reset', disconnect);",
    "in a finally of normal running": f"""\
{DISCONNECT}async function check() {{
  try {{
    await ping();
  }} finally {{
    await disconnect();
  }}
}}
setInterval(check, 60_000);""",
    "by way of two functions": f"""\
{DISCONNECT}const heal = () => disconnect();
const look = () => stale() && heal();
events.on('tick', look);""",
    "a rejection that is survived": f"{DISCONNECT}process.on('unhandledRejection', disconnect);",
    "an exit that may not come": f"""\
{DISCONNECT}commands.on('off', async (hard) => {{
  await disconnect();
  if (hard) process.exit(0);
}});""",
    "its name says so": "export function restartSocket() {\n  sock.end(undefined);\n}",
    "under another name": f"{DISCONNECT}const refresh = disconnect;\nsetInterval(refresh, 1000);",
    "a socket that was handed in": "export function drop(sock) {\n  sock.end(undefined);\n}",
    "only a helper that ends it": """\
function heal() {
  sock.ws.close();
}
export function bye() {
  heal();
}
setInterval(heal, 1000);""",
}


@pytest.mark.parametrize("outside", GOES_ON.values(), ids=GOES_ON)
def test_what_normal_running_reaches_is_left_alone(tmp_path: Path, outside: str) -> None:
    text = BOT % (IMPORTS, outside)
    made = patched(tmp_path, {"bot.js": text}).files["bot.js"]
    assert STOP not in made
    assert "reconnect.socket(makeWASocket, " in made
    assert outside in made


def test_called_before_the_redial(tmp_path: Path) -> None:
    """In the close branch, or for each new connection."""
    for place in ("function beforeRedial() {}", "function onMessage() {}"):
        text = (BOT % (IMPORTS, DISCONNECT)).replace(place, f"{place[:-1]} disconnect(); }}")
        assert STOP not in patched(tmp_path, {"bot.js": text}).files["bot.js"]


CLASS = f"""\
{IMPORTS}
export class Line {{
  sock;

  async connect() {{
    const {{ state }} = await useMultiFileAuthState('auth');
    this.sock = makeWASocket({{ auth: state }});
    this.sock.ev.on('connection.update', ({{ connection }}) => {{
      if (connection === 'close') this.connect();
    }});
    this.sock.ev.on('messages.upsert', () => undefined);
  }}

  async disconnect() {{
    this.sock.end(undefined);
  }}
}}
"""
LINE = "import { Line } from './line.js';\n"
OTHERS = {
    "a shutdown": (LINE + "process.on('SIGTERM', async () => { await line.disconnect(); });", True),
    "a function of its own": (LINE + "export const bye = () => line.disconnect();", True),
    "another program's": ("setInterval(() => mongoose.disconnect(), 1000);", True),
    "a watchdog": ("setInterval(() => stale() && client.disconnect(), 1000);", False),
    "a command": (LINE + "bus.on('restart', () => line.disconnect());", False),
    "one that dials itself": (
        LINE + "bus.on('restart', () => line.disconnect().then(() => line.connect()));",
        True,
    ),
}


@pytest.mark.parametrize(("other", "stops"), OTHERS.values(), ids=OTHERS)
def test_called_in_another_file(tmp_path: Path, other: str, stops: bool) -> None:
    made = patched(tmp_path, {"line.js": CLASS, "main.js": f"{other}\n"})
    assert (f"this.{STOP}" in made.files["line.js"]) == stops


def test_a_second_listener_elsewhere_is_left_alone(tmp_path: Path) -> None:
    bot = (BOT % (IMPORTS + "import { watch } from './watch.js';\n", "")).replace(
        "  sock.ev.on('messages", "  watch(sock);\n  sock.ev.on('messages"
    )
    watch = """\
export function watch(sock) {
  sock.ev.on('connection.update', ({ connection }) => {
    if (connection === 'close') console.log('closed');
  });
}
"""
    made = patched(tmp_path, {"bot.js": bot, "watch.js": watch})
    assert made.files["bot.js"].count("reconnect.socket(") == 1
    assert made.files["watch.js"] == watch
