"""The added files in every style: formatted as prettier would, and sound for tsc."""

from __future__ import annotations

import itertools
import json
import os
import re
import shutil
import subprocess
from dataclasses import astuple, replace
from pathlib import Path
from typing import get_args

import pytest

from skill.policy import POLICY
from skill.render.style import CANONICAL, Style, TrailingCommas
from skill.render.typescript import (
    BEGIN,
    END,
    Kind,
    Wiring,
    convert,
    module_identity,
    policy_block,
    render_channel_module,
    render_channel_test,
)

HERE = Path(__file__).resolve().parent
ADD = HERE.parents[2] / "add" / "channel"
MODULE, TEST = "whatsapp-reconnect.ts", "whatsapp-reconnect.test.ts"


OWN = (Wiring("whatsapp-reconnect.ts", (("exportclassReconnect", 1),), ("makeWASocket(",)),)
WIRINGS = (
    Wiring("whatsapp.ts", (("reconnect.socket(", 1), ("reconnect.dial(", 2)), ("makeWASocket(",)),
    Wiring("../sessions/of/every/account/of/the/bot.ts", (("reconnect.socket(", 1),)),
)


def run(node_tools: Path, cwd: Path, tool: str, *arguments: str) -> tuple[int, str]:
    """A node tool's exit status and what it says."""
    command = [str(node_tools / "node_modules" / ".bin" / tool), *arguments]
    ran = subprocess.run(command, cwd=cwd, capture_output=True, text=True, timeout=300, check=False)
    return ran.returncode, ran.stdout + ran.stderr


def host(tmp_path: Path, node_tools: Path, kind: str = "module") -> Path:
    """A folder with the added files and the tools."""
    os.symlink(node_tools / "node_modules", tmp_path / "node_modules")
    (tmp_path / MODULE).write_text(render_channel_module(CANONICAL, "1.2.3"))
    (tmp_path / TEST).write_text(render_channel_test(CANONICAL, "1.2.3", wirings=OWN))
    (tmp_path / "package.json").write_text(json.dumps({"type": kind}))
    return tmp_path


COMMAS: tuple[TrailingCommas, ...] = ("all", "es5", "none")


def styles() -> list[Style]:
    """Quotes x semicolons x indent x width, the rest in turn so that each value meets each."""
    rest = itertools.cycle(itertools.product(COMMAS, (True, False), (True, False), ("\n", "\r\n")))
    base = itertools.product(("'", '"'), (True, False), ("  ", "    ", "\t"), (80, 100, 120))
    found = []
    for number, (quote, semicolons, indent, width) in enumerate(base):
        for _ in range(3):
            commas, parens, spacing, eol = next(rest)
            found.append(Style(indent, quote, semicolons, width, commas, parens, spacing, eol))
        if number % 2:
            next(rest)  # out of step with the outer product
    return found


def test_each_value_of_a_style_meets_each_of_the_others() -> None:
    rows = [astuple(style)[:8] for style in styles()]  # those that are varied
    for one, other in itertools.combinations(range(len(rows[0])), 2):
        values = [{row[column] for row in rows} for column in (one, other)]
        assert {(row[one], row[other]) for row in rows} == {*itertools.product(*values)}


