"""What package.json says the program is, whatever it holds: no host ends a command by a crash."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from modify.units.bot_project import BotProject
from modify.units.codemod import examine
from modify.units.started_program import Reader, split
from skill import cli
from skill.host import Host
from skill.options import Options
from tests.quick.rules.service_cases.harness import HOST, make_host, unit

ALWAYS = unit("Restart=always\n")
FLAT = HOST["src/whatsapp.ts"]


def started(folder: Path, command: str, package: Any, **files: str) -> str:
    text = package if isinstance(package, str) else json.dumps(package)
    host = make_host(folder, {"package.json": text, **files})
    return Reader(BotProject(host)).command(split(command)).kind


@pytest.mark.parametrize(
    "command", ["node .", "node ./", "node --enable-source-maps .", "node ././"]
)
@pytest.mark.parametrize(
    ("package", "kind"),
    [
        ({"main": "dist/index.js"}, "host"),
        ({"main": "./src/index"}, "host"),
        ({"main": "src"}, "host"),
        ({"main": ""}, "unknown"),
        ({}, "unknown"),
        ({"main": ["src/index.ts"]}, "unknown"),
        ({"main": "gone.js"}, "unknown"),
    ],
)
def test_a_folder_is_the_package_in_it(
    tmp_path: Path, command: str, package: dict[str, Any], kind: str
) -> None:
    assert started(tmp_path, command, package) == kind
    scripts = {**package, "scripts": {"mongo": command}}
    assert started(tmp_path, "npm run mongo", scripts) == kind


def test_a_folder_without_main_is_its_index(tmp_path: Path) -> None:
    host = make_host(tmp_path, {"package.json": "{}", "index.js": "import './src/whatsapp.js';\n"})
    assert Reader(BotProject(host)).command(["node", "."]).is_host


def test_a_folder_under_pm2(tmp_path: Path) -> None:
    apps = "module.exports = { apps: [{ name: 'bot', script: '.' }, { name: 'b', script: '' }] };\n"
    patch = examine(make_host(tmp_path, {"ecosystem.config.cjs": apps}), Options())
    assert [f.rule for f in patch.findings if f.fix] == ["pm2-autorestart"]


@pytest.mark.parametrize(
    "app",
    [
        "script: 'dist/server.js'",
        "script: '../server/dist/server.js'",
        "script: 'dist/server.js', cwd: './'",
        "script: 'npm', args: 'start'",
    ],
)
def test_an_app_of_a_package_below_the_root(tmp_path: Path, app: str) -> None:
    """pm2 starts it in the folder of the file; its source is that package's own."""
    files: dict[str, str | bytes] = {
        "package.json": "{}",
        "server/package.json": '{"scripts": {"start": "node dist/server.js"}}',
        "server/src/server.ts": "import '../../src/whatsapp.js';\n",
        "server/ecosystem.config.js": f"module.exports = [{{ name: 'back', {app} }}];\n",
    }
    patch = examine(make_host(tmp_path, files), Options())
    assert [(f.path, f.rule) for f in patch.findings if f.fix] == [
        ("server/ecosystem.config.js", "pm2-autorestart")
    ]


@pytest.mark.parametrize(
    "scripts",
    [
        {"start": "npm run a", "a": "npm run b", "b": "npm start"},
        {"start": "npm start"},
        {f"s{n}": " && ".join([f"npm run s{n + 1}"] * 20) for n in range(12)}
        | {"start": "npm run s0"},
    ],
    ids=["a ring", "itself", "a tree of 20 to the 12th"],
)
def test_scripts_that_call_one_another(tmp_path: Path, scripts: dict[str, str]) -> None:
    assert started(tmp_path, "npm start", {"scripts": scripts}) == "unknown"


BROKEN = [
    "",
    "[]",
    "3",
    "null",
    "not JSON",
    "[" * 100_000,
    '{"a":' * 100_000,
    '{"scripts": ["node ."], "main": 3, "bin": [".."], "name": {}, "packageManager": []}',
    '{"scripts": {"start": ""}, "bin": {"bot": ""}, "main": "", "name": ""}',
    '{"scripts": {"start": 3, "build": null, "test": []}, "dependencies": []}',
    '{"scripts": {"start": "sg docker -c"}, "prettier": {"tabWidth": "wide", "printWidth": -1}}',
]


@pytest.mark.parametrize("text", BROKEN, ids=range(len(BROKEN)))
@pytest.mark.parametrize(
    "start", ["node .", "npm start", "npm run", "npm", "node", "node --test", ""]
)
def test_a_package_of_any_shape(tmp_path: Path, text: str, start: str) -> None:
    files = {
        "package.json": text,
        "deploy/bot.service": unit("Restart=always\n", "", f"ExecStart={start}"),
    }
    make_host(tmp_path, files)
    assert cli.run(["inspect", "-q", str(tmp_path)]) == 1, "the unit and the channel are seen"


@pytest.mark.parametrize(
    "text", ["project = 3\n", "tool = []\n", "[tool]\npoetry = 'x'\n", "[project]\nscripts = 3\n"]
)
def test_a_pyproject_of_any_shape(tmp_path: Path, text: str) -> None:
    project = BotProject(make_host(tmp_path, {"pyproject.toml": text, "package.json": "{}"}))
    assert project.python_commands == {} and project.name == tmp_path.name


@pytest.mark.parametrize("command", ["sh ${x}", "node ${x}", "bun @x@", "sh {x}"])
def test_a_command_that_is_one_hole(tmp_path: Path, command: str) -> None:
    """A template's ``sh ${START}`` names no file of the project, and is no crash."""
    assert started(tmp_path, command, {}) == "unknown"


WORDS = (
    "node . ./ / .. - -- -r --import npm start run exec pnpm --filter -w sg -c sh env X=1 && || ; "
    "| '' \"\" ${x} {x} @x@ python3 -m bot bun dist/index.js npx timeout 5 yarn workspace $(pwd)"
)
WORD = st.sampled_from(re.split(" ", WORDS))


@settings(
    max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.lists(WORD, max_size=7), st.lists(WORD, max_size=5))
def test_any_command_line_is_one_of_three(
    tmp_path: Path, words: list[str], script: list[str]
) -> None:
    kind = started(tmp_path, " ".join(words), {"scripts": {"start": " ".join(script)}})
    assert kind in ("host", "side", "unknown")
    assert Host(tmp_path).exists("package.json")
