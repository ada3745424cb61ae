"""The guard as a file that Node loads: it never ends a bot, and says what it cannot do."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from skill.guard.render import guard_identity, render_guard

CODE = "console.log('the bot runs')"
RUNS = "the bot runs\n"
MARK = "/* --- The guard --- "


def run(node: str, options: str, code: str = CODE, **environment: str) -> tuple[int, str, str]:
    done = subprocess.run(
        [node, "-e", code],
        env={"NODE_OPTIONS": options, **environment},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    return done.returncode, done.stdout, done.stderr


@pytest.fixture
def node() -> str:
    found = shutil.which("node")
    assert found, "Node is needed"
    return found


@pytest.fixture
def guard(tmp_path: Path) -> Path:
    path = tmp_path / "guard.cjs"
    path.write_bytes(render_guard())
    return path


def test_a_bot_that_does_not_dial_sees_nothing(node: str, guard: Path) -> None:
    code = f"{CODE}; require('https'); import('http')"
    assert run(node, f"--require={guard}", code) == (0, RUNS, "")


def test_the_file_knows_its_version_and_whether_it_was_edited() -> None:
    content = render_guard("1.2.3")
    assert guard_identity(content) == ("1.2.3", True)
    assert guard_identity(content + b"//") == ("1.2.3", False)
    assert guard_identity(b"module.exports = 1;\n") is None


def test_what_is_behind_the_comment_is_whole(guard: Path) -> None:
    """Its code holds no text that would end the comment too early, or be lost on the way."""
    loader, _, payload = guard.read_text().partition(f"\n{MARK}")
    assert payload.endswith("*/\n") and payload.count("*/") == 1
    assert "`" not in loader and "=>" not in loader and "const " not in loader


@pytest.mark.parametrize("version", ["0.10.48", "8.17.0", "14.21.3", "15.14.0"])
def test_an_old_node_runs_the_bot_and_says_that_it_is_not_guarded(
    node: str, guard: Path, tmp_path: Path, version: str
) -> None:
    old = tmp_path / "old.cjs"
    change = "const versions = { ...process.versions, node: '%s' };"
    change += "Object.defineProperty(process, 'versions', { value: versions });"
    old.write_text(change % version)
    code, out, err = run(node, f"--require={old} --require={guard}")
    assert (code, out) == (0, RUNS)
    assert err.startswith(f"WhatsApp: not guarded (Node {version}, {guard})")
    assert err.count("\n") == 1


@pytest.mark.parametrize("damage", ["broken", "throws"])
def test_a_damaged_guard_lets_the_bot_run(node: str, guard: Path, damage: str) -> None:
    loader, _, payload = guard.read_text().rpartition(MARK)
    more = "class {{{{" if damage == "broken" else "throw new Error('of the guard');"
    guard.write_text(f"{loader}{MARK}\n{more}\n{payload}")
    code, out, err = run(node, f"--require={guard}")
    assert (code, out) == (0, RUNS)
    assert "not guarded" in err


def test_a_missing_guard_ends_node_before_the_bot(node: str, tmp_path: Path) -> None:
    """Why ``--remove`` leaves the file, and why it is put in place before any unit."""
    code, out, _ = run(node, f"--require={tmp_path / 'gone.cjs'}")
    assert (code, out) == (1, "")


def test_every_hook_fails_on_its_own(node: str, guard: Path, tmp_path: Path) -> None:
    first = tmp_path / "first.cjs"
    first.write_text(
        "const Module = require('module');"
        "Module.register = Module.registerHooks = () => { throw new Error('no hooks here'); };"
    )
    options = f"--require={first} --require={guard}"
    code, out, err = run(node, options, SKILLGEN_GUARD_REPORT="1")
    said, line = out.splitlines()
    assert (code, line) == (0, "the bot runs")
    assert set(json.loads(said)["hooks"]) == {"require", "dial"}
    assert "no hooks here" in err


def test_it_loads_once_however_often_it_is_named(node: str, guard: Path, tmp_path: Path) -> None:
    other = tmp_path / "other.cjs"
    shutil.copy(guard, other)
    options = f"--require={guard} --require={other}"
    _, out, _ = run(node, options, SKILLGEN_GUARD_REPORT="1")
    assert len(out.splitlines()) == 2


def test_a_package_manager_is_left_alone(node: str, guard: Path, tmp_path: Path) -> None:
    script = tmp_path / "npm-cli.js"
    script.write_text(CODE)
    done = subprocess.run(
        [node, script],
        env={"NODE_OPTIONS": f"--require={guard}", "SKILLGEN_GUARD_REPORT": "1"},
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert done.stdout == RUNS


OLD = """\
"use strict";
Object.defineProperty(exports, "__esModule", { value: true });
exports.initAuthCreds = exports.DisconnectReason = void 0;
exports.DisconnectReason = { loggedOut: 401 };
exports.initAuthCreds = () => ({});
exports.useMultiFileAuthState = async () => ({ state: {} });
// export the maker, and import nothing
const make = function (config) { return { made: config }; };
exports.default = make;
"""
IMPORT = """\
import * as all from 'PACKAGE';
import util from 'node:util';
const { default: exported } = all;
console.log(util.types.isProxy(exported.default), exported.default({ a: 1 }).made.a);
"""


@pytest.mark.parametrize("package", ["@adiwajshing/baileys", "some-baileys-fork"])
def test_an_old_baileys_with_only_a_default_is_wrapped(
    node: str, guard: Path, tmp_path: Path, package: str
) -> None:
    """CommonJS without a type in package.json, imported by an ES module."""
    folder = tmp_path / "node_modules" / package
    folder.mkdir(parents=True)
    (folder / "package.json").write_text(json.dumps({"name": package, "main": "index.js"}))
    (folder / "index.js").write_text(OLD)
    bot = tmp_path / "bot.mjs"
    bot.write_text(IMPORT.replace("PACKAGE", package))
    done = subprocess.run(
        [node, bot],
        env={"NODE_OPTIONS": f"--require={guard}"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.stdout, done.stderr) == ("true 1\n", "")


def test_a_package_that_only_uses_baileys_is_left_alone(
    node: str, guard: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "node_modules" / "wa-tools"
    folder.mkdir(parents=True)
    package = {"name": "wa-tools", "type": "module", "main": "index.js"}
    package["dependencies"] = {"@whiskeysockets/baileys": "*"}  # type: ignore[assignment]
    (folder / "package.json").write_text(json.dumps(package))
    (folder / "index.js").write_text(
        "// calls makeWASocket\nexport default class Tools {}\nexport const a = 1;\n"
    )
    bot = tmp_path / "bot.mjs"
    bot.write_text(
        "import Tools, * as all from 'wa-tools';"
        "import util from 'node:util';"
        "console.log(util.types.isProxy(Tools), Object.keys(all).join(), new Tools() !== 1);"
    )
    done = subprocess.run(
        [node, bot],
        env={"NODE_OPTIONS": f"--require={guard}"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.stdout == "false a,default true\n", done.stderr


def run_in(folder: Path, guard: Path, *options: str, **files: str) -> tuple[str, str]:
    """Write the files of a bot, start its ``bot_mjs``, and return what it printed."""
    for name, text in files.items():
        (folder / name.replace("_", ".")).write_text(text)
    done = subprocess.run(
        ["node", *options, folder / "bot.mjs"],
        env={"NODE_OPTIONS": f"--require={guard}", "PATH": os.environ["PATH"]},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    return done.stdout, done.stderr


def test_what_was_required_first_is_wrapped_for_an_import_as_well(
    guard: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "node_modules" / "old-baileys"
    folder.mkdir(parents=True)
    (folder / "package.json").write_text('{"name": "old-baileys", "main": "index.js"}')
    (folder / "index.js").write_text(OLD)
    bot = """
    import { createRequire } from 'node:module';
    import { types } from 'node:util';
    const required = createRequire(import.meta.url)('old-baileys');
    const { default: imported } = await import('old-baileys');
    console.log(types.isProxy(required.default), types.isProxy(imported.default));
    """
    assert run_in(tmp_path, guard, bot_mjs=bot) == ("true true\n", "")


def test_an_instance_that_a_package_exports_keeps_its_privacy(guard: Path, tmp_path: Path) -> None:
    folder = tmp_path / "node_modules" / "baileys-tools"
    folder.mkdir(parents=True)
    package = {"name": "baileys-tools", "type": "module", "main": "index.js"}
    (folder / "package.json").write_text(json.dumps(package))
    (folder / "index.js").write_text(
        "// calls makeWASocket\n"
        "class Tools { #name = 'tools'; name() { return this.#name; } }\n"
        "export default new Tools();\n"
    )
    bot = "import tools from 'baileys-tools'; console.log(tools.name());"
    assert run_in(tmp_path, guard, bot_mjs=bot) == ("tools\n", "")


def test_a_file_that_only_has_the_name_of_an_added_module_is_left_alone(
    guard: Path, tmp_path: Path
) -> None:
    own = "export default class Reconnect { turn() { return 'its own'; } }"
    bot = """
    import Reconnect from './whatsapp-reconnect.mjs';
    console.log(new Reconnect().turn());
    """
    (tmp_path / "whatsapp-reconnect.mjs").write_text(own)
    assert run_in(tmp_path, guard, bot_mjs=bot) == ("its own\n", "")


@pytest.mark.parametrize("loader", [False, True], ids=["none", "own"])
def test_a_thread_of_hooks_is_there_only_for_a_bot_with_a_loader(
    guard: Path, tmp_path: Path, loader: bool
) -> None:
    """It takes Node longer to start one than all else of the guard."""
    counting = tmp_path / "counting.cjs"
    counting.write_text(
        "const Module = require('module');"
        "const { register } = Module;"
        "let calls = 0;"
        "Module.register = (...all) => { calls += 1; return register(...all); };"
        "process.on('exit', () => console.log(calls, Boolean(Module.registerHooks)));"
    )
    bot = "import { register } from 'node:module';"
    if loader:
        bot += "register('data:text/javascript,');"
    both = tmp_path / "both.cjs"
    both.write_text(f"require({json.dumps(str(counting))}); require({json.dumps(str(guard))});")
    out, err = run_in(tmp_path, both, bot_mjs=bot)
    calls, has_hooks = out.split()
    wanted = 0 if not loader else 1 if has_hooks == "true" else 2
    assert (int(calls), err) == (wanted, "")
