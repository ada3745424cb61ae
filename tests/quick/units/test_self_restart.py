"""JavaScript hosts that restart themselves by a clean exit: kept working, or their unit is left."""

from __future__ import annotations

from pathlib import Path

import pytest

from skill.host import Host
from skill.options import Options
from skill.plan import Plan, make_plan
from tests import harness
from tests.quick.rewrite.harness import HELD_IMPORT
from tests.quick.rules.service_cases.harness import PLIST, UNIT, make_host, plist, unit

CODE = "web/panel.js"
RULE = "systemd-restart-always"
ALWAYS = {UNIT: unit("Restart=always\n")}


def planned(folder: Path, code: str, **files: str) -> Plan:
    make_host(folder, {**ALWAYS, CODE: code, **files})
    return harness.patched(folder).plan


def after(plan: Plan, path: str) -> str:
    for change in plan.changes:
        if change.path == path and change.after is not None:
            return change.after.decode()
    return (plan.root / path).read_text()


def held(plan: Plan) -> list[str]:
    return [f.reason for f in plan.findings if f.rule == RULE and f.is_hand_off]


PLAIN = {
    "a comment right above": (
        "app.post('/api/factory-reset', (req, res) => {\n"
        "  res.json({ message: 'Bot will restart...' });\n"
        "  // Restart process after 2 seconds\n"
        "  setTimeout(() => {\n    process.exit(0);\n  }, 2000);\n});\n"
    ),
    "a route": "app.post('/api/restart', () => setTimeout(() => process.exit(0), 500));\n",
    "a function": "export async function restartBot() {\n  await save();\n  process.exit();\n}\n",
    "a property": "const commands = {\n  restart: async () => {\n    process.exit(0);\n  },\n};\n",
    "a case": "switch (command) {\n  case 'restart':\n    process.exit(0);\n}\n",
    "a condition": "if (text === '.reboot') {\n  process.exit(0);\n}\n",
    "by its name alone": "import { exit } from 'node:process';\n"
    "function restart() {\n  exit(0);\n}\n",
    "an error that nobody caught": "process.on('uncaughtException', (error) => {\n"
    "  console.error(error);\n  process.exit(0);\n});\n",
    "windows line ends": "function restart() {\r\n  process.exit(0);\r\n}\r\n",
}


@pytest.mark.parametrize("name", PLAIN)
def test_a_clean_exit_becomes_a_failure(tmp_path: Path, name: str) -> None:
    plan = planned(tmp_path, PLAIN[name])
    new = after(plan, CODE)
    assert "exit(75)" in new and "exit(0)" not in new and "exit()" not in new
    line = next(n for n, text in enumerate(new.split("\n")) if "exit(75)" in text)
    assert new.split("\n")[line - 1].lstrip().startswith("// A failure: the service manager")
    assert new.count("\r\n") == (new.count("\n") if "windows" in name else 0)
    assert "Restart=on-failure" in after(plan, UNIT) and held(plan) == []
    finding = next(f for f in plan.findings if f.path == CODE)
    assert "to be started again" in finding.message and not finding.is_hand_off


def test_it_converges(tmp_path: Path) -> None:
    plan = planned(tmp_path, PLAIN["a route"])
    for change in plan.changes:
        (tmp_path / change.path).write_bytes(change.after or b"")
    assert not make_plan(Host(tmp_path), Options()).changes


HELD = {
    "a signal to itself": "function restart() {\n  process.kill(process.pid, 'SIGTERM');\n}\n",
    "the default signal": "function restart() {\n  process.kill(process.pid);\n}\n",
    "a signal that is emitted": "function restart() {\n  process.emit('SIGINT');\n}\n",
    "mere words": "app.post('/update', async () => {\n  await pull();\n"
    "  reply('Restarting to apply it...');\n  process.exit(0);\n});\n",
    "another language": "setInterval(() => {\n  log('Reiniciando');\n  process.exit(0);\n});\n",
    "a child's end": "import { fork } from 'child_process';\n"
    "fork('bot.js').on('exit', (code) => {\n  log(code);\n  process.exit();\n});\n",
    "in a text": "const script = `${(function restart() { process.exit(0); })}`;\n",
}


@pytest.mark.parametrize("name", HELD)
def test_what_is_not_plain_leaves_the_unit_to_a_person(tmp_path: Path, name: str) -> None:
    plan = planned(tmp_path, HELD[name])
    line = HELD[name][: HELD[name].index("process.")].count("\n") + 1
    reasons = held(plan)
    assert len(reasons) == 1 and reasons[0].startswith(f"{CODE}:{line}: ")
    assert "would stay down" in reasons[0]
    assert after(plan, CODE) == HELD[name]
    assert "Restart=always\nRestartSec=10\n" in after(plan, UNIT), "a crash loop is bounded"


OTHERS = {
    "a shutdown": "process.on('SIGTERM', () => {\n  log('restart');\n  process.exit(0);\n});\n",
    "a shutdown by name": "function doShutdown() {\n  // for a restart\n  process.exit(0);\n}\n",
    "the end of a session": "sock.ev.on('connection.update', ({ lastDisconnect }) => {\n"
    "  if (lastDisconnect.code === DisconnectReason.loggedOut) {\n"
    "    log('Delete the folder and restart the bot');\n    process.exit(0);\n  }\n});\n",
    "words to a person": "function check() {\n  log('No number. Set it, then restart');\n"
    "  process.exit(0);\n}\n",
    "a start": "function beforeStart() {\n  process.exit(0);\n}\n",
    "another branch": "if (command === 'restart') again();\nelse process.exit(0);\n",
    "a failure already": "function restart() {\n  process.exit(1);\n}\n",
    "a child that its parent starts again": "function restart() {\n  process.exit(0);\n}\n",
}


