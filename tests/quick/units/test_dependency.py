"""Bots whose start fails while something else is missing, and those whose start does not."""

from __future__ import annotations

from pathlib import Path

import pytest

from modify.units.dependency import missing_dependency
from tests.quick.rules.service_cases.harness import make_host

# As NanoClaw 1.1.6 asks for Docker: throws, and its main ends with status 1.
ASKS = {
    "src/runtime.ts": "import { execSync } from 'child_process';\n\n"
    "export function ensureRuntime(): void {\n  try {\n"
    "    execSync('docker info', { stdio: 'pipe' });\n  } catch (err) {\n"
    "    console.error('Docker is not running');\n    throw new Error('no Docker');\n  }\n}\n",
    "src/index.ts": "import { ensureRuntime } from './runtime.js';\nimport './whatsapp.js';\n\n"
    "async function main() {\n  ensureRuntime();\n}\n\n"
    "main().catch((err) => {\n  console.error(err);\n  process.exit(1);\n});\n",
}
WHERE = "src/runtime.ts:5: its start fails while `docker info` does"
MAIN = "src/index.ts"
SYNC = "import { execSync, spawnSync } from 'node:child_process';\nimport './whatsapp.js';\n"
ENDS = "main().catch(() => process.exit(1));\n"


def main(body: str, head: str = SYNC, end: str = ENDS) -> str:
    return f"{head}async function main() {{\n{body}\n}}\n{end}"


def test_as_nanoclaw_asks_for_docker(tmp_path: Path) -> None:
    assert missing_dependency(make_host(tmp_path, {**ASKS})) == WHERE


FAILS = {
    "an uncaught command": (main("  execSync('docker info');"), "docker info"),
    "at the top of a module": (SYNC + "execSync('systemctl is-active --wait docker');\n", "system"),
    "exits itself": (
        main("  try { execSync('docker ps'); } catch { console.error('!'); process.exit(2); }"),
        "docker ps",
    ),
    "a check that says no": (
        main("  if (!isUp()) {\n    throw new Error('start Docker');\n  }")
        + "function isUp() {\n  try {\n    execSync('docker info');\n    return true;\n"
        "  } catch {\n    return false;\n  }\n}\n",
        "docker info",
    ),
    "a check with a name": (
        main("  const up = await isUp();\n  if (!up) process.exit(1);")
        + "async function isUp() {\n  const found = spawnSync('docker', ['info']);\n"
        "  return found.status === 0;\n}\n",
        "docker info",
    ),
    "a status": (
        main("  const found = spawnSync('pg_isready');\n  if (found.status) process.exit(1);"),
        "pg_isready",
    ),
    "a command with a name": (
        "const RUNTIME: string = 'podman';\n" + main("  execSync(`${RUNTIME} info`);"),
        "podman info",
    ),
    "a promise of exec": (
        "import { exec } from 'child_process';\nimport { promisify } from 'util';\n"
        "import './whatsapp.js';\nconst run = promisify(exec);\n"
        + main("  await run('docker info');", ""),
        "docker info",
    ),
    "a database": (
        "import mongoose from 'mongoose';\nimport './whatsapp.js';\n"
        + main("  await mongoose.connect(process.env.MONGO);", ""),
        "mongoose.connect()",
    ),
    "a client of a package": (
        "const { Client } = require('pg');\nrequire('./whatsapp.js');\n"
        "const db = new Client();\n(async () => {\n  await db.connect();\n})();\n",
        "db.connect()",
    ),
    "a server": (
        "import './whatsapp.js';\n"
        + main("  await fetch('http://127.0.0.1:11434/api/tags');", "", "main();\n"),
        "fetch()",
    ),
    "in a module of its own": (
        main("  await ready();", "import { ready } from './ready.js';\nimport './whatsapp.js';\n"),
        "redis.ping()",
    ),
}
READY = {
    "src/ready.ts": "import Redis from 'ioredis';\nconst redis = new Redis();\n"
    "export const ready = async () => {\n  await redis.ping();\n};\n"
}


