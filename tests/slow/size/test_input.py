"""Input of any depth: one line and exit 2, or the file is named and the rest goes on.

Never a signal, a hang or a traceback. Each command is a process with little processor time.
"""

from __future__ import annotations

import os
import resource
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).resolve().parents[3]
HOSTS = CHECKOUT / "tests" / "hosts"
SECONDS = 30  # of processor time; what is slow by the square takes minutes
DEEP = "[" * 100_000 + "]" * 100_000
PYTHON = {
    "parentheses": "x = " + "(" * 1_500 + "1" + ")" * 1_500,
    "brackets": "x = " + "[" * 100_000 + "]" * 100_000,
    "signs": "x = " + "-" * 20_000 + "1",
    "lambdas": "x = " + "lambda: " * 20_000 + "1",
    "attributes": "x = a" + ".b" * 20_000,
    "calls": "x = a" + "()" * 20_000,
    "conditions": "x = " + "1 if 1 else " * 20_000 + "1",
    "f-strings": "x = " + "f'{" * 300 + "1" + "}'" * 300,
    "elif": "if a:\n    pass\n" + "elif a:\n    pass\n" * 20_000,
    "blocks": "".join(" " * n + "if 1:\n" for n in range(1_000)) + " " * 1_000 + "pass",
}
BOT = """import makeWASocket, { useMultiFileAuthState } from 'baileys'
async function start() {
  const { state } = await useMultiFileAuthState('auth')
  const sock = makeWASocket({ auth: state })
  sock.ev.on('connection.update', (u) => { if (u.connection === 'close') start() })
}
start()
"""
SCRIPT = {
    "calls": "a" + "()" * 50_000,
    "arrows": "const x = " + "() => " * 20_000 + "1",
    "promises": "p" + ".then(() => {})" * 10_000,
    "else": "if (a) {}" + " else if (a) {}" * 20_000,
}
TOML = {
    "brackets": "a = " + DEEP,
    "keys": "a" + ".a" * 20_000 + " = 1\n",
    "quoted keys": '"a"' + '."a"' * 20_000 + " = 1\n",
    "digits": "a = " + "9" * 10_000 + "\n",
}
YAML = {
    "aliases": "a: &a [x, x]\n"
    + "".join(
        f"{b}: &{b} [{', '.join([f'*{a}'] * 9)}]\n"
        for a, b in zip("abcdefghijklmno", "bcdefghijklmnop", strict=True)
    ),
    "merged": "x0: &x0 {a: 1}\n"
    + "".join(f"x{n}: &x{n}\n  <<: [*x{n - 1}, *x{n - 1}]\n" for n in range(1, 40)),
    "brackets": "services: " + "[" * 20_000 + "]" * 20_000,
    "itself": "services: &a\n  bot: *a\n",
}


def run(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    done = subprocess.run(
        [sys.executable, "-I", CHECKOUT / "skill" / "__main__.py", *arguments],
        capture_output=True,
        text=True,
        timeout=10 * SECONDS,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS)),
    )
    assert done.returncode in (0, 1, 2), (done.returncode, done.stderr[-300:])
    assert "defect" not in done.stderr
    assert "Traceback" not in done.stderr
    if done.returncode == 2:
        assert len(done.stderr.splitlines()) == 1
    return done


@pytest.fixture
def host(tmp_path: Path) -> Path:
    return Path(shutil.copytree(HOSTS / "v1-class", tmp_path / "host"))


@pytest.mark.parametrize("text", PYTHON.values(), ids=PYTHON)
def test_python_that_is_nested_deeply_is_named_and_the_rest_goes_on(
    text: str, tmp_path: Path
) -> None:
    host = tmp_path / "host"
    shutil.copytree(HOSTS.with_name("hosts_python") / "s1-link", host)
    (deep,) = (path for path in host.rglob("whatsapp.py") if "test" not in path.name)
    shutil.copy(deep, deep.with_name("whatsapp_too.py"))
    deep.write_text(f"{deep.read_text()}\n{text}\n")
    done = run("apply", "--dry-run", host)
    assert done.returncode == 1
    assert f"{deep.relative_to(host)}:" in done.stdout
    assert "whatsapp_too.py" in done.stdout


