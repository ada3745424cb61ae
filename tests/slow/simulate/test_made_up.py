"""Bots that dial only for what a database, a person or their main has to say, in small."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import pytest

from skill.host import Host
from skill.storm.catalogue import BY_ID
from skill.storm.node.run import Look, prepared
from skill.storm.outcome import Outcome
from skill.storm.simulate import Simulation, simulate_host

NUMBER = "15550001111"
DIALS = """
import makeWASocket, { initAuthCreds, useMultiFileAuthState } from '@whiskeysockets/baileys';
const dial = async (creds: any, again: () => void) => {
  const keys = { get: async () => ({}), set: async () => {} };
  const sock = makeWASocket({ auth: { creds, keys } });
  sock.ev.on('connection.update', ({ connection }: any) => {
    if (connection === 'close') setTimeout(again, 2000);
  });
  return sock;
};
"""


def lay(root: Path, files: dict[str, str], **package: object) -> Path:
    known = {"main": "src/main.ts", "dependencies": {"@whiskeysockets/baileys": "^7"}}
    files = {"package.json": json.dumps({**known, **package}), **files}
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text, "utf-8")
    return root


def look(root: Path, node_tools: Path, *, made_up: bool = True, **more: str) -> Look:
    entry, driver = more.pop("entry", "src/main.ts"), more.pop("driver", "main")
    with prepared(
        root,
        entry,
        driver=driver,  # type: ignore[arg-type]
        node_tools=node_tools,
        made_up=made_up,
        **more,  # type: ignore[arg-type]
    ) as trial:
        return trial.look()


def made_up_alone(root: Path, node_tools: Path, **more: str) -> Look:
    """The look at a bot that dials once something is made up, and not before."""
    before = look(root, node_tools, made_up=False, **more)
    assert (before.opened, before.unanswered) == (0, True)
    seen = look(root, node_tools, **more)
    assert seen.opened == 1, seen.problems
    return seen


def simulated(root: Path, node_tools: Path, ids: Sequence[str]) -> Simulation:
    [simulation] = simulate_host(
        Host(root), ids, node_tools=lambda: ("node", node_tools)
    ).simulations
    return simulation


GATEWAY = {
    "tsconfig.json": '{"compilerOptions": {"paths": {"@lines/*": ["./src/lines/*"]}}}',
    "src/main.ts": """
import express from 'express';
import { Store } from './store';
import { Lines } from '@lines/lines';
const store = new Store();
store.open().then(() => new Lines(store).load());
express().listen(3000);
""",
    "src/store.ts": """
import { PrismaClient } from '@prisma/client';
export class Store extends PrismaClient {
  opened = false;
  async open() {
    await this.$connect();
    this.opened = true;
  }
}
""",
    "src/lines/lines.ts": DIALS
    + """
export class Lines {
  constructor(private readonly store: any) {}
  async load() {
    if (!this.store.opened) throw new Error('not opened');
    const lines = await this.store.line.findMany({ where: { status: { in: ['active', 'new'] } } });
    for (const line of lines) {
      if (line.status === 'active' && line.engine === 'baileys-7') this.start(line.id);
    }
  }
  async start(id: string) {
    const where = { line_part: { line: id, part: 'creds' } };
    const known = await this.store.credential.findUnique({ where });
    const creds = known ? JSON.parse(known.value) : initAuthCreds();
    await dial(creds, () => this.start(id));
  }
}
export const Engine = { BAILEYS: 'baileys-7', CLOUD: 'cloud' };
""",
}


def test_a_gateway_whose_database_lists_its_sessions(tmp_path: Path, node_tools: Path) -> None:
    simulation = simulated(lay(tmp_path, GATEWAY), node_tools, ["healthy", "revoked", "refused"])
    assert simulation.way == "by running src/main.ts"
    assert "one row of line (@prisma/client)" in simulation.stood_in
    assert not any("credential" in one for one in simulation.stood_in)
    # Its database holds credentials that are linked: a verdict, and no pairing.
    after = attempts_of(simulation.after.outcomes)
    assert (after["healthy"], after["revoked"]) == (1, 1)
    assert attempts_of(simulation.before.outcomes)["refused"] > 1000
    assert simulation.broken == []


def attempts_of(outcomes: Sequence[Outcome]) -> dict[str, int]:
    return {one.scenario.id: one.attempts for one in outcomes}


@pytest.mark.parametrize(
    ("deletes", "kept"),
    [
        ("store.message.deleteMany({ where: { line: 'main' } })", True),
        ("redis.del('lock:line')", True),
        ("store.authPart.deleteMany({ where: { line: 'main' } })", False),
        ("redis.del('session:main:creds')", False),
        ("line.update({ session: null })", False),
    ],
)
def test_credentials_that_are_deleted_do_not_come_back(
    tmp_path: Path, node_tools: Path, deletes: str, kept: bool
) -> None:
    text = f"""
