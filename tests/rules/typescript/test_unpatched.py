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
from tests.rules.typescript.cases import channel

BAILEYS = "@whiskeysockets/baileys"
IMPORT = f"import makeWASocket from '{BAILEYS}';\n"
CLOSE = "({ connection }) => { if (connection === 'close') start(); }"
FLAT = "    if (connection === 'close') connect();"


def package(**fields: object) -> str:
    return json.dumps({"main": "bot.js", "dependencies": {BAILEYS: "^7"}, **fields}, indent=2)


def write(root: Path, files: Mapping[str, str | bytes]) -> Path:
    for path, content in {"package.json": package(), **files}.items():
        target = root / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content.encode() if isinstance(content, str) else content)
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
    "a table of events": (
        {"core.js": TABLE, "events/connection.js": EVENT},
        "core.js:5",
        "come from a table (line 6); connection updates are handled in events/connection.js",
    ),
    "a wrapper around ev.on": ({"bot.js": WRAPPED}, "bot.js:3", "placed by listen() (line 5)"),
    "an event in backticks": (
        {"plugins/more.js": BACKTICKS, "plugins/simple.js": "export * from 'baileys';\n"},
        "plugins/more.js:7",
        "no function around the listener",
    ),
    "a function that hands it out": (
        {"bot.js": "import { makeWASocket2 } from './simple.js';\nmakeWASocket2({});\n"}
        | {"simple.js": SIMPLE},
        "bot.js:2",
        "no listener",
    ),
    "a method that hands it out": ({"bot.js": USER, "line.js": METHOD}, "bot.js:3", "no listener"),
    "a method that nobody is seen to call": ({"line.js": METHOD}, "line.js:4", "no listener"),
    "at the top, its events taken apart": ({"bot.js": TOP}, "bot.js:2", "no function around"),
}


@pytest.mark.parametrize("name", SHAPES)
def test_a_file_that_dials(tmp_path: Path, name: str) -> None:
    files, place, reason = SHAPES[name]
    finding = only(write(tmp_path, files))
    assert f"{finding.path}:{finding.line}" == place
    assert reason in finding.reason
    if "backticks" not in name:
        assert finding.message.startswith("this file dials WhatsApp (")


@pytest.mark.parametrize(
    "code",
    [
        f"import connect from '{BAILEYS}';\nconnect({{}});\n",
        f"import * as wa from '{BAILEYS}';\nwa.default({{}});\n",
        f"import {{ default as connect }} from '{BAILEYS}';\nconnect({{}});\n",
        f"const {{ default: connect }} = require('{BAILEYS}');\nconnect({{}});\n",
        f"const {{ default: connect }} = (await import('{BAILEYS}')).default;\nconnect({{}});\n",
        f"const connect = require('{BAILEYS}').default;\nconnect({{}});\n",
        f"const baileys_1 = require('{BAILEYS}');\n(0, baileys_1.default)({{}});\n",
        f"const lib = require('{BAILEYS}');\n(old ? lib.makeWALegacySocket : lib.default)({{}});\n",
        "import connect from 'whaileys';\nconnect({});\n",
        "import connect from 'npm:@some/baileys@7.0.0';\nconnect({});\n",
        "import connect from 'https://esm.sh/baileys@7';\nconnect({});\n",
        "import connect from 'wa-lines';\nconnect({});\n",
        "import connect from 'lines2';\nconnect({});\n",
        "import { makeWASocket as connect } from '@some/fork';\nconnect({});\n",
        "const sock =\n  global.makeWASocket({});\n",
    ],
)
def test_by_any_name(tmp_path: Path, code: str) -> None:
    names = {BAILEYS: "^7", "wa-lines": f"npm:{BAILEYS}@7", "lines2": "github:some/Baileys#main"}
    finding = only(write(tmp_path, {"package.json": package(dependencies=names), "bot.js": code}))
    assert (finding.path, finding.line) == ("bot.js", 2)


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
    assert finding.message.startswith("lines dials WhatsApp (imported at line 1)")


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
        "bot.js hands makeWASocket on",
    ),
    "too large": (
        {"bot.js": (IMPORT + "makeWASocket({});\n").ljust(LARGEST_SOURCE + 1, " ")},
        "bot.js is larger than a source that is read",
    ),
}


@pytest.mark.parametrize("name", HIDDEN)
def test_a_dial_that_cannot_be_seen(tmp_path: Path, name: str) -> None:
    files, reason = HIDDEN[name]
    finding = only(write(tmp_path, files))
    assert (finding.path, finding.line) == ("package.json", 4)
    assert "no source here visibly dials" in finding.message
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
    assert only(write(tmp_path, files)).path == "examples/line.js"


def test_a_script_that_the_bot_imports_is_the_bot(tmp_path: Path) -> None:
    files = {"bot.js": "import './scripts/pair.js';\n", "scripts/pair.js": ONE_SHOT}
    assert only(write(tmp_path, files)).path == "scripts/pair.js"


def test_a_second_dial_beside_a_patched_channel(tmp_path: Path) -> None:
    again = "export function second() {\n  keep(makeWASocket({}));\n}\n"
    root = write(tmp_path, {"bot.js": channel(FLAT) + again})
    assert only(root).message.startswith("this file dials WhatsApp (makeWASocket at line")


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
    plan = make_plan(Host(write(tmp_path, {"line.js": APART, "bot.js": user})), Options())
    assert plan.changes, "the channel is held"
    assert not any("this file dials" in finding.message for finding in plan.findings)


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
    assert found(write(tmp_path, files)) == []


def test_a_patched_host_is_settled(tmp_path: Path) -> None:
    root = write(tmp_path, {"bot.js": channel(FLAT), "package.json": package(type="module")})
    assert cli.run(["apply", "-q", str(root)]) == 0
    assert cli.run(["check", "-q", str(root)]) == 0
