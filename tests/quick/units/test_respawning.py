"""Parents that start the bot again in code, and ``forever``."""

from __future__ import annotations

from pathlib import Path

import pytest

from skill.finding import Finding
from tests.quick.rules.service_cases.harness import look

FORK = "import {{ fork }} from 'node:child_process';\n{}"
AGAIN = {
    "a function": (
        "function start() {\n  const p = fork('dist/index.js');\n"
        "  p.on('exit', () => start());\n}\nstart();\n"
    ),
    "with its status": (
        "function start() {\n  const p = fork('dist/index.js');\n"
        "  p.on('close', (code) => { log(code); start(); });\n}\n"
    ),
    "a timer": (
        "const start = () => {\n  const p = fork('./dist/index.js');\n"
        "  p.on('exit', () => setTimeout(start, 1000));\n};\n"
    ),
    "apply": (
        "function start() {\n  let p = fork('src/whatsapp.ts');\n"
        "  p.on('exit', () => { start.apply(this, arguments); });\n}\n"
    ),
    "a handler of its own": (
        "function start() {\n  const p = fork('dist/index.js');\n"
        "  p.on('exit', ended);\n}\nfunction ended() { start(); }\n"
    ),
}
CLUSTER = (
    "import cluster from 'cluster';\n"
    "cluster.setupPrimary({ exec: 'dist/index.js' });\ncluster.fork();\n"
    "cluster.on('exit', () => cluster.fork());\n"
)
ENDS = (
    "function start(pause = 5000) {{\n  const p = fork('dist/index.js');\n"
    "  p.on('exit', (code) => {{\n    if (code === 0) process.exit(0);\n"
    "    {}\n  }});\n}}\n"
)


def found(folder: Path, files: dict[str, str]) -> list[Finding]:
    patch = look(folder, files)
    return [each for each in patch.findings if each.rule == "wrapper-restart-always"]


@pytest.mark.parametrize("shape", AGAIN)
def test_a_parent_is_reported(tmp_path: Path, shape: str) -> None:
    [only] = found(tmp_path, {"run.mjs": FORK.format(AGAIN[shape])})
    assert only.is_hand_off and only.path == "run.mjs"
    assert "restarts the bot even after its session was revoked" in only.message


def test_so_is_a_cluster(tmp_path: Path) -> None:
    [only] = found(tmp_path, {"run.mjs": CLUSTER})
    assert only.line == 4


def test_one_that_ends_on_0_has_to_wait_longer(tmp_path: Path) -> None:
    at_once = ENDS.format("start();")
    [only] = found(tmp_path / "flat", {"run.mjs": FORK.format(at_once)})
    assert "the same short pause" in only.message
    grows = ENDS.format("setTimeout(() => start(pause * 2), pause);")
    assert not found(tmp_path / "grows", {"run.mjs": FORK.format(grows)})


@pytest.mark.parametrize(
    "other",
    [
        (
            "function start() {\n  const p = fork('src/dashboard.ts');\n"
            "  p.on('exit', () => start());\n}\n"
        ),
        "const p = fork('dist/index.js');\np.on('exit', (code) => process.exit(code));\n",
        (
            "function start() {\n  const p = spawn('ffmpeg', []);\n"
            "  p.on('close', () => start());\n}\n"
        ),
    ],
    ids=["another program", "passes the status on", "no program of the host"],
)
def test_others_are_none(tmp_path: Path, other: str) -> None:
    assert not found(tmp_path, {"run.mjs": FORK.format(other)})


def test_forever(tmp_path: Path) -> None:
    package = (
        '{\n  "main": "dist/index.js",\n  "scripts": {\n'
        '    "start": "forever start dist/index.js",\n'
        '    "stop": "forever stopall"\n  }\n}\n'
    )
    [only] = found(tmp_path, {"package.json": package})
    assert (only.path, only.line, only.is_hand_off) == ("package.json", 4, True)
