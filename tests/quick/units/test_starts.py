"""What a command line starts, in Node and Python hosts."""

from __future__ import annotations

from pathlib import Path

import pytest

from modify.units.bot_project import BotProject
from modify.units.started_program import Reader, split
from skill.host import Host
from tests.quick.rules.service_cases.harness import make_host

COMMANDS = {
    "node": [
        ("/usr/bin/node dist/index.js", "host"),
        ("/usr/bin/node /anywhere/dist/index.js", "host"),
        ("NODE_PATH_HERE PROJECT_PATH_HERE/dist/index.js", "host"),
        ("${process.execPath} ${root}/dist/index.js", "host"),
        ("bun src/index.ts", "host"),
        ("/usr/local/bin/bun run src/index.ts", "host"),
        ("/usr/bin/npx tsx watch src/index.ts", "host"),
        ("npm run dev", "host"),
        ("npm run nothing", "unknown"),
        ("npm run dashboard", "side"),
        ("bot --daemon", "host"),
        ("bot send --to x", "unknown"),
        ("bot-tool gateway", "host"),  # its file imports what is built from the channel's
        ("cross-env NODE_ENV=production node dist/index.js", "host"),
        ("npm run start:prod", "host"),
        ("nodemon --exec tsx src/index.ts", "host"),
        ("node packages/built/dist/main.js", "host"),
        ("/usr/bin/node /opt/bot/packages/built/dist/main.js", "host"),
        ("/usr/bin/node packages/built/dist/report.js", "side"),
        ("pnpm --filter @w/bot start", "host"),
        ("pnpm -F @w/bot run start", "host"),
        ("npm run start --workspace=@w/bot", "host"),
        ("npm run start -w packages/bot", "host"),
        ("npm start -w @w/panel", "side"),
        ("yarn workspace @w/bot start", "host"),
        ("bun --filter @w/bot start", "host"),
        ("pnpm --filter @w/gone start", "unknown"),
        ("/usr/bin/node dist/dashboard.js", "side"),
        ("/usr/bin/node /opt/bot/dashboard/dist/index.js", "side"),
        ("/usr/bin/node ${root}/tools/signer/index.js", "unknown"),
        ("/usr/bin/node /opt/bot/tools/signer/index.js", "side"),
        ("/usr/bin/node dist/worker.js", "host"),  # imports the channel
        ("/usr/bin/node dist/server.js", "unknown"),
        ("/usr/bin/timeout 30 node dist/index.js", "host"),
        ("/bin/sh -c 'node dist/migrate.js && node dist/index.js'", "host"),
        ("/bin/sh -c 'PATH=/x sqlite_web store.db'", "side"),
        ("/usr/bin/docker run --rm bot", "side"),
        ("${wrapperPath}", "unknown"),
        ("", "unknown"),
    ],
    "python": [
        ("/opt/bot/.venv/bin/python -m kbot gateway", "host"),
        ("{python_path} -m kbot", "host"),
        ("/usr/bin/python3 -u -m kbot.cli start", "host"),
        ("/usr/bin/python3 /opt/x/main.py", "host"),
        ("/usr/bin/uv run python -m kbot", "host"),
        ("/home/u/.local/bin/kbot gateway", "host"),
        ("/usr/bin/python3 -m kbot dashboard", "side"),
        ("/usr/bin/python3 -m kbot relay", "unknown"),
        ("/opt/bot/.venv/bin/kbot relay --port 1", "unknown"),
        ("/opt/bot/.venv/bin/kai gateway", "host"),  # another name of the same command
        ("{uv_path} run kbot", "host"),
        ("/usr/bin/python3 -m http.server", "side"),
        ("/usr/bin/python3 scripts/report.py", "side"),
        ("/usr/bin/python3 -m kbot.reports", "unknown"),
        ("/opt/venv/bin/uvicorn app:app", "side"),
    ],
}
NODE_FILES: dict[str, str | bytes] = {
    "package.json": '{"name": "bot", "main": "dist/index.js", "bin": {"bot": "dist/index.js", '
    '"bot-tool": "tool.mjs"}, '
    '"scripts": {"start": "node dist/index.js", "dev": "tsx src/index.ts", '
    '"start:prod": "cross-env NODE_ENV=production bash run.sh", '
    '"dashboard": "tsx src/dashboard.ts"}}',
    "tool.mjs": "import './dist/worker.js'",
    "run.sh": "npm run build\nnode ./dist/index.js\n",
    "packages/built/package.json": '{"name": "@w/built"}',
    "packages/built/src/main.ts": "import '../../../src/whatsapp.js'",
    "packages/built/src/report.ts": "",
    "dashboard/package.json": '{"main": "dist/index.js"}',
    "packages/bot/package.json": '{"name": "@w/bot", "scripts": {"start": "tsx src/index.ts"}}',
    "packages/bot/src/index.ts": "import '../../../src/whatsapp.js'",
    "packages/panel/package.json": '{"name": "@w/panel", "scripts": {"start": "vite preview"}}',
    "src/worker.ts": "import './whatsapp.js'",
    "src/server.ts": "import './other.js'",
    "src/migrate.ts": "",
}
PYTHON_FILES: dict[str, str | bytes] = {
    "package.json": "{}",
    "pyproject.toml": '[project]\nname = "kbot"\n[project.scripts]\nkbot = "kbot.cli:main"\n'
    'kai = "kbot.cli:main"\n',
    "kbot/__init__.py": "",
    "kbot/__main__.py": "",
    "kbot/cli.py": "",
    "kbot/reports.py": "",
    "kbot/channels/whatsapp.py": "from neonize.client import NewClient\n",
    "main.py": "import kbot.channels.whatsapp\n",
    "scripts/report.py": "",
}


@pytest.mark.parametrize(
    ("language", "command", "kind"),
    [(language, *case) for language, cases in COMMANDS.items() for case in cases],
)
def test_started(tmp_path: Path, language: str, command: str, kind: str) -> None:
    host = make_host(tmp_path, NODE_FILES if language == "node" else PYTHON_FILES)
    assert Reader(BotProject(host)).command(split(command)).kind == kind


def test_a_script_that_calls_itself(tmp_path: Path) -> None:
    make_host(tmp_path, {"scripts/run.sh": "exec scripts/run.sh\n"})
    started = Reader(BotProject(Host(tmp_path))).command(["/opt/bot/scripts/run.sh"])
    assert started.kind == "unknown"
    assert "in a circle" in started.why
