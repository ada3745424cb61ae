"""What ends skillgen ends its bots, and leaves no folder: a signal of any kind."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from skill.storm.fence import NO_FENCE

WAIT_S = 60.0
ENDLESS = {
    # Its first run, the look at it, does not return.
    "v1-class": ("src/channels/whatsapp.ts", "\nfor (;;) {}\n"),
    "s1-link": ("harbor/channels/whatsapp.py", "\nwhile True:\n    pass\n"),
}


def until(found: Callable[[], object]) -> object:
    end = time.monotonic() + WAIT_S
    while time.monotonic() < end:
        seen = found()
        if seen:
            return seen
        time.sleep(0.05)
    pytest.fail(f"not within {WAIT_S:.0f} s")


def processes() -> dict[int, tuple[int, str]]:
    """pid → (parent, command line) of what runs and is not only waited for."""
    done = subprocess.run(
        ["ps", "-ww", "-eo", "pid=,ppid=,stat=,args="], capture_output=True, text=True, check=True
    )
    rows = [line.split(None, 3) for line in done.stdout.splitlines()]
    return {
        int(row[0]): (int(row[1]), row[3])
        for row in rows
        if len(row) == 4 and not row[2].startswith("Z")
    }


def below(pid: int) -> dict[int, str]:
    seen = processes()
    found: dict[int, str] = {}
    waiting = [pid]
    while waiting:
        current = waiting.pop()
        for one, (parent, words) in seen.items():
            if parent == current and one not in found:
                found[one] = words
                waiting.append(one)
    return found


def bots(pid: int) -> dict[int, str]:
    """All processes below, once the bot's own is one of them."""
    found = below(pid)
    runs = any(words.endswith(("main.cjs", "main.py")) for words in found.values())
    return found if runs else {}


@pytest.fixture(params=ENDLESS)
def host(request: pytest.FixtureRequest, checkout: Path, tmp_path: Path) -> Path:
    root = tmp_path / "host"
    file, text = ENDLESS[request.param]
    folder = "_python" if file.endswith(".py") else ""
    leave = shutil.ignore_patterns("node_modules", "fixture.toml", ".skillgen")
    shutil.copytree(checkout / f"tests/hosts{folder}" / request.param, root, ignore=leave)
    channel = root / file
    channel.write_text(channel.read_text("utf-8") + text, "utf-8")
    return root


@pytest.fixture(params=["what works here", "unshare", "no fence"])
def path(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """PATH with what makes a fence, with util-linux only, or with Node.js only."""
    if request.param == "what works here":
        return os.environ["PATH"]
    folder = tmp_path / "bin"
    folder.mkdir()
    names = ["node", *(["unshare", "setpriv"] if request.param == "unshare" else [])]
    for name in names:
        program = shutil.which(name)
        if program is not None:
            (folder / name).symlink_to(program)
    return str(folder)


@pytest.fixture
def started(
    host: Path, path: str, tmp_path: Path, checkout: Path, node_tools: Path
) -> Iterator[subprocess.Popen[str]]:
    temporary = tmp_path / "tmp"
    temporary.mkdir()
    words = [sys.executable, "-m", "skill", "simulate", str(host)]
    words += ["--after-only", "--node-tools", str(node_tools)]
    child = subprocess.Popen(
        words,
        cwd=checkout,
        env={"PATH": path, "TMPDIR": str(temporary), "HOME": str(tmp_path)},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    yield child
    child.kill()
    child.communicate()


@pytest.mark.parametrize("name", ["SIGTERM", "SIGINT", "SIGHUP", "SIGKILL"])
def test_signal_leaves_neither_process_nor_folder(
    started: subprocess.Popen[str], name: str, tmp_path: Path, path: str
) -> None:
    shared = set(Path("/dev/shm").glob("storm-*")) if Path("/dev/shm").is_dir() else set()
    found = until(lambda: bots(started.pid))
    assert isinstance(found, dict)
    folders = [tmp_path / "tmp", *_shared(found)]
    started.send_signal(signal.Signals[name])
    _, error = started.communicate(timeout=WAIT_S)
    until(lambda: not set(found) & set(processes()))
    until(lambda: not any(list(folder.glob("s*-*")) for folder in folders[:1]))
    until(lambda: not (set(_storms()) - shared) or not any(map(Path.exists, folders[1:])))
    assert NO_FENCE in error or "in a fence (" in error
    if path != os.environ["PATH"] and not Path(path, "unshare").exists():
        assert NO_FENCE in error
    if name == "SIGKILL":
        assert started.returncode == -signal.SIGKILL
    else:
        assert started.returncode == 130
        assert error.splitlines()[-1].startswith("skillgen: stopped")
        assert "Traceback" not in error


def _storms() -> list[Path]:
    folder = Path("/dev/shm")
    return list(folder.glob("storm-*")) if folder.is_dir() else []


def _shared(found: dict[int, str]) -> list[Path]:
    """The throw-away folders that the command lines name, wherever they are."""
    return [folder for folder in _storms() if any(str(folder) in words for words in found.values())]
