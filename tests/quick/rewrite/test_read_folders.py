"""Folders that a host imports as a whole, or lists as accounts: nothing of ours is put there."""

from __future__ import annotations

from itertools import islice
from pathlib import Path

import pytest

from modify.baileys.codemod import examine
from modify.baileys.search.folders import folders
from modify.kit.typescript.source import Source, arguments_of, calls
from skill.host import Host
from skill.options import Options
from tests.quick.rewrite.harness import IMPORTS, held_text, host_text, patched

BOT = host_text("      connect();")
LOADERS = {
    "joined": "fs.readdirSync(path.join(__dirname, 'plugins'))",
    "from the working directory": "fs.readdirSync('./plugins')",
    "a constant": "fs.readdirSync(FOLDER)",
    "a promise": "await fs.promises.readdir(path.join(process.cwd(), 'plugins'))",
    "a URL": "await readdir(new URL('./plugins', import.meta.url))",
    "put together": "fs.readdirSync(__dirname + '/plugins')",
    "a template": "fs.readdirSync(`${__dirname}/plugins`)",
    "a pattern": "await glob('plugins/**/*.js')",
    "a pattern of another library": "await fg(['./plugins/*.js'])",
    "an argument": "filesIn(path.resolve('plugins'))",
}
LOADER = """\
import fs from 'fs';
import path from 'path';
const FOLDER = path.join(process.cwd(), 'plugins');
const filesIn = (folder) => fs.readdirSync(folder);

export async function load() {
  const files = %s;
  for (const file of files) await import(path.resolve('plugins', file));
}
"""


def additions(root: Path, files: dict[str, str]) -> set[str]:
    for path, text in files.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(text, encoding="utf-8")
    return set(examine(Host(root), Options()).additions)


PACKAGE = '{ "type": "module", "devDependencies": { "vitest": "1" } }'


@pytest.mark.parametrize("reads", LOADERS.values(), ids=LOADERS)
def test_a_folder_that_is_imported_gets_no_module(tmp_path: Path, reads: str) -> None:
    files = {"plugins/bot.js": BOT, "load.js": LOADER % reads}
    made = patched(tmp_path / "patched", files).files["plugins/bot.js"]
    assert "import { Reconnect } from '../whatsapp-reconnect.js';" in made
    added = additions(tmp_path / "host", {"package.json": PACKAGE, **files})
    assert added == {"whatsapp-reconnect.js", "whatsapp-reconnect.test.js"}


def test_a_name_that_is_set_again_and_again(tmp_path: Path) -> None:
    """Each of its values names it once more: twelve to the sixth, all but the first unread."""
    again = "".join(f"at = at + parts[{n}];\n" for n in range(12))
    text = f"let at = './plugins';\n{again}fs.readdirSync(at);\n"
    (tmp_path / "load.js").write_text(text, "utf-8")
    host = Host(tmp_path)
    source = Source.read(host, "load.js")
    [read] = [call for call in calls(source.root) if "readdirSync" in call.text()]
    found = list(islice(folders(host, source, arguments_of(read)[0]), 10_000))
    assert ("plugins",) in found and len(found) < 200


def test_a_folder_below_it(tmp_path: Path) -> None:
    loader = LOADER % "fs.readdirSync('src/commands', { recursive: true })"
    files = {"package.json": PACKAGE, "src/commands/wa/bot.js": BOT, "src/load.js": loader}
    assert additions(tmp_path, files) == {
        "src/whatsapp-reconnect.js",
        "src/whatsapp-reconnect.test.js",
    }


def test_the_root_itself(tmp_path: Path) -> None:
    loader = "for (const file of fs.readdirSync(process.cwd())) await import(file);"
    files = {"package.json": PACKAGE, "bot.js": BOT, "load.js": loader}
    made = patched(tmp_path / "patched", files).files["bot.js"]
    assert "import { Reconnect } from './lib/whatsapp-reconnect.js';" in made
    added = additions(tmp_path / "host", files)
    assert added == {"lib/whatsapp-reconnect.js", "lib/whatsapp-reconnect.test.js"}