@pytest.mark.parametrize("name", OTHERS)
def test_what_is_no_restart(tmp_path: Path, name: str) -> None:
    files = {}
    if "parent" in name:
        files["index.js"] = "import { fork } from 'cluster';\nfork().on('exit', () => start());\n"
    plan = planned(tmp_path, OTHERS[name], **files)
    assert after(plan, CODE) == OTHERS[name]
    assert "Restart=on-failure" in after(plan, UNIT) and held(plan) == []


@pytest.mark.parametrize("path", ["scripts/restart.js", "src/restart.test.js", "tools/update.mjs"])
def test_tools_are_not_the_bot(tmp_path: Path, path: str) -> None:
    plan = planned(tmp_path, "", **{path: PLAIN["a function"]})
    assert after(plan, path) == PLAIN["a function"] and held(plan) == []


def test_a_tool_that_the_bot_imports_is_the_bot(tmp_path: Path) -> None:
    files = {"tools/restart.mjs": PLAIN["a function"]}
    plan = planned(tmp_path, "import { restartBot } from '../tools/restart.mjs';\n", **files)
    assert "exit(75)" in after(plan, "tools/restart.mjs")


def test_a_status_that_the_host_tests_is_not_changed(tmp_path: Path) -> None:
    test = "test('restartBot', () => expect(exit).toHaveBeenCalledWith(0));\n"
    plan = planned(tmp_path, PLAIN["a function"], **{"src/panel.test.js": test})
    assert after(plan, CODE) == PLAIN["a function"]
    assert held(plan)[0].endswith("; src/panel.test.js tests it")


TRUE = "    <key>KeepAlive</key>\n    <true/>\n"
PM2 = "module.exports = { apps: [{ name: 'bot', script: 'dist/index.js' }] };\n"
SUPERVISORD = "[program:bot]\ncommand=node /opt/bot/dist/index.js\nautorestart=true\n"
LOOP = "#!/bin/sh\nwhile true; do\n  node dist/index.js\n  sleep 5\ndone\n"
MANAGERS = {
    "launchd-keep-alive": (PLIST, plist(TRUE)),
    "pm2-autorestart": ("ecosystem.config.cjs", PM2),
    "supervisord-autorestart": ("deploy/supervisord.conf", SUPERVISORD),
    "wrapper-restart-always": ("start.sh", LOOP),
}


@pytest.mark.parametrize("rule", MANAGERS)
def test_every_supervisor_that_ends_on_0(tmp_path: Path, rule: str) -> None:
    path, text = MANAGERS[rule]
    host = make_host(tmp_path / "plain", {path: text, CODE: PLAIN["a route"]})
    plan = make_plan(host, Options())
    assert "exit(75)" in after(plan, CODE) and after(plan, path) != text
    assert next(f.rule for f in plan.findings if f.path == CODE) == rule
    host = make_host(tmp_path / "held", {path: text, CODE: HELD["a signal to itself"]})
    plan = make_plan(host, Options())
    reasons = [f.reason for f in plan.findings if f.rule == rule and f.is_hand_off]
    assert len(reasons) == 1 and f"{CODE}:2: restart() sends itself SIGTERM" in reasons[0]


def test_compose_starts_it_again_after_0(tmp_path: Path) -> None:
    compose = (
        "services:\n  bot:\n    build: .\n    command: node dist/index.js\n    restart: always\n"
    )
    files = {"docker-compose.yml": compose, "Dockerfile": "FROM node\n", CODE: PLAIN["a route"]}
    plan = make_plan(make_host(tmp_path, files), Options())
    assert "restart: unless-stopped" in after(plan, "docker-compose.yml")
    assert after(plan, CODE) == PLAIN["a route"]


def test_an_added_service_starts_it_again(tmp_path: Path) -> None:
    options = Options(add_service="systemd")
    plan = make_plan(make_host(tmp_path / "plain", {CODE: PLAIN["a route"]}), options)
    assert "exit(75)" in after(plan, CODE)
    plan = make_plan(make_host(tmp_path / "held", {CODE: HELD["the default signal"]}), options)
    assert [f.path for f in plan.hand_offs if f.rule == RULE] == [CODE]


CHANNEL = """\
import makeWASocket, {{ DisconnectReason }} from 'baileys';
export const start = (auth, done) => {{
  const sock = makeWASocket({{ auth }});
  sock.ev.on('connection.update', ({{ connection, lastDisconnect }}) => {{
    if (connection !== 'close') return;
    if ({0}) process.exit(0);
    done(sock, () => start(auth, done));
  }});
}};
"""


@pytest.mark.parametrize(
    ("condition", "stays_down"),
    [
        ("lastDisconnect.error.output.statusCode === DisconnectReason.loggedOut", False),
        ("lastDisconnect.error.output.statusCode === 440", False),
        ("lastDisconnect.error.output.statusCode === 408", True),
    ],
)
def test_a_close_that_ends_the_process(tmp_path: Path, condition: str, stays_down: bool) -> None:
    """Where the channel is held, its clean exits are still what the unit has to restart."""
    plan = planned(tmp_path, "", **{"src/whatsapp.ts": CHANNEL.format(condition)})
    text = CHANNEL.format(condition)
    made = text.replace("makeWASocket({ auth", "reconnect.socket(makeWASocket, { auth")
    made = made.replace("'baileys';\n", f"'baileys';\n{HELD_IMPORT.replace('.js', '')}")
    assert after(plan, "src/whatsapp.ts") == made
    assert [reason[:19] for reason in held(plan)] == ["src/whatsapp.ts:6: "] * stays_down
