"""What public bots do before they dial, in small: each of them has to be run."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from modify.units.supervisor import Supervisor
from skill.host import Host
from skill.storm.host.channels import Driver, channels_of
from skill.storm.node.run import Look, prepared
from skill.storm.outcome import Outcome
from skill.storm.scenarios import EXTRA
from skill.storm.simulate import simulate_host
from skill.storm.supervisor import NONE

HEALTHY = next(scenario for scenario in EXTRA if scenario.id == "healthy")
CONNECT = """
const { default: makeWASocket, useMultiFileAuthState } = require('@whiskeysockets/baileys');
async function connect() {
  const { state, saveCreds } = await useMultiFileAuthState('auth');
  const sock = makeWASocket({ auth: state });
  sock.ev.on('creds.update', saveCreds);
  sock.ev.on('connection.update', ({ connection }) => {
    if (connection === 'close') connect();
  });
}
"""
MODULE = CONNECT.replace("const {", "import {", 1).replace(
    "= require('@whiskeysockets/baileys')", "from '@whiskeysockets/baileys'"
).replace("default: makeWASocket", "default as makeWASocket")  # fmt: skip


def lay(root: Path, files: dict[str, str], **package: object) -> Path:
    files = {"package.json": json.dumps({"main": "index.js", **package}), **files}
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text, "utf-8")
    return root


def look(
    root: Path, node_tools: Path, entry: str = "index.js", driver: Driver = "main", **more: str
) -> Look:
    with prepared(root, entry, driver=driver, node_tools=node_tools, **more) as trial:  # type: ignore[arg-type]
        return trial.look()


def healthy(root: Path, node_tools: Path, supervisor: Supervisor = NONE) -> Outcome:
    with prepared(root, "index.js", driver="main", node_tools=node_tools) as trial:
        [outcome] = trial.run([HEALTHY], supervisor=supervisor)
        return outcome


def said(outcome: Outcome) -> list[str]:
    return [text for _at, _level, text in outcome.log]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("const { await } = { await: 3 }; console.log(await + 1)", "4"),
        ("undeclared = 5; console.log(undeclared)", "5"),
        ("const one = 1; try { one = 2 } catch (error) { console.log(error.name) }", "TypeError"),
        ("console.log(require('./data.json').name, require('./data').name)", "pine pine"),
        ("console.log(require('path').basename(__filename), __dirname === process.cwd())",
         "index.js true"),
        ("console.log(require('./a').seen, require.main === module)", "b saw undefined true"),
        ("try { require('./broken') } catch (error) { console.log(error.name) }", "SyntaxError"),
        ("const name = 'a'; console.log(require(`./${name}`).late)", "yes"),
        ("import('./es.mjs').then((made) => console.log(made.default, made.named))", "1 2"),
    ],
)  # fmt: skip
def test_common_js_is_what_node_makes_of_it(
    tmp_path: Path, node_tools: Path, text: str, expected: str
) -> None:
    files = {
        "index.js": text,
        "data.json": '{"name": "pine"}',
        "a.js": "exports.seen = require('./b').seen; exports.late = 'yes';",
        "b.js": "exports.seen = `b saw ${require('./a').late}`;",
        "broken.js": "const = 1;",
        "es.mjs": "export default 1; export const named = 2;",
    }
    assert said(healthy(lay(tmp_path, files), node_tools)) == [expected]


def test_modules_that_await_are_waited_for_by_those_that_import_them(
    tmp_path: Path, node_tools: Path
) -> None:
    files = {
        "index.js": (
            "import { name, late as when } from './middle.js';\nimport * as all from './deep.js';\n"
            "import back from './back.js';\n"
            "console.log(name, when, all.default, back(), typeof __dirname);\n"
        ),
        "middle.js": "export { default as name } from './deep.js';\nexport * from './deep.js';\n",
        "deep.js": (
            "import './back.js';\n"
            "export const late = await new Promise((done) => setTimeout(done, 1000, 'later'));\n"
            "export default 'deep';\n"
        ),
        "back.js": "import deep from './deep.js';\nexport default () => deep;\n",
    }
    root = lay(tmp_path, files, type="module")
    assert said(healthy(root, node_tools)) == ["deep later deep deep undefined"]


def test_what_is_set_on_global_is_a_variable_until_the_process_ends(
    tmp_path: Path, node_tools: Path
) -> None:
    text = (
        "console.log(typeof db, typeof loose);\nglobal.db = { rows: 3 }; loose = 1;\n"
        "require('./rows'); db = { rows: 4 }; require('./again');\n"
        "if (!require('fs').existsSync('seen')) {\n"
        "  require('fs').writeFileSync('seen', ''); process.exit(1);\n}\n"
    )
    rows = "console.log(db.rows, global.db.rows);"
    root = lay(tmp_path, {"index.js": text, "rows.js": rows, "again.js": rows})
    lines = ["undefined undefined", "3 3", "4 4"]
    again = Supervisor("systemd", "on-failure", 5.0)
    assert said(healthy(root, node_tools, again)) == [*lines, *lines]


def test_files_are_there_when_they_are_asked_for(tmp_path: Path, node_tools: Path) -> None:
    text = """
    const fs = require('fs');
    const path = require('path');
    const folder = path.join(__dirname, 'lib', '..', 'plugins');
    for (const file of fs.readdirSync(`${__dirname}/lib/../plugins`)) {
      const place = path.join(folder, file);
      console.log(file, fs.statSync(place).size, require(place));
    }
    console.log(fs.readFileSync('./media/menu.txt', 'utf8'), fs.existsSync('.env'));
    fs.rmSync('media', { recursive: true });
    console.log(fs.existsSync('media/other.txt'));
    """
    files = {
        "index.js": text,
        "lib/one.js": "",
        "plugins/ping.js": "module.exports = 'pong';",
        "media/menu.txt": "menu",
        "media/other.txt": "other",
        ".env": "TOKEN=secret",
    }
    lines = said(healthy(lay(tmp_path, files), node_tools))
    assert lines == ["ping.js 24 pong", "menu false", "false"]
    assert (tmp_path / "media/other.txt").read_text("utf-8") == "other"


def test_packages_that_are_not_there_are_stood_in_for_and_named(
    tmp_path: Path, node_tools: Path
) -> None:
    text = f"""{CONNECT}
    const yargs = require('yargs/yargs');
    const mongoose = require('mongoose');
    const app = require('express')();
    const opts = yargs(process.argv.slice(2)).exitProcess(false).parse();
    if (opts.legacy) throw new Error('no legacy');
    mongoose.connect('mongodb://localhost').then(async () => {{
      const known = await mongoose.model('Session').findOne({{ id: 1 }});
      if (known) throw new Error('nothing is stored yet');
      const {{ exec }} = require('child_process');
      app.listen(3000, () => exec('ffmpeg', (error) => error && connect()));
    }}).catch((error) => process.exit(1));
    """
    seen = look(lay(tmp_path, {"index.js": text}), node_tools)
    assert (seen.attempts, seen.opened, seen.problems) == (1, 1, ())
    assert {"yargs/yargs", "mongoose", "express", "child_process"} == set(seen.stood_in)


def test_a_server_that_listens_keeps_its_process(tmp_path: Path, node_tools: Path) -> None:
    text = "require('express')().listen(3000, () => console.log('up'));"
    outcome = healthy(lay(tmp_path, {"index.js": text}), node_tools)
    assert (said(outcome)[-1], outcome.exits, outcome.starts) == ("up", {}, 1)


def test_a_request_into_the_network_fails(tmp_path: Path, node_tools: Path) -> None:
    text = """
    require('https').get('https://example.org/version.json', () => console.log('answered'))
      .on('timeout', () => {}).on('error', (error) => console.log(error.code));
    """
    assert said(healthy(lay(tmp_path, {"index.js": text}), node_tools))[-1] == "ECONNREFUSED"


def test_decorators_that_are_stood_in_for_change_nothing(tmp_path: Path, node_tools: Path) -> None:
    text = MODULE.replace("async function connect() {", "").rpartition("}")[0]
    service = (
        "import { Injectable, Inject } from '@nestjs/common';\n"
        + text.replace("  const { state", "@Injectable()\nexport class Line {\n"
                       "  constructor(@Inject() private readonly config: unknown) {}\n"
                       "  @Inject() path = 'x';\n  async connect() {\n  const { state")
        .replace("connect();\n", "this.connect();\n") + "}\n}\n"
    )  # fmt: skip
    root = lay(tmp_path, {"line.ts": service})
    seen = look(root, node_tools, "line.ts", "class", class_name="Line", start="connect")
    assert (seen.opened, seen.problems) == (1, ())


def test_settings_that_a_bot_insists_on_are_made_up_and_named(
    tmp_path: Path, node_tools: Path
) -> None:
    text = f"""{CONNECT}
    if (!process.env.OWNER_NUMBER || !/^mongodb:/.test(process.env.MONGO_URL)) process.exit(1);
    if (process.env.MODE !== 'public') process.exit(1);
    connect();
    """
    files = {"index.js": text, ".env.example": "# how it runs\nMODE=public\nTOKEN=\n"}
    seen = look(lay(tmp_path, files), node_tools)
    assert seen.opened == 1
    settings = ("OWNER_NUMBER=15550001111", "MONGO_URL=mongodb://127.0.0.1/bot", "MODE=public")
    assert set(settings) == set(seen.stood_in)


def test_a_bot_that_does_without_them_gets_none(tmp_path: Path, node_tools: Path) -> None:
    text = f"{CONNECT}\nif (process.env.SESSION_ID) process.exit(1);\nconnect();"
    assert look(lay(tmp_path, {"index.js": text}), node_tools).stood_in == ()


GATEWAY = """
import { ready } from './state.js';
SOCKET
const sessions = new Map();
export async function createSession(sessionId) {
  if (!ready() || typeof sessionId !== 'string' || !/^\\w+$/.test(sessionId)) {
    throw new Error('Invalid session ID');
  }
  const { state } = await useMultiFileAuthState(`sessions/${sessionId}`);
  const sock = makeWASocket({ auth: state });
  sessions.set(sessionId, sock);
  sock.ev.on('connection.update', ({ connection }) => {
    if (connection === 'close') createSession(sessionId);
  });
}
""".replace("SOCKET", MODULE.strip().partition("\n")[0])


def test_a_gateway_dials_when_it_is_asked_for_a_session(tmp_path: Path, node_tools: Path) -> None:
    files = {
        "index.js": (
            "import express from 'express';\nimport { set } from './state.js';\n"
            "import { createSession } from './session.js';\n"
            "set();\nconst app = express();\n"
            "app.post('/:id', (request) => createSession(request.params.id));\napp.listen(3000);\n"
        ),
        "state.js": "let is = false;\nexport const set = () => { is = true; };\n"
        "export const ready = () => is;\n",
        "session.js": GATEWAY,
    }
    root = lay(tmp_path, files, type="module", dependencies={"@whiskeysockets/baileys": "^7"})
    report = simulate_host(Host(root), ["healthy"], node_tools=lambda: ("node", node_tools))
    [simulation] = report.simulations
    assert simulation.way == "by running index.js, then createSession()"
    assert [one.attempts for one in simulation.after.outcomes] == [1]
    assert simulation.stood_in == ["express"]


def test_the_program_that_a_program_starts(tmp_path: Path) -> None:
    files = {
        "index.js": "const { fork } = require('child_process');\nfork('./bot.js');\n",
        "bot.js": f"{CONNECT}\nconnect();\n",
    }
    [channel] = channels_of(Host(lay(tmp_path, files))).run
    assert channel.ways[0].text == "by running bot.js"


@pytest.mark.parametrize("name", ["@lib/line", "@/lib/line", "src/lib/line", "lib/line"])
def test_a_main_that_imports_by_an_alias(tmp_path: Path, name: str) -> None:
    files = {
        "src/main.ts": f"import 'express';\nimport {{ connect }} from '{name}';\nconnect();\n",
        "src/lib/line.ts": MODULE.replace("async function", "export async function"),
        "src/lib/other.ts": MODULE.replace("async function", "export async function"),
    }
    packages = {"express": "4", "@whiskeysockets/baileys": "7"}
    root = lay(tmp_path, files, main="src/main.ts", dependencies=packages)
    [channel] = channels_of(Host(root)).run
    assert channel.path == "src/lib/line.ts"
    assert "by running src/main.ts" in [way.text for way in channel.ways]


def test_what_stood_in_the_way_is_one_line(tmp_path: Path, node_tools: Path) -> None:
    text = f"{CONNECT}\nthrow new Error('needs a licence\\nsee the shop');\n"
    root = lay(tmp_path, {"index.js": text})
    report = simulate_host(Host(root), ["healthy"], node_tools=lambda: ("node", node_tools))
    [simulation] = report.simulations
    assert report.code == 2
    assert simulation.after.why.startswith("by running index.js: needs a licence; by ")