@pytest.mark.parametrize(
    ("package", "kind"), [("require-directory", "requireDirectory"), ("require-all", "requireAll")]
)
def test_commonjs(tmp_path: Path, package: str, kind: str) -> None:
    bot = BOT.replace(
        IMPORTS,
        "const { default: makeWASocket, useMultiFileAuthState } = require('baileys');\n",
    )
    loader = f"const {kind} = require('{package}');\n{kind}(__dirname + '/plugins');\n"
    files = {"package.json": "{}", "plugins/bot.js": bot, "index.js": loader}
    made = patched(tmp_path, files).files["plugins/bot.js"]
    assert "const { Reconnect } = require('../whatsapp-reconnect" in made


@pytest.mark.parametrize(
    "reads",
    [
        "fs.readdirSync('./media')",
        "fs.readdirSync(path.join(__dirname, 'other', 'plugins'))",
        "fs.readdirSync(unknown())",
    ],
)
def test_other_folders_change_nothing(tmp_path: Path, reads: str) -> None:
    made = patched(tmp_path, {"plugins/bot.js": BOT, "load.js": LOADER % reads})
    assert "from './whatsapp-reconnect.js';" in made.files["plugins/bot.js"]


@pytest.mark.parametrize("folder", ["addons", "src/addons", "plugins"])
def test_a_held_dial_in_a_folder_that_is_imported(tmp_path: Path, folder: str) -> None:
    text = f"{IMPORTS}export const start = (auth) => keep(makeWASocket({{ auth }}));\n"
    loader = LOADER.replace("plugins", folder) % f"fs.readdirSync('./{folder}')"
    made = patched(tmp_path / "patched", {f"{folder}/bot.js": text, "load.js": loader})
    held = held_text(text).replace("'./whatsapp", "'../whatsapp")
    assert made.files[f"{folder}/bot.js"] == held
    added = additions(
        tmp_path / "host", {"package.json": PACKAGE, f"{folder}/bot.js": text, "load.js": loader}
    )
    module = f"{folder.rpartition('/')[0]}/whatsapp-reconnect.js".lstrip("/")
    assert added == {module, module.replace(".js", ".test.js")}


ACCOUNTS = f"""\
{IMPORTS}import path from 'path';
import {{ sessionsPath }} from './constants.js';

export class Account {{
  async create(owner, name) {{
    this.folder = FOLDER;
    const {{ state }} = await useMultiFileAuthState(this.folder);
    this.sock = makeWASocket({{ auth: state }});
    this.sock.ev.on('messages.upsert', () => undefined);
    this.sock.ev.on('connection.update', ({{ connection }}) => {{
      if (connection === 'close') this.create(owner, name);
    }});
  }}
}}
"""
CONSTANTS = """\
import path from 'path';
import config from './config.js';
export const sessionsPath = path.join(__dirname, config.sessions);
"""
START = """\
import fs from 'fs';
import path from 'path';
import { sessionsPath } from './constants.js';

for (const owner of fs.readdirSync(sessionsPath)) {
  const ownerPath = path.join(sessionsPath, owner);
  for (const name of LISTED) await new Account().create(owner, name);
}
"""
TWO, ONE = "path.join(sessionsPath, owner, name)", "path.join(sessionsPath, name)"
FOLDERS_ONLY = (
    "fs.readdirSync(ownerPath, { withFileTypes: true }).filter((each) => each.isDirectory())"
)


@pytest.mark.parametrize(
    ("folder", "listed", "barred"),
    [
        (TWO, "fs.readdirSync(ownerPath)", True),
        (ONE, "[]", True),
        (TWO, "[]", False),
        (TWO, FOLDERS_ONLY, False),
    ],
    ids=["of an owner", "of all", "not listed", "folders alone"],
)
def test_the_memory_is_no_account(tmp_path: Path, folder: str, listed: str, barred: bool) -> None:
    """A file beside the credentials is one more account to a host that lists what lies there."""
    account = ACCOUNTS.replace("FOLDER", folder)
    files = {
        "account.js": account,
        "constants.js": CONSTANTS,
        "start.js": START.replace("LISTED", listed),
    }
    made = patched(tmp_path, files)
    reasons = [each for each in made.held if "is taken for an account (start.js:" in each]
    assert bool(reasons) == barred
    assert made.left == ()
    assert (made.files["account.js"] == held_text(account)) == barred