import {{ PrismaClient }} from '@prisma/client';
import Redis from 'ioredis';
const store = new PrismaClient();
const redis = new Redis();
async function start() {{
  const [line] = await store.line.findMany();
  if (!line) return;
  const creds = initAuthCreds();
  await {deletes};
  const again = initAuthCreds();
  const same = creds.registrationId === again.registrationId;
  console.log(Boolean(creds.account), Boolean(again.account), same);
  dial(creds, start);
}}
start();
"""
    root = lay(tmp_path, {"src/main.ts": DIALS + text})
    with prepared(root, "src/main.ts", driver="main", node_tools=node_tools, made_up=True) as trial:
        [outcome] = trial.run([BY_ID["healthy"]])
    said = [text for _at, level, text in outcome.log if level == "log"]
    assert said == ["true true true" if kept else "true false false"]


ORMS = {
    "sequelize": """
import { Model, Table, Column } from 'sequelize-typescript';
@Table class Line extends Model { @Column status: string; }
async function start() {
  const [first] = await Line.findAll({ where: { tenant: 3 } });
  const line = first && (await Line.findOne({ where: { id: first.id } }));
  if (!line || line.tenant || line.session) return;
  await line.update({ status: 'OPENING' });
  if (line.status === 'OPENING' && first.tenant === 3) dial(initAuthCreds(), start);
}
""",
    "mongoose": """
import mongoose from 'mongoose';
const Line = mongoose.model('Line', new mongoose.Schema({}));
const Message = mongoose.model('Message', new mongoose.Schema({}));
async function start() {
  for (const one of await Message.find({}).lean()) throw new Error('messages are none of them');
  for (const one of await Line.find({ active: true }).sort({ _id: 1 }).lean()) {
    const line = await Line.findById(one._id).lean().exec();
    if (line._id === 'main' && one.active && one.sessionId === 'main') dial(initAuthCreds(), start);
  }
}
""",
    "pg": """
import pg from 'pg';
const pool = new pg.Pool();
async function start() {
  const { rows } = await pool.query("SELECT id, phone FROM lines WHERE active");
  const { rows: tickets = [] } = await pool.query('SELECT * FROM tickets');
  if (tickets.length) return;
  for (const { phone } of rows) if (/^\\d+$/.test(phone)) dial(initAuthCreds(), start);
}
""",
}


@pytest.mark.parametrize("orm", ORMS)
def test_a_database_that_knows_one_session(tmp_path: Path, node_tools: Path, orm: str) -> None:
    root = lay(tmp_path, {"src/main.ts": f"{DIALS}{ORMS[orm]}start();"})
    seen = made_up_alone(root, node_tools)
    table = "lines" if orm == "pg" else "Line"
    rows = [one for one in seen.stood_in if one.startswith("one row")]
    assert rows == [f"one row of {table} ({'sequelize-typescript' if orm == 'sequelize' else orm})"]


def test_a_bot_that_dials_without_them_gets_no_rows(tmp_path: Path, node_tools: Path) -> None:
    main = GATEWAY["src/main.ts"].replace(".load()", ".start('one')")
    files = {
        **GATEWAY,
        "src/main.ts": f"{main}\nstore.line.findMany().then((all) => all.map(String));\n",
    }
    simulation = simulated(lay(tmp_path, files), node_tools, ["healthy"])
    assert attempts_of(simulation.after.outcomes) == {"healthy": 1}
    assert simulation.stood_in == ["@prisma/client", "express"]


@pytest.mark.parametrize("names", ["fs.readdirSync(folder)", "await opened()"])
def test_an_account_in_the_folder_where_a_bot_looks_for_them(
    tmp_path: Path, node_tools: Path, names: str
) -> None:
    text = """
