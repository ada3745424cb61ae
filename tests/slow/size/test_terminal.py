"""Names and texts of a host reach a terminal escaped, one line each; commands are quoted."""

from __future__ import annotations

import os
import pty
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from skill.commands.shell import quoted

CHECKOUT = Path(__file__).resolve().parents[3]
ODD = "\x1b[31mred\n$(touch X)`id`"
OURS = re.compile(r"\x1b\[(?:0|1|31|32|33|36)m")


def on_a_terminal(*arguments: str | Path) -> str:
    entry = str(CHECKOUT / "skill" / "__main__.py")
    process, terminal = pty.fork()
    if process == 0:
        environment = {**os.environ, "TERM": "xterm", "NO_COLOR": ""}
        words = [sys.executable, "-I", entry, *map(str, arguments)]
        os.execve(sys.executable, words, environment)
    read = b""
    while True:
        try:
            block = os.read(terminal, 65_536)
        except OSError:  # Linux: the other end is closed
            break
        if not block:
            break
        read += block
    os.close(terminal)
    os.waitpid(process, 0)
    return read.decode().replace("\r\n", "\n")


@pytest.fixture
def host(tmp_path: Path) -> Path:
    root = Path(shutil.copytree(CHECKOUT / "tests" / "hosts" / "v1-class", tmp_path / "host"))
    folder = root / "src" / ODD
    folder.mkdir()
    shutil.copy(root / "src" / "channels" / "whatsapp.ts", folder)
    memory = '{"version": 1, "attempts": {}, "notBefore": 99999999999999, "code": "a\\u001b[31m"}'
    (folder / "auth-reconnect.json").write_text(memory)
    unit = "[Service]\nExecStart=/usr/bin/node dist/index.js\nRestart=always\n"
    (root / f"{ODD}.service").write_text(unit)
    return root


def test_no_name_acts_on_the_terminal(host: Path) -> None:
    for command in (
        ["inspect", "-v"],
        ["check"],
        ["apply", "--dry-run"],
        ["apply", "--dry-run", "--format", "markdown"],
        ["guard"],
        ["apply"],
        ["check"],
        ["status"],
        ["reset"],
        ["revert"],
        ["install"],
    ):
        shown = on_a_terminal(*command, host)
        assert "\x1b[31mred" not in shown, command
        assert "\x1b" not in OURS.sub("", shown), command
        for line in shown.split("\n"):
            assert "touch X" not in line or "red" in line, command


def test_the_guard_s_command_is_quoted(host: Path) -> None:
    shown = on_a_terminal("guard", host)
    (line,) = (line for line in shown.split("\n") if "touch X" in line and "--unit" in line)
    assert "$'" in line
    assert "\\012$(touch X)" in line


@pytest.mark.parametrize("name", ["plain", "two words", "$(touch X)/", "it's", ODD, "ü\n'\\"])
def test_a_quoted_path_is_one_word_of_a_shell(name: str, tmp_path: Path) -> None:
    word = quoted(name)
    assert word.isprintable()
    if name.isprintable():
        assert shlex.split(word) == [name]
    done = subprocess.run(
        ["bash", "-c", f"printf %s {word}"], cwd=tmp_path, capture_output=True, check=True
    )
    assert done.stdout.decode() == name
    assert not (tmp_path / "X").exists()


def test_a_terminal_folds_what_is_added(tmp_path: Path) -> None:
    host = Path(shutil.copytree(CHECKOUT / "tests" / "hosts" / "v1-class", tmp_path / "bot"))
    folded, whole = (
        OURS.sub("", on_a_terminal("apply", "--dry-run", *more, host)) for more in ((), ("--full",))
    )
    assert "+++ b/src/channels/whatsapp.ts" in folded and "+++ b/setup/service.test.ts" in folded
    assert "+++ b/src/channels/whatsapp-reconnect.ts" not in folded
    assert re.search(r"^\+ src/channels/whatsapp-reconnect.ts, \d+ lines \(--full", folded, re.M)
    assert "+++ b/src/channels/whatsapp-reconnect.ts" in whole and "--full" not in whole
