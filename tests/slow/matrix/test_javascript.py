"""The added module as JavaScript: the same program as its TypeScript, and made from it."""

from __future__ import annotations

import json
import os
import re
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from skill.render.style import CANONICAL, Style
from skill.render.typescript import module_identity, render_channel_module, render_channel_test

ADD = Path(__file__).resolve().parents[3] / "add" / "channel"
COMMONJS = replace(CANONICAL, modules="commonjs")
STYLES = (
    CANONICAL,
    COMMONJS,
    Style("    ", '"', semicolons=False, trailing_commas="none", arrow_parens=False),
    Style("\t", "'", width=120, trailing_commas="es5", bracket_spacing=False, modules="commonjs"),
    Style("  ", "'", semicolons=False, end_of_line="\r\n", modules="commonjs"),
)
USES = """\
import { Reconnect } from './whatsapp-reconnect.js';

const reconnect = new Reconnect({ authDir: 'auth', logger: console });

const make = (/** @type {{ auth: object }} */ config) => ({ end: () => config.auth });

/** @param {string} chat */
export async function connect(chat) {
  const sock = reconnect.watch(reconnect.socket(make, { auth: {} }));
  await reconnect.dial(() => connect(chat), { stopped: () => process.exit(0) });
  return [sock.end(), reconnect.terminal];
}
"""


def run(node_tools: Path, cwd: Path, tool: str, *words: str, given: str = "") -> str:
    command = [str(node_tools / "node_modules" / ".bin" / tool), *words]
    done = subprocess.run(
        command, cwd=cwd, input=given, capture_output=True, text=True, timeout=300, check=False
    )
    return done.stdout + done.stderr if done.returncode else done.stdout


@pytest.mark.parametrize("test", [False, True], ids=["module", "test"])
def test_is_the_same_program(test: bool, tmp_path: Path, node_tools: Path) -> None:
    """esbuild's own way of taking types out gives the same text."""
    render = render_channel_test if test else render_channel_module
    texts = []
    for ending in (".ts", ".js"):
        source = render(CANONICAL, "1", ending=ending)
        options = (f"--loader={ending[1:]}", "--target=esnext", "--minify-whitespace")
        texts.append(run(node_tools, tmp_path, "esbuild", *options, given=source))
    assert texts[0] == texts[1]
    assert len(texts[0]) > 2_000


def test_no_type_is_left_and_no_remark_lost() -> None:
    typed = render_channel_module(CANONICAL, "1")
    plain = render_channel_module(CANONICAL, "1", ".js")
    for remark in re.findall(r"^ *(// .*)$", typed, re.MULTILINE)[1:]:
        assert remark in plain
    assert not re.search(r"\b(interface|private|readonly|override) ", plain)


def test_prettier_changes_nothing(tmp_path: Path, node_tools: Path) -> None:
    for number, style in enumerate(STYLES):
        folder = tmp_path / f"style-{number}"
        folder.mkdir()
        options = {
            "singleQuote": style.quote == "'",
            "semi": style.semicolons,
            "useTabs": style.indent == "\t",
            "tabWidth": 4 if style.indent == "\t" else len(style.indent),
            "printWidth": style.width,
            "trailingComma": style.trailing_commas,
            "arrowParens": "always" if style.arrow_parens else "avoid",
            "bracketSpacing": style.bracket_spacing,
            "endOfLine": "lf" if style.end_of_line == "\n" else "crlf",
        }
        (folder / ".prettierrc.json").write_text(json.dumps(options))
        for ending in (".js", ".cjs"):
            texts = {
                f"module{ending}": render_channel_module(style, "1.2.3", ending),
                f"module{ending}.test.mjs": render_channel_test(style, "1.2.3", "m", ending),
            }
            for name, text in texts.items():
                assert module_identity(text) == ("1.2.3", True)
                (folder / name).write_bytes(text.encode())
    assert run(node_tools, tmp_path, "prettier", "--list-different", "**/*.{js,cjs,mjs}") == ""


def test_its_test_passes_in_every_module_system(tmp_path: Path, node_tools: Path) -> None:
    os.symlink(node_tools / "node_modules", tmp_path / "node_modules")
    for kind, ending, style in (
        ("module", ".js", CANONICAL),
        ("commonjs", ".js", COMMONJS),
        ("commonjs", ".mjs", CANONICAL),
        ("module", ".cjs", COMMONJS),
    ):
        folder = tmp_path / f"{kind}{ending}"
        folder.mkdir()
        (folder / "package.json").write_text(json.dumps({"type": kind}))
        name = f"whatsapp-reconnect{ending}"
        (folder / name).write_text(render_channel_module(style, "1", ending))
        (folder / "reconnect.test.mjs").write_text(render_channel_test(style, "1", ending=ending))
        load = "require" if style is COMMONJS else "await import"
        script = f"const {{ Reconnect }} = {load}('./{name}'); if (!Reconnect) throw 1"
        flag = "commonjs" if style is COMMONJS else "module"
        subprocess.run(
            ["node", f"--input-type={flag}", "-e", script], cwd=folder, check=True, timeout=30
        )
    said = run(node_tools, tmp_path, "vitest", "run", "--root", ".", "--reporter=json")
    report = json.loads(said)
    assert (report["numPassedTests"], report["numFailedTests"]) == (20, 0)


def test_a_host_that_checks_its_javascript_accepts_the_module(
    tmp_path: Path, node_tools: Path
) -> None:
    os.symlink(node_tools / "node_modules", tmp_path / "node_modules")
    (tmp_path / "package.json").write_text('{ "type": "module" }')
    (tmp_path / "whatsapp-reconnect.js").write_text(render_channel_module(CANONICAL, "1", ".js"))
    test = render_channel_test(CANONICAL, "1", ending=".js")
    (tmp_path / "whatsapp-reconnect.test.js").write_text(test)
    words = "--noEmit --allowJs --checkJs --strict --target es2022 --module nodenext --types node"
    check = (*words.split(), "--skipLibCheck", "uses.js", "whatsapp-reconnect.test.js")
    (tmp_path / "uses.js").write_text(USES)
    assert run(node_tools, tmp_path, "tsc", *check) == ""


def test_the_javascript_is_made_from_the_typescript_beside_it(
    tmp_path: Path, node_tools: Path
) -> None:
    """`make javascript` was run after the last change."""
    modules = node_tools / "node_modules"
    command = ["node", ADD / "to-javascript.mjs", ADD / "typescript", tmp_path, modules]
    subprocess.run(command, check=True, capture_output=True, timeout=60)
    made = {path.name: path.read_text() for path in tmp_path.iterdir()}
    assert made == {path.name: path.read_text() for path in (ADD / "javascript").iterdir()}


def test_typescript_runs_directly(tmp_path: Path, node_tools: Path) -> None:
    """tsx, with ``.ts`` in imports; only syntax that Node.js can erase itself."""
    (tmp_path / "whatsapp-reconnect.ts").write_text(render_channel_module(CANONICAL, "1"))
    (tmp_path / "main.ts").write_text(
        "import { Reconnect } from './whatsapp-reconnect.ts';\n"
        "console.log(new Reconnect({ authDir: 'x/auth', logger: console }).terminal);\n"
    )
    (tmp_path / "package.json").write_text('{ "type": "module" }')
    assert run(node_tools, tmp_path, "tsx", "main.ts") == "false\n"