import fs from 'fs';
const folder = 'data/sessions';
const opened = async () => {
  const found = [];
  const first = await fs.promises.opendir(folder);
  for await (const one of first) if (one.isDirectory()) found.push(one.name);
  for await (const one of fs.opendirSync(folder)) found.push(one.name);
  return found.slice(1);
};
const load = async () => {
  fs.mkdirSync(folder, { recursive: true });
  for (const name of NAMES) {
    const { state } = await useMultiFileAuthState(`${folder}/${name}`);
    if (state.creds.account) dial(state.creds, () => {});
  }
};
load();
setInterval(() => {}, 1000);
""".replace("NAMES", names)
    seen = made_up_alone(lay(tmp_path, {"src/main.ts": DIALS + text}), node_tools)
    assert "data/sessions/main" in seen.folders


@pytest.mark.parametrize(
    ("asks", "typed"),
    [
        ("readline.createInterface({}).question('By (pairing/qr)? ', check);", "pairing"),
        ("console.log('(1, 2)'); readline.createInterface({}).question('', check);", "1"),
        ("terminal.createInterface({}).question('Your phone number: ').then(check);", NUMBER),
        (
            "inquirer.prompt([{ name: 'way', choices: [{ value: 'qr' }] }])"
            ".then((all) => check(all.way));",
            "qr",
        ),
    ],
)
def test_what_a_bot_asks_at_its_terminal_is_answered(
    tmp_path: Path, node_tools: Path, asks: str, typed: str
) -> None:
    text = f"""{DIALS}
import readline from 'readline';
import terminal from 'readline/promises';
import inquirer from 'inquirer';
const check = (way) => way === '{typed}' && dial(initAuthCreds(), () => {{}});
{asks}
"""
    seen = made_up_alone(lay(tmp_path, {"src/main.ts": text}), node_tools)
    assert f'"{typed}" typed at the terminal' in seen.stood_in


@pytest.mark.parametrize("blank", ["''", "'628xx'", "`+1xxx`"])
def test_a_number_that_is_left_blank_in_a_file_of_settings(
    tmp_path: Path, node_tools: Path, blank: str
) -> None:
    files = {
        "src/config.ts": f"export const ownerName = '';\nexport const botNumber = {blank};\n",
        "src/main.ts": f"{DIALS}\nimport {{ botNumber, ownerName }} from './config';\n"
        "if (/^\\d{8,}$/.test(botNumber) && !ownerName) dial(initAuthCreds(), () => {});\n",
    }
    seen = made_up_alone(lay(tmp_path, files), node_tools)
    assert "botNumber=15550001111" in seen.stood_in


def test_what_its_main_may_switch_on_is_off(tmp_path: Path, node_tools: Path) -> None:
    text = """
export class Line {
  constructor(private readonly config: any) {}
  async connect() {
    if (this.config.get('REMOTE').ENABLED) return;
    await dial(initAuthCreds(), () => this.connect());
  }
}
"""
    root = lay(tmp_path, {"src/line.ts": DIALS + text})
    own = {"entry": "src/line.ts", "driver": "class", "class_name": "Line", "start": "connect"}
    assert "ENABLED=false" in made_up_alone(root, node_tools, **own).stood_in


def test_a_store_of_its_own_has_nothing_stored_yet(tmp_path: Path, node_tools: Path) -> None:
    files = {
        "src/redis.ts": "import Redis from 'ioredis';\nexport default new Redis();\n",
        "src/line.ts": f"""{DIALS}
import redis from './redis';
export class Line {{
  async connect() {{
    const creds = (await redis.hGet('line', 'creds')) ?? initAuthCreds();
    if (typeof creds.registrationId !== 'number') throw new Error('no credentials');
    await dial(creds, () => this.connect());
  }}
}}
""",
    }
    own = {"entry": "src/line.ts", "driver": "class", "class_name": "Line", "start": "connect"}
    seen = look(lay(tmp_path, files), node_tools, made_up=False, **own)
    assert (seen.opened, seen.problems) == (1, ())
    assert "./redis" in seen.stood_in


def test_options_that_have_a_default_are_not_given(tmp_path: Path, node_tools: Path) -> None:
    text = """
