"""What the host's own commands reach: their copies, and where there is a fence, nothing else."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from skill.storm import fence as fences
from tests.quick.cli.conftest import Skillgen, committed, content_of
from tests.slow.storm.test_fence import AS_NOBODY, python_for_all
from tests.slow.verify.conftest import Scripts

REACH = """
import socket, sys, threading
own = socket.create_server(("127.0.0.1", 0))
threading.Thread(target=own.accept, daemon=True).start()
socket.create_connection(own.getsockname(), 5)
try:
    socket.create_connection(("127.0.0.1", int(sys.argv[1])), 5)
except OSError:
    sys.exit("fenced in")
"""


@pytest.fixture(params=["what works here", "bubblewrap", "none"])
def kind(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """The kind of fence in force. One that does not work here is not what find() takes."""
    found = fences.find()
    if request.param == "none":
        found = fences.NONE
    elif request.param == "bubblewrap":
        others = [fence for fence in fences.candidates() if fence.kind == "bubblewrap"]
        working = [fence for fence in others if not fences.problem(fence)]
        assert working or found.kind != "bubblewrap"
        found = (working or [found])[0]
    monkeypatch.setattr("skill.storm.fence.find", lambda: found)
    return found.kind


@pytest.fixture
def listening() -> Iterator[socket.socket]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(0.2)
        yield server


def test_a_build_that_writes_leaves_the_host_as_it_is(
    skillgen: Skillgen, scripts: Scripts, kind: str
) -> None:
    host = scripts(
        build="rm README.md && echo > built.txt && find . -name '*.ts' -exec sh -c 'echo >> \"$0\"'"
        " {} ';'"
    )
    (host / "node_modules/library").mkdir(parents=True)
    (host / "node_modules/library/index.ts").write_text("0;\n")
    before = content_of(host)
    outcome = skillgen("apply", "--dry-run", "--verify", host)
    assert outcome.code == 0
    assert "build" in outcome.out and "green" in outcome.out
    assert content_of(host) == before


def test_the_network_is_its_own(
    skillgen: Skillgen, scripts: Scripts, kind: str, listening: socket.socket
) -> None:
    host = scripts(test=f"'{sys.executable}' reach.py {listening.getsockname()[1]}")
    (host / "reach.py").write_text(REACH)
    outcome = skillgen("apply", "--dry-run", "--verify", host)
    assert outcome.code == 0
    assert ("fenced in" in outcome.out) is bool(kind)
    try:
        listening.accept()
        reached = True
    except TimeoutError:
        reached = False
    assert reached is not bool(kind)


def test_both_sides_may_have_the_same_port(
    skillgen: Skillgen, scripts: Scripts, kind: str, listening: socket.socket
) -> None:
    port = listening.getsockname()[1]
    listening.close()
    code = f"import socket, time; s = socket.create_server(('127.0.0.1', {port})); time.sleep(1)"
    outcome = skillgen(
        "apply", "--dry-run", "--verify", scripts(test=f"'{sys.executable}' -c \"{code}\"")
    )
    [row] = [line for line in outcome.out.splitlines() if line.startswith("  all tests")]
    assert row.count("green") == 2, outcome.out


def test_the_throw_away_folder_may_lie_in_memory(
    skillgen: Skillgen, scripts: Scripts, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """``TMPDIR`` below ``/dev/shm``, of which the fence shows nothing else."""
    memory = Path("/dev/shm")
    host = scripts(test="test -e package.json")
    with tempfile.TemporaryDirectory(dir=memory if memory.is_dir() else None) as made:
        with monkeypatch.context() as patch:
            patch.setattr(tempfile, "tempdir", made)
            outcome = skillgen("apply", "--dry-run", "--verify", host)
        assert os.listdir(made) == []
    [row] = [line for line in outcome.out.splitlines() if line.startswith("  all tests")]
    assert row.count("green") == 2, outcome.out


def test_nothing_is_written_elsewhere(
    skillgen: Skillgen, scripts: Scripts, kind: str, tmp_path: Path
) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    mark = outside / "mark"
    text = f"echo > '{mark}'; echo > \"$HOME/mark\" && echo > /tmp/verify-$$ && rm /tmp/verify-$$"
    host = scripts(test=f"{text} && echo > \"$TMPDIR/mark\" && echo 'it writes'")
    outcome = skillgen("apply", "--dry-run", "--verify", host)
    assert outcome.code == 0
    assert "→ green" in outcome.out
    assert mark.exists() is not bool(kind)
    assert not (Path.home() / "mark").exists()


def test_what_it_leaves_running_ends(
    skillgen: Skillgen, scripts: Scripts, kind: str, tmp_path: Path
) -> None:
    host = scripts(test="sleep 987.5 & echo left")
    assert skillgen("apply", "--dry-run", "--verify", host).code == 0
    listed = subprocess.run(["ps", "-eo", "args="], capture_output=True, text=True, check=True)
    assert "sleep 987.5" not in listed.stdout.splitlines()


def test_secrets_are_neither_copied_nor_handed_on(
    skillgen: Skillgen, scripts: Scripts, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MY_API_KEY", "secret")
    monkeypatch.setenv("MY_WORD", "plain")
    host = scripts(
        test='test -z "$MY_API_KEY" && test "$MY_WORD" = plain && ! test -e .env'
        " && ! test -e store/auth/key && test -e .env.example && test -e store/notes"
    )
    for path in ("store/auth/creds.json", "store/auth/key", ".env", ".env.example", "store/notes"):
        (host / path).parent.mkdir(parents=True, exist_ok=True)
        (host / path).write_text("secret")
    outcome = skillgen("apply", "--dry-run", "--verify", host)
    assert outcome.code == 0
    assert "→ green" in outcome.out


def test_git_runs_nothing_that_a_repository_names(
    skillgen: Skillgen, scripts: Scripts, kind: str, tmp_path: Path
) -> None:
    mark = tmp_path / "mark"
    program = tmp_path / "program"
    program.write_text(f"#!/bin/sh\ntouch '{mark}'\ncat\n")
    program.chmod(0o755)
    host = scripts(test="git status --short && git add -A && git stash -q && git rev-parse HEAD")
    (host / ".gitattributes").write_text("* filter=hostile\n")
    committed(host)
    for name in ("pre-commit", "post-checkout", "post-index-change", "fsmonitor-watchman"):
        shutil.copy(program, host / ".git/hooks" / name)
    with (host / ".git/config").open("a") as config:
        config.write(
            f'[core]\n\tfsmonitor = "{program}"\n\thooksPath = .git/hooks\n'
            f'[filter "hostile"]\n\tclean = "{program}"\n\tsmudge = "{program}"\n'
        )
    before = content_of(host)
    outcome = skillgen("apply", "--dry-run", "--verify", host)
    assert outcome.code == 0, outcome
    assert "→ green" in outcome.out, outcome.out
    assert not mark.exists()
    assert content_of(host) == before


def test_what_is_not_committed_is_part_of_it(
    skillgen: Skillgen, scripts: Scripts, kind: str
) -> None:
    host = scripts(test="grep -q edited README.md && test -e new.txt && test -L link")
    committed(host)
    (host / "README.md").write_text("edited\n")
    (host / "new.txt").write_text("")
    (host / "link").symlink_to(host / "new.txt")
    outcome = skillgen("apply", "--dry-run", "--verify", host)
    assert "→ green" in outcome.out, outcome.out


@pytest.mark.parametrize("way", ["absolute", "relative"])
def test_a_link_into_the_host_leads_into_the_copy(
    skillgen: Skillgen, scripts: Scripts, kind: str, way: str
) -> None:
    host = scripts(test="echo changed > node_modules/@me/own/README.md && grep changed README.md")
    (host / "node_modules/@me").mkdir(parents=True)
    (host / "node_modules/@me/own").symlink_to(host if way == "absolute" else "../..")
    outcome = skillgen("apply", "--dry-run", "--verify", host)
    assert "→ green" in outcome.out, outcome.out
    assert (host / "README.md").read_text() == "a host\n"


ALONE = """
import os, subprocess, sys
from pathlib import Path
sys.path.insert(0, sys.argv[1])
from skill.storm import fence as fences
from skill.storm.folder import throw_away
from skill.verify.fence import Fence