@pytest.mark.parametrize(("text", "asked"), FAILS.values(), ids=FAILS.keys())
def test_its_start_fails(tmp_path: Path, text: str, asked: str) -> None:
    files: dict[str, str | bytes] = {MAIN: text, **(READY if "./ready" in text else {})}
    assert f"its start fails while `{asked}" in missing_dependency(make_host(tmp_path, files))


GOES_ON = {
    "it is logged": main("  try { execSync('docker info'); } catch (e) { console.error(e); }"),
    "it is caught further out": main("  execSync('docker info');", SYNC, "main().catch(log);\n")
    + "function log(error) {\n  console.error(error);\n}\n",
    "a promise that is caught": "import './whatsapp.js';\n"
    + main("  await fetch('http://127.0.0.1').catch(() => null);", ""),
    "a check that only warns": main("  if (!isUp()) console.warn('no Docker');")
    + "function isUp() {\n  try { execSync('docker info'); return true; } catch { return false; }"
    "\n}\n",
    "a status nobody asks for": main("  spawnSync('docker', ['info']);"),
    "in a handler": SYNC + "server.on('request', () => execSync('docker run agent'));\n",
    "in a timer": SYNC + "setInterval(() => { execSync('docker ps'); }, 1000);\n",
    "nobody calls it": SYNC + "export function clean() {\n  execSync('docker rm x');\n}\n",
    "a program that asks nobody": main("  execSync('git rev-parse HEAD');"),
    "a computed command": main("  execSync(process.argv[2]);"),
    "the link itself": "import { Client } from 'whatsapp-web.js';\nimport './whatsapp.js';\n"
    "const wa = new Client();\n" + main("  await wa.initialize();", ""),
    "an object of the host": "import { channel } from './whatsapp.js';\n"
    + main("  await channel.connect();", ""),
    "a listener keeps it": "process.on('uncaughtException', (e) => console.error(e));\n"
    + SYNC
    + "execSync('docker info');\n",
    "it ends with 0": main(
        "  try { execSync('docker info'); } catch { process.exit(0); }", SYNC, "main();\n"
    ),
    "checks that ask each other": main("  if (!one()) console.warn('no');")
    + "function one() { return two(); }\nfunction two() {\n  try { execSync('docker info'); }\n"
    "  catch { return false; }\n  return one();\n}\n",
    "functions that call each other": main("  one();")
    + "function one() { two(); }\nfunction two() { one(); }\n",
}


@pytest.mark.parametrize("text", GOES_ON.values(), ids=GOES_ON.keys())
def test_its_start_goes_on(tmp_path: Path, text: str) -> None:
    assert missing_dependency(make_host(tmp_path, {MAIN: text})) == ""


def test_other_programs_of_the_host_do_not_count(tmp_path: Path) -> None:
    script = main("  execSync('docker info');")
    files: dict[str, str | bytes] = {"setup/index.ts": script, "src/index.test.ts": script}
    assert missing_dependency(make_host(tmp_path, files)) == ""


def test_a_listener_that_ends_the_process_keeps_nothing(tmp_path: Path) -> None:
    listener = (
        "process.on('uncaughtException', (e) => {\n  console.error(e);\n  process.exit(1);\n});\n"
    )
    text = listener + SYNC + "execSync('docker info');\n"
    assert "`docker info`" in missing_dependency(make_host(tmp_path, {MAIN: text}))


def test_a_call_that_lies_deep_is_no_start_to_tell(tmp_path: Path) -> None:
    steps = "".join(f"function f{i}() {{ f{i + 1}(); }}\n" for i in range(2000))
    text = f"{SYNC}{steps}function f2000() {{ execSync('docker info'); }}\nf0();\n"
    assert missing_dependency(make_host(tmp_path, {MAIN: text})) == ""


@pytest.mark.parametrize("text", ["export const = ;\nexecSync('docker info');\n", "\xff"])
def test_a_module_that_cannot_be_read_tells_nothing(tmp_path: Path, text: str) -> None:
    assert missing_dependency(make_host(tmp_path, {MAIN: text.encode("latin-1")})) == ""