def prettier_options(style: Style) -> dict[str, object]:
    return {
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


def test_checked_in_constants_are_the_policy() -> None:
    for name, typed in (("typescript/policy.ts", True), ("javascript/policy.js", False)):
        source = (ADD / name).read_text(encoding="utf-8")
        held = source[source.index(BEGIN) : source.index(END) + len(END)]
        assert held == policy_block(POLICY, typed)


def test_prettier_changes_nothing(tmp_path: Path, node_tools: Path) -> None:
    for number, style in enumerate(styles()):
        folder = tmp_path / f"style-{number}"
        folder.mkdir()
        (folder / ".prettierrc.json").write_text(json.dumps(prettier_options(style)))
        kinds = get_args(Kind)
        texts = {f"{k}.ts": render_channel_module(style, "1.2.3", kind=k) for k in kinds}
        for kind in kinds:
            wired = render_channel_test(style, "1.2.3", wirings=WIRINGS, kind=kind)
            texts[f"{kind}.test.ts"] = wired
            assert module_identity(wired) == ("1.2.3", True)
        for name, text in texts.items():
            (folder / name).write_bytes(text.encode())
    status, said = run(node_tools, tmp_path, "prettier", "--list-different", "**/*.ts")
    assert (status, said) == (0, "")


STRICT = {
    "strict": True,
    "noUncheckedIndexedAccess": True,
    "exactOptionalPropertyTypes": True,
    "noImplicitOverride": True,
    "noPropertyAccessFromIndexSignature": True,
    "noImplicitReturns": True,
    "noUnusedLocals": True,
    "noUnusedParameters": True,
    "isolatedModules": True,
    "erasableSyntaxOnly": True,
}
COMPILERS: dict[str, dict[str, object]] = {
    "esm": {**STRICT, "module": "NodeNext", "verbatimModuleSyntax": True},
    "esm without interop": {
        **STRICT,
        "module": "NodeNext",
        "esModuleInterop": False,
        "verbatimModuleSyntax": True,
    },
    "commonjs": {
        **STRICT,
        "module": "CommonJS",
        "moduleResolution": "Node10",
        "esModuleInterop": True,
    },
    "commonjs without interop": {**STRICT, "module": "CommonJS", "moduleResolution": "Node10"},
    "loose": {"strict": False, "module": "ESNext", "moduleResolution": "Bundler"},
}

MOCKS = (
    "{ ...actual, default: { ...actual, existsSync: () => true, mkdirSync: () => undefined } }",
    "{ default: { existsSync: () => true, mkdirSync: () => undefined } }",
    "{ readFileSync: vi.fn(), writeFileSync: vi.fn(), renameSync: vi.fn(), default: {} }",
)


@pytest.mark.parametrize("name", COMPILERS)
def test_type_checks(name: str, tmp_path: Path, node_tools: Path) -> None:
    folder = host(tmp_path, node_tools, "module" if "esm" in name else "commonjs")
    shutil.copy(HERE / "uses.ts", folder)
    names = [MODULE, "uses.ts", *([TEST] if name == "esm" else [])]
    options = {"target": "ES2022", "lib": ["ES2022"], "types": ["node"], "skipLibCheck": True}
    options |= {"declaration": True, "outDir": "out", **COMPILERS[name]}
    config = {"compilerOptions": options, "files": names}
    (folder / "tsconfig.json").write_text(json.dumps(config))
    assert run(node_tools, folder, "tsc", "-p", ".") == (0, "")
    if "commonjs" in name:
        use = "new Reconnect({ authDir: 'x/auth', logger: console }).stop()"
        script = f"const {{ Reconnect }} = require('./out/whatsapp-reconnect.js'); {use}"
        subprocess.run(["node", "-e", script], cwd=folder, check=True, timeout=30)


def test_the_hosts_test_passes(tmp_path: Path, node_tools: Path) -> None:
    folder = host(tmp_path, node_tools)
    status, said = run(node_tools, folder, "vitest", "run", "--root", ".")
    assert status == 0, said


def test_survives_the_mocks_of_hosts_tests(tmp_path: Path, node_tools: Path) -> None:
    """existsSync that lies, mkdirSync that does nothing, or no fs at all."""
    folder = host(tmp_path, node_tools)
    (folder / TEST).unlink()
    for number, mock in enumerate(MOCKS):
        text = (HERE / "mocked.ts").read_text(encoding="utf-8").replace("MOCK", mock)
        (folder / f"mocked-{number}.test.ts").write_text(text)
    status, said = run(node_tools, folder, "vitest", "run", "--root", ".")
    assert status == 0, said


def test_hosts_tests_see_nothing_of_a_held_socket(tmp_path: Path, node_tools: Path) -> None:
    """A mock that asks no agent: no listener, no timer, no file, whatever fs is."""
    folder = host(tmp_path, node_tools)
    (folder / TEST).unlink()
    (folder / MODULE).write_text(render_channel_module(CANONICAL, "1.2.3", kind="held"))
    for number, mock in enumerate(MOCKS):
        text = (HERE / "mocked_held.ts").read_text(encoding="utf-8").replace("MOCK", mock)
        (folder / f"mocked-{number}.test.ts").write_text(text)
    status, said = run(node_tools, folder, "vitest", "run", "--root", ".")
    assert status == 0, said


@pytest.mark.parametrize("style", styles()[::7])
def test_formatting_leaves_the_identity(style: Style) -> None:
    for text in (render_channel_module(style, "1.2.3"), render_channel_test(style, "1.2.3")):
        assert module_identity(text) == ("1.2.3", True)
        assert module_identity("\ufeff" + text) == ("1.2.3", True)


def test_an_edit_breaks_the_identity() -> None:
    text = render_channel_module(CANONICAL, "1.2.3")
    edited = text.replace("const BUDGET = 20", "const BUDGET = 200")
    assert module_identity(edited) == ("1.2.3", False)
    assert module_identity("// Some other module\n") is None


def test_the_import_follows_the_host() -> None:
    for extension in ("", ".js", ".ts"):
        style = replace(CANONICAL, import_extension=extension)
        text = render_channel_test(style, "1", "wa-reconnect")
        assert f"from './wa-reconnect{extension}';" in text


@pytest.mark.parametrize(
    ("source", "style", "expected"),
    [
        ("f('it\\'s');\n", Style(quote='"'), 'f("it\'s");\n'),
        ("f('say \"x\"');\n", Style(quote='"'), "f('say \"x\"');\n"),
        ("f('\"', 'a');\n", Style(quote='"'), 'f(\'"\', "a");\n'),
        ("a();\n[1].map(f);\n(b)();\n", Style(semicolons=False), "a()\n;[1].map(f)\n;(b)()\n"),
        (
            "const s = ';';\nfor (;;) f(';');\n",
            Style(semicolons=False),
            "const s = ';'\nfor (;;) f(';')\n",
        ),
        ("let x: { a: 1; b: 2 };\n", Style(semicolons=False), "let x: { a: 1; b: 2 }\n"),
        (
            "f((x) => x, (y: T) => y, () => 1);\n",
            Style(arrow_parens=False),
            "f(x => x, (y: T) => y, () => 1);\n",
        ),
        ("const { a } = { b };\n", Style(bracket_spacing=False), "const {a} = {b};\n"),
        ("x = {\n  a: [1, 2],\n};\n", Style(trailing_commas="none"), "x = {\n  a: [1, 2]\n};\n"),
        (
            "/**\n   * a; 'b'\n */\n",
            Style(indent="\t", quote='"', semicolons=False),
            "/**\n\t * a; 'b'\n */\n",
        ),
    ],
)
def test_convert(source: str, style: Style, expected: str) -> None:
    assert convert(source, style) == expected


def test_no_statement_is_longer_than_any_width_allows() -> None:
    for path in (ADD / "typescript").glob("*.ts"):
        for line in path.read_text(encoding="utf-8").splitlines():
            assert len(line) <= 80, line
            assert not re.search(r"\s$", line), line