outside = Path(sys.argv[1], "outside")
outside.mkdir()
(outside / "library").write_text("as it is")
with throw_away("skillgen-", sys.argv[1]) as folder:
    (folder / "tmp").mkdir()
    (folder / "copy").mkdir()
    fence = Fence(fences.find(), folder)
    layer = outside, folder / "copy", "in", folder / "layer"
    layered = fence.has_namespaces and fence.layered(*layer)
    text = f"id -u; echo > mine; echo > {outside}/mine; grep CapEff /proc/self/status"
    text += "; cat in/library; echo > in/library; rm in/library; ls in" if layered else ""
    words = (layered or fence).command(
        ["/bin/sh", "-c", text], side=folder / "copy", temporary=folder / "tmp"
    )
    done = subprocess.run(words, capture_output=True, text=True)
    there = (folder / "copy/mine").exists(), (outside / "mine").exists()
print([bool(fence.found.kind), *there, folder.exists(), (outside / "library").read_text()])
print(done.stdout, done.stderr)
"""


def test_who_runs_it_is_who_it_was_and_has_no_rights(checkout: Path) -> None:
    """As nobody where this is root, for both differ in how the fence is made."""
    leave = shutil.ignore_patterns("__pycache__")
    with tempfile.TemporaryDirectory() as made:
        shutil.copytree(checkout / "skill", Path(made) / "skill", ignore=leave)
        subprocess.run(["chmod", "-R", "a+rwX", made], check=True)
        as_it = [] if os.geteuid() else [*AS_NOBODY, python_for_all(), "-I"]
        done = subprocess.run(
            [*(as_it or [sys.executable]), "-B", "-c", ALONE, made],
            cwd="/",
            env={"PATH": os.environ["PATH"], "TMPDIR": made, "HOME": made},
            capture_output=True,
            text=True,
            timeout=120,
        )
        assert done.returncode == 0, done.stderr
    first, user, *rest = done.stdout.splitlines()
    assert user == str(os.geteuid() or 65534)
    if first.startswith("[True"):
        assert first == "[True, True, False, False, 'as it is']", done.stdout
        assert rest[0].split() == ["CapEff:", "0000000000000000"]
    else:
        assert first == "[False, True, True, False, 'as it is']"