export async function createLine(options: any) {
  const { lineId, stream = false, res } = options;
  const mode = options.mode ?? 'plain';
  if (lineId !== 'main' || stream || mode !== 'plain' || !res) throw new Error('refused');
  await dial(initAuthCreds(), () => createLine(options));
}
"""
    root = lay(tmp_path, {"src/line.ts": DIALS + text})
    seen = look(
        root, node_tools, made_up=False, entry="src/line.ts", driver="module", start="createLine"
    )
    assert (seen.opened, seen.problems) == (1, ())


@pytest.mark.parametrize(
    "schema",
    [
        "import { z } from 'zod';\nconst read = z.object({ TRIES: z.coerce.number().default(5),"
        " QUIET: z.boolean().optional() }).superRefine(() => {}).safeParse(process.env).data;",
        "import * as yup from 'yup';\nconst read = yup.object({ TRIES: yup.number().default(5) })"
        ".validateSync(process.env);",
        "import Joi from 'joi';\nconst { value: read } ="
        " Joi.object({ TRIES: Joi.number().default(5) }).validate({ TRIES: undefined });",
        "import { cleanEnv, num } from 'envalid';\nconst read = cleanEnv(process.env,"
        " { TRIES: num({ default: 5 }) });",
    ],
)
def test_settings_that_a_validator_reads_are_what_they_are(
    tmp_path: Path, node_tools: Path, schema: str
) -> None:
    text = f"{DIALS}\n{schema}\nif (read.TRIES + 1 === 6 && !read.QUIET) dial(initAuthCreds());"
    assert look(lay(tmp_path, {"src/main.ts": text}), node_tools, made_up=False).opened == 1


def test_a_class_that_extends_a_stand_in_has_its_own_methods(
    tmp_path: Path, node_tools: Path
) -> None:
    text = """
import Client from 'some-client';
import { EventEmitter2 } from 'eventemitter2';
class Line extends Client {
  #ready = false;
  tries = 3;
  constructor() { super({ a: 1 }); this.#ready = true; }
  set state(value: string) { this.told = value; }
  async begin() {
    super.begin();
    this.state = 'begun';
    await this.prepare().deeply();
    if (this.#ready && this.tries === 3 && this.told === 'begun') dial(initAuthCreds(), () => {});
  }
}
class Bus extends EventEmitter2 {}
const bus = new Bus();
bus.on('start', () => new Line().begin());
bus.emit('start');
"""
    seen = look(lay(tmp_path, {"src/main.ts": DIALS + text}), node_tools, made_up=False)
    assert (seen.opened, seen.problems) == (1, ())


def test_a_copy_of_what_holds_a_stand_in(tmp_path: Path, node_tools: Path) -> None:
    text = """
import sharp from 'sharp';
const copy = structuredClone({ one: { two: [sharp, new Date(0)] } });
let refused = '';
try { structuredClone({ run() {} }); } catch (error) { refused = error.name; }
if (copy.one.two[0] === sharp && copy.one.two[1].getTime() === 0 && refused === 'DataCloneError') {
  dial(initAuthCreds(), () => {});
}
"""
    seen = look(lay(tmp_path, {"src/main.ts": DIALS + text}), node_tools, made_up=False)
    assert (seen.opened, seen.problems) == (1, ())


def test_what_is_written_outside_of_its_folder_is_read_there(
    tmp_path: Path, node_tools: Path
) -> None:
    text = """
import fs from 'fs';
const folder = '/tmp/a-bot-of-skillgen/logs';
fs.mkdirSync(folder, { recursive: true });
fs.writeFileSync(`${folder}/one`, 'first');
if (fs.readFileSync(`${folder}/one`, 'utf8') === 'first') dial(initAuthCreds(), () => {});
"""
    seen = look(lay(tmp_path, {"src/main.ts": DIALS + text}), node_tools, made_up=False)
    assert (seen.opened, seen.problems) == (1, ())
    assert "/tmp/a-bot-of-skillgen" in seen.stood_in
    assert not Path("/tmp/a-bot-of-skillgen").exists()


def test_the_agent_of_a_proxy_that_is_stood_in_for_lets_the_dial_through(
    tmp_path: Path, node_tools: Path
) -> None:
    text = """
import makeWASocket, { initAuthCreds } from '@whiskeysockets/baileys';
import { HttpsProxyAgent } from 'https-proxy-agent';
const agent = new HttpsProxyAgent('http://127.0.0.1:9');
makeWASocket({ auth: { creds: initAuthCreds(), keys: {} }, agent });
"""
    assert look(lay(tmp_path, {"src/main.ts": text}), node_tools, made_up=False).opened == 1
