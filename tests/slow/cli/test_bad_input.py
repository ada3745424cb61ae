"""What a user hands it or does with its output, seen from outside of the process."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.quick.cli.conftest import Skillgen, committed
from tests.quick.cli.test_bad_input import assert_refused

MAIN = Path(__file__).parents[3] / "skill" / "__main__.py"


def test_a_damaged_state(skillgen: Skillgen, host: Path) -> None:
    skillgen("apply", host)
    (host / ".skillgen/state.json").write_text("{")
    committed(host)
    assert_refused(skillgen("revert", host), ".skillgen: ", "was changed since", "git revert")


def run_outside(*arguments: object, **options: object) -> subprocess.CompletedProcess[bytes]:
    command = [sys.executable, "-I", str(MAIN), *map(str, arguments)]
    return subprocess.run(command, stderr=subprocess.PIPE, check=False, **options)  # type: ignore[call-overload,no-any-return]


def test_nobody_reads_the_output(host: Path) -> None:
    read, write = os.pipe()
    os.close(read)
    done = run_outside("rule", "systemd-restart-always", stdout=write)
    os.close(write)
    assert done.stderr == b""
    assert done.returncode == 0


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no /dev/full")
def test_the_output_is_full() -> None:
    with open("/dev/full", "wb") as full:
        done = run_outside("rule", stdout=full)
    assert done.returncode == 2
    assert done.stderr.count(b"\n") == 1
    assert b"Traceback" not in done.stderr


def test_colour_only_on_a_terminal(host: Path) -> None:
    import pty

    def shown(**environment: str) -> bytes:
        parent, child = pty.openpty()
        environ = {"PATH": os.environ["PATH"], "TERM": "xterm", **environment}
        run_outside("rule", stdout=child, env=environ)
        os.close(child)
        output = os.read(parent, 100_000)
        os.close(parent)
        return output

    assert b"\x1b[" in shown()
    assert b"\x1b[" not in shown(NO_COLOR="1")
    assert b"\x1b[" not in shown(TERM="dumb")
    piped = run_outside("rule", stdout=subprocess.PIPE)
    assert b"\x1b[" not in piped.stdout


def test_help_imports_no_parser() -> None:
    code = (
        "import sys; sys.path.insert(0, sys.argv.pop(1)); from skill.cli import run; run();"
        "heavy = {'libcst', 'ast_grep_py', 'jinja2'} & set(sys.modules); sys.exit(len(heavy))"
    )
    command = [sys.executable, "-I", "-c", code, str(MAIN.parent.parent), "--help"]
    assert subprocess.run(command, stdout=subprocess.DEVNULL, check=False).returncode == 0


def test_the_hosts_own_modules_are_not_imported(tmp_path: Path) -> None:
    for name in ("skill", "modify", "click", "json"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "__init__.py").write_text("raise SystemExit('imported')\n")
    environ = {**os.environ, "PYTHONPATH": str(tmp_path)}
    done = run_outside("rule", cwd=tmp_path, env=environ, stdout=subprocess.PIPE)
    assert (done.returncode, done.stderr) == (0, b"")