@pytest.mark.parametrize("text", SCRIPT.values(), ids=SCRIPT)
def test_typescript_that_is_nested_deeply_is_named(text: str, tmp_path: Path) -> None:
    (tmp_path / "package.json").write_text('{"name": "bot"}')
    (tmp_path / "bot.ts").write_text(BOT + text + "\n")
    done = run("apply", "--dry-run", tmp_path)
    assert done.returncode == 2
    assert done.stderr.startswith("skillgen: bot.ts:8: is nested too deeply")


def test_a_thousand_folders_deep(host: Path) -> None:
    here = os.open(host, os.O_RDONLY)
    for _ in range(1_500):
        os.mkdir("d", dir_fd=here)
        inner = os.open("d", os.O_RDONLY, dir_fd=here)
        os.close(here)
        here = inner
    os.close(here)
    try:
        assert run("apply", "--dry-run", host).returncode == 0
    finally:
        subprocess.run(["rm", "-rf", host], check=True)  # pytest's own removal is recursive


@pytest.mark.parametrize(
    "name",
    [
        "package.json",
        "tsconfig.json",
        ".prettierrc",
        "package-lock.json",
        "store/auth-reconnect.json",
        ".skillgen/record.json",
        ".skillgen/state.json",
        ".claude/skills/add-whatsapp/manifest.yaml",
        "docker-compose.yml",
        "pnpm-workspace.yaml",
        "bot.plist",
        "supervisord.conf",
        "pyproject.toml",
    ],
)
@pytest.mark.parametrize("command", [["apply", "--dry-run"], ["status"], ["reset"]])
def test_a_file_of_brackets(name: str, command: list[str], host: Path) -> None:
    (host / name).parent.mkdir(parents=True, exist_ok=True)
    (host / name).write_text(DEEP)
    run(*command, host)


@pytest.mark.parametrize("text", TOML.values(), ids=TOML)
def test_pyproject(text: str, host: Path) -> None:
    (host / "pyproject.toml").write_text(text)
    assert run("apply", "--dry-run", host).returncode == 0


@pytest.mark.parametrize("name", ["docker-compose.yml", "pnpm-workspace.yaml"])
@pytest.mark.parametrize("text", YAML.values(), ids=YAML)
def test_yaml(text: str, name: str, host: Path) -> None:
    (host / name).write_text(text)
    run("apply", "--dry-run", host)


@pytest.mark.parametrize("number", ["1e300", "1e999", "NaN", "9" * 400, "9" * 5_000])
def test_reset_cures_a_memory_of_any_number(number: str, host: Path) -> None:
    memory = host / "auth-reconnect.json"
    memory.write_text(f'{{"version": 1, "attempts": {{}}, "notBefore": {number}}}')
    for command in ("status", "reset", "status"):
        assert run(command, host).returncode == 0
    assert "not before" not in run("status", host).stdout


@pytest.mark.parametrize("option", ["--plan", "--save-plan"])
def test_a_pipe_for_a_plan_is_not_waited_for(option: str, host: Path, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "plan.json")
    done = run("apply", "--dry-run", option, tmp_path / "plan.json", host)
    assert done.returncode == 2
    assert "plan.json" in done.stderr


def test_a_plan_of_brackets(host: Path, tmp_path: Path) -> None:
    (tmp_path / "plan.json").write_text(DEEP)
    assert run("apply", "--plan", tmp_path / "plan.json", host).returncode == 2


def test_what_people_write_is_not_too_deep() -> None:
    from modify.kit.python.nesting import too_deep

    assert too_deep("x = " + "(" * 100 + "1" + ")" * 100) is None
    assert too_deep("if a:\n    b()\n" + "elif a:\n    b()\n" * 300) is None
    assert too_deep("x = [" + "'a', " * 5_000 + "]\n") is None
    assert too_deep("x = '" + "(" * 5_000 + "'\n") is None
    assert too_deep("a(b)\n" * 5_000) is None
    assert too_deep("x = (\n" + "    'a'\n" * 300 + ")\n") is None
