"""Nothing is silent about a bot that dials: what is not patched is a finding."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import pytest

from skill import cli
from skill.finding import Finding
from skill.host import LARGEST_SOURCE, Host
from skill.options import Options
from skill.plan import make_plan
from tests import harness
from tests.quick.rules.typescript.cases import channel

BAILEYS = "@whiskeysockets/baileys"
IMPORT = f"import makeWASocket from '{BAILEYS}';\n"
CLOSE = "({ connection }) => { if (connection === 'close') start(); }"
FLAT = "    if (connection === 'close') connect();"


def package(**fields: object) -> str:
    return json.dumps({"main": "bot.js", "dependencies": {BAILEYS: "^7"}, **fields}, indent=2)


def write(root: Path, files: Mapping[str, str | bytes]) -> Path:
    harness.write(root, {"package.json": package(), **files})
    return root


def found(root: Path, options: Options | None = None) -> list[Finding]:
    """What no rule of a channel says."""
    plan = make_plan(Host(root), options or Options())
    return [f for f in plan.findings if f.rule == "ungated-connect" and f.is_hand_off]


def only(root: Path) -> Finding:
    findings = found(root)
    assert len(findings) == 1, findings
    assert cli.run(["inspect", "-q", str(root)]) == 1
    assert cli.run(["check", "-q", str(root)]) == 1
    assert cli.run(["apply", "-q", "--dry-run", str(root)]) == 1
    return findings[0]


TABLE = f"""{IMPORT}
export class Client {{
  async open() {{
    this.session = makeWASocket({{}});
    for (const each of await load('events')) this.session.ev.on(each.event, each.run);
  }}
}}
"""
EVENT = (
    "export default { event: 'connection.update', run: ({ connection }, client) => {\n"
    "  if (connection === 'close') client.open();\n} };\n"
)
WRAPPED = f"""{IMPORT}
global.conn = makeWASocket({{}});
const listen = (name, run) => conn.ev.on(name, run);
listen('connection.update', {CLOSE});
"""
BACKTICKS = """import { makeWASocket } from './simple.js';
export async function start() {
  let conn = makeWASocket({});
  const again = (fresh) => {
    if (fresh) conn = makeWASocket({});
    conn.update = update.bind(conn);
    conn.ev.on(`connection.update`, conn.update);
  };
  async function update({ connection }) { if (connection === 'close') again(true); }
  again(false);
}
"""
SIMPLE = f"""{IMPORT}
export function makeWASocket2(options) {{ const conn = makeWASocket(options); return conn; }}
"""
METHOD = f"""{IMPORT}
export class Line {{
  createLine(options) {{ return makeWASocket(options); }}
}}
"""
USER = "import { Line } from './line.js';\nconst line = new Line();\nline.createLine({});\n"
TOP = f"""{IMPORT}const sock = makeWASocket({{}});
const {{ ev }} = sock;
ev.on('connection.update', on);
"""

SHAPES = {
    "a table of events": ({"core.js": TABLE, "events/connection.js": EVENT}, "core.js:5"),
    "a wrapper around ev.on": ({"bot.js": WRAPPED}, "bot.js:3"),
    "a function that hands it out": (
        {"bot.js": "import { makeWASocket2 } from './simple.js';\nmakeWASocket2({});\n"}
        | {"simple.js": SIMPLE},
        "simple.js:3",
    ),
    "a method that hands it out": ({"bot.js": USER, "line.js": METHOD}, "line.js:4"),
    "a method that nobody is seen to call": ({"line.js": METHOD}, "line.js:4"),
    "at the top, its events taken apart": ({"bot.js": TOP}, "bot.js:2"),
}


def held_in(root: Path) -> dict[str, str]:
    """The files of the host that change, and it is left so; nothing is left to a person."""
    made = harness.patched(root)
    plan = made.plan
    assert plan.hand_offs == made.again.findings == ()
    changed = {c.path: (c.after or b"").decode() for c in plan.changes if not c.is_addition}
    added = [change.path for change in plan.changes if change.is_addition]
    assert len(added) == 1
    harness.write(root, made.after)
    return changed


@pytest.mark.parametrize("name", SHAPES)
def test_a_file_that_dials_is_held(tmp_path: Path, name: str) -> None:
    files, place = SHAPES[name]
    path, _, line = place.partition(":")
    changed = held_in(write(tmp_path, files))
    assert list(changed) == [path]
    assert "reconnect.socket(makeWASocket, " in changed[path]
    before = files[path].splitlines()[int(line) - 1]
    after = before.replace("makeWASocket(", "reconnect.socket(makeWASocket, ")
    assert after in changed[path].splitlines()


def test_an_event_in_backticks(tmp_path: Path) -> None:
    simple = "export * from 'baileys';\n"
    files = {"plugins/more.js": BACKTICKS, "plugins/simple.js": simple}
    changed = held_in(write(tmp_path, files))
    assert changed["plugins/more.js"].count("reconnect.socket(makeWASocket, {})") == 2
    assert "import * as reconnect from '../whatsapp-reconnect.js';" in changed["plugins/more.js"]


CALLS = {
    f"import connect from '{BAILEYS}';\nconnect({{}});\n": "connect",
    f"import * as wa from '{BAILEYS}';\nwa.default({{}});\n": "wa.default",
    f"import * as wa from '{BAILEYS}';\nwa.makeWASocket({{}});\n": "wa.makeWASocket",
    f"import wa from '{BAILEYS}';\nwa.default({{}});\n": "wa.default",
    f"import {{ default as connect }} from '{BAILEYS}';\nconnect({{}});\n": "connect",
    f"const {{ default: connect }} = require('{BAILEYS}');\nconnect({{}});\n": "connect",
    f"const {{ default: go }} = (await import('{BAILEYS}')).default;\ngo({{}});\n": "go",
    f"const connect = require('{BAILEYS}').default;\nconnect({{}});\n": "connect",
    f"const b_1 = require('{BAILEYS}');\n(0, b_1.default)({{}});\n": "(0, b_1.default)",
    f"const lib = require('{BAILEYS}');\n(old ? lib.makeWALegacySocket : lib.default)({{}});\n": (
        "old ? lib.makeWALegacySocket : lib.default"
    ),
    f"(\nawait import('{BAILEYS}')).default({{}});\n": f"(\nawait import('{BAILEYS}')).default",
    f"let go;\ngo = (await import('{BAILEYS}')).default; go({{}});\n": "go",
    f"let go;\n({{ default: go }} = await import('{BAILEYS}')); go({{}});\n": "go",
    "import connect from 'whaileys';\nconnect({});\n": "connect",
    "import connect from 'npm:@some/baileys@7.0.0';\nconnect({});\n": "connect",
    "import connect from 'https://esm.sh/baileys@7';\nconnect({});\n": "connect",
    "import connect from 'wa-lines';\nconnect({});\n": "connect",
    "import connect from 'lines2';\nconnect({});\n": "connect",
    "import connect from '@some/baileys-mod';\nconnect({});\n": "connect",
    "import connect from 'gifted-baileys';\nconnect({});\n": "connect",
    "import { makeWASocket as connect } from '@some/fork';\nconnect({});\n": "connect",
    "import connect from './lib/wa.js';\nconnect({});\n": "connect",
    "import { go } from './lib/again.js';\ngo({});\n": "go",
    "import * as wa from './lib/wa.js';\nwa.makeWASocket({});\n": "wa.makeWASocket",
    "const wa = require('./lib/plain.cjs');\nwa.default({});\n": "wa.default",
    "const { connect } = require('./lib/listed.cjs');\nconnect({});\n": "connect",
    "import './lib/globals.js';\nmakeWASocket({});\n": "makeWASocket",
    "import './lib/globals.js';\nglobal.makeWASocket({});\n": "global.makeWASocket",
}
LIBRARY = {
    "lib/wa.js": f"export * from '{BAILEYS}';\nexport {{ default }} from '{BAILEYS}';\n",
    "lib/again.js": "export { default as go } from './wa.js';\n",
    "lib/plain.cjs": f"module.exports = require('{BAILEYS}');\n",
    "lib/listed.cjs": f"const wa = require('{BAILEYS}');\n"
    "module.exports = { connect: wa.default };\n",
    "lib/globals.js": f"import make from '{BAILEYS}';\nglobal.makeWASocket = make;\n",
}


@pytest.mark.parametrize("code", CALLS)
def test_by_any_name_and_from_anywhere(tmp_path: Path, code: str) -> None:
    names = {BAILEYS: "^7", "wa-lines": f"npm:{BAILEYS}@7", "lines2": "github:some/Baileys#main"}
    files = {"package.json": package(dependencies=names), "bot.js": code, **LIBRARY}
    changed = held_in(write(tmp_path, files))
    assert list(changed) == ["bot.js"]
    assert f"reconnect.socket({CALLS[code]}, {{}})" in changed["bot.js"]


def test_a_function_that_is_given_to_another(tmp_path: Path) -> None:
    files = {
        "bot.js": "import { run } from './run.js'; import make from 'baileys';\nrun(make);\n",
        "run.js": "export function run(makeWASocket) {\n  return makeWASocket({});\n}\n",
    }
    changed = held_in(write(tmp_path, files))
    assert list(changed) == ["run.js"]
    assert "return reconnect.socket(makeWASocket, {});" in changed["run.js"]


OUT_OF_REACH = {
    "a global that nothing sets": "const sock =\n  global.makeWASocket({});\n",
    "a parameter of nobody": "export const go = ({ makeWASocket }) =>\n  makeWASocket({});\n",
    "something else's method": "export const go = (wa) =>\n  wa.makeWASocket({});\n",
    "a call that may be none": f"{IMPORT}makeWASocket?.({{}});\n",
    "more than a configuration": f"{IMPORT}makeWASocket({{}}, more);\n",
    "a list for a configuration": f"{IMPORT}makeWASocket(...all);\n",
}


@pytest.mark.parametrize("name", OUT_OF_REACH)
def test_what_cannot_be_reached_names_the_guard(tmp_path: Path, name: str) -> None:
    finding = only(write(tmp_path, {"bot.js": OUT_OF_REACH[name]}))
    assert (finding.path, finding.line) == ("bot.js", 2)
    assert finding.accept.startswith("skillgen guard")


OWN = {
    "a function of the host's": (
        f"{IMPORT}export const go = () => makeSocket({{}});\n"
        "function makeSocket(options) {\n  return makeWASocket(options);\n}\n"
    ),
    "one of the same name": (
        f"import _make from '{BAILEYS}';\n"
        "export function makeWASocket(options) {\n  return _make(options);\n}\n"
        "makeWASocket({});\n"
    ),
}


@pytest.mark.parametrize("name", ["a function of the host's", "one of the same name"])
def test_a_wrapper_of_the_hosts_is_wrapped_inside_only(tmp_path: Path, name: str) -> None:
    """Two wrappers around one dial would count it twice."""
    changed = held_in(write(tmp_path, {"bot.js": OWN[name]}))
    assert changed["bot.js"].count("reconnect.socket(") == 1
    assert "  return reconnect.socket(" in changed["bot.js"]


NPM = {"node_modules/lines": {"version": "1.0.0", "dependencies": {"pino": "^9", "baileys": "^7"}}}
LOCK = {
    "package-lock.json": json.dumps({"packages": NPM}, indent=2),
    "pnpm-lock.yaml": "packages:\n\n  lines@1.0.0:\n    resolution: {}\n\nsnapshots:\n\n"
    "  lines@1.0.0(sharp@1):\n    dependencies:\n      baileys: 7.0.0\n",
    "yarn.lock": 'lines@^1.0.0:\n  version "1.0.0"\n  dependencies:\n    baileys "^7"\n',
}
USES = "import { Lines } from 'lines';\nexport const lines = new Lines();\n"


@pytest.mark.parametrize("lock", LOCK)
def test_a_package_that_dials_by_the_lock_file(tmp_path: Path, lock: str) -> None:
    files = {
        "package.json": package(dependencies={"lines": "^1"}),
        "bot.js": USES,
        lock: LOCK[lock],
    }
    finding = only(write(tmp_path, files))
    assert (finding.path, finding.line) == ("bot.js", 1)
    assert finding.message.startswith("lines connects to WhatsApp (imported at line 1)")


def test_peers_of_baileys_do_not_dial(tmp_path: Path) -> None:
    lock = LOCK["package-lock.json"].replace('"dependencies"', '"peerDependencies"')
    files = {"package.json": package(dependencies={"lines": "^1"}), "bot.js": USES}
    assert found(write(tmp_path, {**files, "package-lock.json": lock})) == []


@pytest.mark.parametrize(
    ("library", "code"),
    [
        ("wa-multi-session", "import { Whatsapp } from 'wa-multi-session';\nnew Whatsapp({});\n"),
        ("@neoxr/wb", "const { Client } = require('@neoxr/wb');\nnew Client({});\n"),
        (
            "@builderbot/provider-baileys",
            "import { BaileysProvider as B } from '@builderbot/provider-baileys';\nmake(B, {});\n",
        ),
        (
            "@bot-whatsapp/provider",
            "const Provider = require('@bot-whatsapp/provider/baileys');\nmake(Provider);\n",
        ),
        (
            "whatsapp-web.js",
            "import { Client, LocalAuth } from 'whatsapp-web.js';\nnew Client(new LocalAuth());\n",
        ),
        ("venom-bot", "const venom = require('venom-bot');\nvenom.create({});\n"),
    ],
)
def test_a_library_that_dials(tmp_path: Path, library: str, code: str) -> None:
    types = (
        f"import {{ Client, Whatsapp }} from '{library}';\nexport type Both = Client & Whatsapp;\n"
    )
    files = {"package.json": package(dependencies={library: "1"}), "wa.ts": code, "a.ts": types}
    finding = only(write(tmp_path, files))
    assert (finding.path, finding.line) == ("wa.ts", 1)
    assert library in finding.message and "is not patched" in finding.message
    assert found(tmp_path, Options(ignore=frozenset({"ungated-connect"}))) == []


def test_a_program_in_go(tmp_path: Path) -> None:
    module = "module bot\n\nrequire (\n\tgo.mau.fi/whatsmeow v0.0.1\n)\n"
    (tmp_path / "go.mod").write_text(module)
    finding = only(tmp_path)
    assert (finding.path, finding.line) == ("go.mod", 4)


ARRAY = """const _0x{0:04x}=['\\x6d\\x61\\x6b\\x65'];
(function(_0x{1:04x}){{while(!![]){{}}}}(_0x{0:04x}));
"""
HIDDEN = {
    "obfuscated": ({"lib/client.js": ARRAY.format(0x1A2B, 0x3C4D)}, "lib/client.js is obfuscated"),
    "escapes": (
        {"lib/client.js": "const a=['" + "\\x41\\x42\\x43\\x44" * 80 + "'];\n"},
        "lib/client.js is obfuscated",
    ),
    "built only": ({"dist/bot.js": IMPORT + "makeWASocket({});\n"}, "no call in a source"),
    "handed on": (
        {"bot.js": "import { makeWASocket } from 'baileys';\nrun(makeWASocket);\n"},
        "bot.js passes makeWASocket on",
    ),
    "the class of old": (
        {"bot.js": f"const {{ WAConnection }} = require('{BAILEYS}');\nnew WAConnection();\n"},
        "bot.js makes a WAConnection, of Baileys before version 4",
    ),
    "too large": (
        {"bot.js": (IMPORT + "makeWASocket({});\n").ljust(LARGEST_SOURCE + 1, " ")},
        "bot.js is too large to be read as a source",
    ),
}


@pytest.mark.parametrize("name", HIDDEN)
def test_a_dial_that_cannot_be_seen(tmp_path: Path, name: str) -> None:
    files, reason = HIDDEN[name]
    finding = only(write(tmp_path, files))
    assert (finding.path, finding.line) == ("package.json", 4)
    assert "no source here visibly connects" in finding.message
    assert reason in finding.reason


@pytest.mark.parametrize("path", ["src/whatsapp.ts", "src"])
def test_a_link_out_of_the_host(tmp_path: Path, path: str) -> None:
    outside = write(tmp_path / "shared", {"whatsapp.ts": channel(FLAT)})
    root = write(tmp_path / "bot", {"index.js": "import './src/whatsapp.js';\n"})
    (root / path).parent.mkdir(exist_ok=True)
    (root / path).symlink_to(outside / "whatsapp.ts" if "." in path else outside)
    finding = only(root)
    assert finding.path == "package.json"
    assert f"{path} leads out of the host" in finding.reason


def test_a_link_inside_the_host_is_no_second_file(tmp_path: Path) -> None:
    root = write(tmp_path, {"src/whatsapp.js": channel(FLAT)})
    (root / "latest.js").symlink_to(root / "src/whatsapp.js")
    assert found(root) == []


ONE_SHOT = (
    f"{IMPORT}const sock = makeWASocket({{}});\nsock.requestPairingCode('1');\nprocess.exit(0);\n"
)
QUIET: dict[str, dict[str, str]] = {
    "types": {
        "bot.ts": channel(FLAT),
        "send.ts": f"import type {{ WASocket }} from '{BAILEYS}';\n"
        "export const send = (sock: WASocket) => sock.sendMessage('a', {});\n",
    },
    "helpers": {
        "bot.js": channel(FLAT),
        "media.js": f"import {{ proto, downloadMediaMessage }} from '{BAILEYS}';\n"
        "export const get = (m) => downloadMediaMessage(proto.fromObject(m));\n",
    },
    "tests and mocks": {
        "bot.js": channel(FLAT),
        "bot.test.js": IMPORT + "makeWASocket({});\n",
        "test/line.js": IMPORT + "makeWASocket({});\n",
        "__mocks__/baileys.js": "export const makeWASocket = () => fake();\nmakeWASocket();\n",
    },
    "examples and pages": {
        "bot.js": channel(FLAT),
        "examples/bot.js": IMPORT + "makeWASocket({});\n",
        "docs/bot.js": IMPORT + "makeWASocket({});\n",
    },
    "installed": {
        "bot.js": channel(FLAT),
        "node_modules/x/index.js": IMPORT + "makeWASocket({});\n",
    },
    "a script that pairs and ends": {"scripts/pair.js": ONE_SHOT},
    "an unused dependency of a package in a workspace": {
        "package.json": '{"workspaces": ["packages/*"]}',
        "packages/panel/package.json": package(),
        "packages/panel/index.js": "serve();\n",
    },
    "a tool of its developers": {
        "package.json": package(dependencies={}, devDependencies={BAILEYS: "1"}),
        "index.js": "serve();\n",
    },
    "a word": {"index.js": "// Baileys: see makeWASocket\nconst library = 'baileys';\n"},
    "a Python program that speaks of a bridge": {
        "package.json": "{}",
        "bot.py": "# talks to the Baileys bridge: makeWASocket()\nprint('makeWASocket()')\n",
    },
    "a library that nothing depends on": {
        "bot.js": channel(FLAT),
        "old.js": "const { x } = require('venom-bot/helpers');\nx();\n",
    },
    "a default of something else": {"bot.js": channel(FLAT), "a.js": "lib_1.default({});\n"},
}
QUIET["a word"]["package.json"] = "{}"


@pytest.mark.parametrize("name", QUIET)
def test_what_does_not_dial(tmp_path: Path, name: str) -> None:
    assert found(write(tmp_path, QUIET[name])) == []


def test_an_example_that_is_the_program(tmp_path: Path) -> None:
    files = {
        "package.json": package(main="lib/x.js", scripts={"start": "node examples/bot.js"}),
        "examples/bot.js": "import './line.js';\n",
        "examples/line.js": IMPORT + "makeWASocket({});\n",
    }
    assert list(held_in(write(tmp_path, files))) == ["examples/line.js"]


def test_a_script_that_the_bot_imports_is_the_bot(tmp_path: Path) -> None:
    files = {"bot.js": "import './scripts/pair.js';\n", "scripts/pair.js": ONE_SHOT}
    assert list(held_in(write(tmp_path, files))) == ["scripts/pair.js"]


def test_a_second_dial_beside_a_patched_channel(tmp_path: Path) -> None:
    again = "export function second() {\n  keep(makeWASocket({}));\n}\n"
    root = write(tmp_path, {"bot.js": channel(FLAT) + again})
    changed = held_in(root)["bot.js"]
    assert "new Reconnect({" in changed
    assert "  keep(whatsappReconnect.socket(makeWASocket, {}));" in changed
    module = (root / "whatsapp-reconnect.js").read_text()
    assert "class Reconnect " in module and "function socket(" in module


APART = f"""{IMPORT}import {{ useMultiFileAuthState }} from '{BAILEYS}';
export class Line {{
  async create() {{
    const {{ state }} = await useMultiFileAuthState('auth');
    const sock = makeWASocket({{ auth: state }});
    this.listen(sock);
    return sock;
  }}
  listen(sock) {{
    sock.ev.on('connection.update', ({{ connection }}) => {{
      if (connection === 'close') this.create();
    }});
    sock.ev.on('messages.upsert', () => {{}});
  }}
  async again() {{ return this.create(); }}
}}
"""


def test_callers_of_a_channel_do_not_dial(tmp_path: Path) -> None:
    user = "import { Line } from './line.js';\nawait new Line().create();\n"
    made = harness.patched(write(tmp_path, {"line.js": APART, "bot.js": user}))
    assert [c.path for c in made.plan.changes if not c.is_addition] == ["line.js"]
    assert made.text("line.js").count("reconnect.socket(makeWASocket, { auth: state })") == 1
    assert all(finding.contained for finding in made.left)


@pytest.mark.parametrize("where", ["./lib/index.js", "@/lib/simple"])
def test_a_maker_of_the_hosts_own(tmp_path: Path, where: str) -> None:
    """The file that wraps Baileys dials where the channel calls it, and that is patched."""
    wrap = SIMPLE.replace("makeWASocket2(", "makeWASocket(").replace(
        "import makeWASocket", "import m"
    )
    files = {
        "bot.js": channel(FLAT).replace(
            "import makeWASocket, {", f"import {{ makeWASocket }} from '{where}';\nimport {{"
        ),
        "lib/simple.js": wrap.replace("conn = makeWASocket(", "conn = m("),
        "lib/index.js": "export { makeWASocket } from './simple.js';\n",
    }
    changed = held_in(write(tmp_path, files))
    assert list(changed) == ["bot.js"], "its dial is counted once"
    assert "reconnect.socket(makeWASocket, " in changed["bot.js"]


@pytest.mark.parametrize("where", ["./lib/index.js", "@/lib/simple"])
def test_a_maker_of_the_hosts_own_that_serves_another_file(tmp_path: Path, where: str) -> None:
    """Held where it makes the sockets of both; the channel is not gated a second time."""
    wrap = SIMPLE.replace("makeWASocket2(", "makeWASocket(").replace(
        "import makeWASocket", "import m"
    )
    taken = f"import {{ makeWASocket }} from '{where}';\n"
    files = {
        "bot.js": channel(FLAT).replace("import makeWASocket, {", f"{taken}import {{"),
        "more.js": f"{taken}export const more = () => keep(makeWASocket({{}}));\n",
        "lib/simple.js": wrap.replace("conn = makeWASocket(", "conn = m("),
        "lib/index.js": "export { makeWASocket } from './simple.js';\n",
    }
    changed = held_in(write(tmp_path, files))
    assert list(changed) == ["lib/simple.js"]
    assert "conn = reconnect.socket(m, options)" in changed["lib/simple.js"]


def test_a_function_that_waits_for_its_turn_is_not_held_as_well(tmp_path: Path) -> None:
    """Two gates in front of one dial would count it twice."""
    make = (
        f"{IMPORT}import {{ gate }} from './gate.js';\n"
        "export async function make(config) {\n"
        "  await gate.turn();\n  return makeWASocket(config);\n}\n"
        "export const other = () => makeWASocket({});\n"
    )
    changed = held_in(write(tmp_path, {"bot.js": make}))["bot.js"]
    assert "  return makeWASocket(config);" in changed
    assert "export const other = () => reconnect.socket(makeWASocket, {});" in changed


def test_a_patched_host_is_settled(tmp_path: Path) -> None:
    root = write(tmp_path, {"bot.js": channel(FLAT), "package.json": package(type="module")})
    assert cli.run(["apply", "-q", str(root)]) == 0
    assert cli.run(["check", "-q", str(root)]) == 0
