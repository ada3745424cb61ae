"""What a bot that means harm reaches: with each fence that works here, and without one."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from skill.storm import fence as fences
from skill.storm.child import MOST_ANSWER
from skill.storm.fence import NONE, Fence, Limits
from skill.storm.node.run import prepared
from tests.slow.storm.hostile.play import fence_of, name_of

KINDS = ("bubblewrap", "unshare", "none")
AS_NOBODY = ("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "--")
SECRET = "a token that nobody may read"


@pytest.fixture(scope="session")
def working() -> dict[str, Fence]:
    """The fences that work on this machine, each tried out."""
    found = {one.kind: one for one in fences.candidates() if not fences.problem(one)}
    print(f"fences that work here: {', '.join(found) or 'none'}")
    return found


@pytest.fixture(params=KINDS)
def fence(
    request: pytest.FixtureRequest, working: dict[str, Fence], capsys: pytest.CaptureFixture[str]
) -> Fence:
    """Each kind of fence. One that does not work here must not be what find() takes; the tests
    are then of what runs instead, which the output names.
    """
    kind: str = request.param
    if kind == "none":
        return NONE
    if kind in working:
        return working[kind]
    found = fences.find()
    assert found.kind != kind
    with capsys.disabled():
        print(f"\nno {kind} here ({found.why}): tested is {found.kind or 'no fence'}")
    return found


@dataclass(frozen=True)
class Played:
    """said: what each door led to. dialled: whether the bot's TCP connection arrived."""

    said: dict[str, str]
    not_run: str
    attempts: int
    dialled: bool
    outside: Path


Play = Callable[..., Played]


@pytest.fixture
def play(tmp_path: Path, checkout: Path, node_tools: Path) -> Iterator[Play]:
    home = tmp_path / "home"
    home.mkdir()
    (home / "token").write_text(SECRET, "utf-8")
    outside = home / "outside"
    with socket.create_server(("127.0.0.1", 0)) as server:

        def call(bot: str, fence: Fence, *doors: str, limit_s: float = 30.0) -> Played:
            asked = {
                "bot": bot,
                "fence": name_of(fence),
                "node_tools": str(node_tools),
                "limit_s": limit_s,
                "environment": {
                    "SECRET": SECRET,
                    "SECRET_FILE": str(home / "token"),
                    "OUTSIDE": str(outside),
                    "PORT": str(server.getsockname()[1]),
                    "DOORS": "; ".join(doors),
                },
            }
            assert fence_of(asked["fence"]) == fence
            done = subprocess.run(
                [sys.executable, "-m", "tests.slow.storm.hostile.play"],
                cwd=checkout,
                env={**os.environ, "HOME": str(home), "TOKEN": SECRET},
                input=json.dumps(asked),
                capture_output=True,
                text=True,
                timeout=240,
                check=False,
            )
            # It was not killed, and nothing of the bot's is an error of ours.
            assert (done.returncode, done.stderr) == (0, "")
            found = json.loads(done.stdout)
            server.settimeout(0.2)
            try:
                server.accept()[0].close()
                dialled = True
            except TimeoutError:
                dialled = False
            said = dict(line.split(": ", 1) for line in found["said"] if ": " in line)
            return Played(said, found["not_run"], found["attempts"], dialled, outside)

        yield call


NODE_DOORS = (
    "environment of the parent",
    "environment of any process",
    "own environment",
    "a file of the user",
    "a write outside",
    "a write over what runs it",
    "tcp",
    "a kill of the parent",
    "a shell",
    "a shell, lower",
    "native code",
    "threads",
    "/dev/shm",
)
PYTHON_DOORS = (
    "rights",
    "environment of the parent",
    "environment of any process",
    "own environment",
    "a file of the user",
    "a shell",
    "a kill of the parent",
    "a write by a folder's number",
    "a write by a database",
    "tcp",
    "a socket to the machine",
    "a namespace of its own",
    "a mount",
    "a setting of the kernel",
    "the tie to the parent",
    "an orphan",
    "forks",
    "/dev/shm",
)
# What a bot reaches where there is no fence, at the most: the words say "malice".
OPEN_WITHOUT = {
    "rights",
    "environment of the parent",
    "environment of any process",
    "a file of the user",
    "a write by a folder's number",
    "a write by a database",
    "a setting of the kernel",
    "/dev/shm",
}


@pytest.mark.parametrize(("bot", "doors"), [("bot.cjs", NODE_DOORS), ("bot.py", PYTHON_DOORS)])
def test_every_door(play: Play, fence: Fence, bot: str, doors: tuple[str, ...]) -> None:
    try:
        played = play(bot, fence, *doors)
    finally:
        for file in Path("/dev/shm").glob("hostile-*"):
            file.unlink()
        left = orphans()
        for number in left:  # started by this bot: nothing else has such a name
            os.kill(number, signal.SIGKILL)
    assert set(played.said) == set(doors), played
    reached = {door for door, led in played.said.items() if led.startswith("REACHED")}
    if fence.kind:
        assert reached == set(), played.said
        assert not played.outside.exists()
        assert not played.dialled
    else:
        # What the words promise without one: its environment is its own, and it ends with us.
        assert "own environment" not in reached
        assert reached <= OPEN_WITHOUT | WITHOUT_FILTER
    assert (played.attempts, played.not_run) == (1, "")
    assert left == [] or not (fence.kind or _filters())


def _filters() -> bool:
    try:
        import ctypes

        ctypes.CDLL("libseccomp.so.2")
    except OSError:
        return False
    return True


# Where there is no libseccomp either, and so no fence.
WITHOUT_FILTER = (
    set()
    if _filters()
    else {*NODE_DOORS, *PYTHON_DOORS} - {"own environment", "a kill of the parent"}
)


def orphans() -> list[int]:
    command = ["ps", "-ww", "-eo", "pid=,args="]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    rows = [line.split(None, 1) for line in done.stdout.splitlines()]
    return [int(row[0]) for row in rows if row[-1].startswith("hostile-orphan")]


BOUNDED = [
    ("bot.cjs", "memory in buffers", 17),
    ("bot.cjs", "a large file", 4),
    ("bot.cjs", "many files", 20_000),
    ("bot.py", "memory", 17),
    ("bot.py", "shared memory", 32),
    ("bot.py", "memory in files", 2),
    ("bot.py", "memory in segments", 1),
    ("bot.py", "a large file", 4),
    ("bot.py", "many files", 20_000),
]
# Without a fence it writes to the disk, in files of a bounded size, as many as it likes.
UNBOUNDED_WITHOUT = {"many files"}


@pytest.mark.parametrize("bot", ["bot.cjs", "bot.py"])
def test_memory_and_files_are_bounded(play: Play, fence: Fence, bot: str) -> None:
    bounds = {door: most for where, door, most in BOUNDED if where == bot}
    played = play(bot, fence, *bounds)
    assert set(played.said) == set(bounds), played
    for door, led in played.said.items():
        if not fence.kind and (door in UNBOUNDED_WITHOUT or not _filters()):
            continue
        stopped = re.fullmatch(r"(\d+) of \d+, then \w+", led)
        assert stopped and int(stopped[1]) <= bounds[door], (door, led)


@pytest.mark.parametrize(
    ("bot", "door", "said"),
    [
        ("bot.cjs", "junk for the reader", r"the bot wrote '.+' where the runner answers: not run"),
        ("bot.cjs", "another shape", r"the bot wrote '.+' where the runner answers: not run"),
        ("bot.cjs", "a line for the reader", r"the bot wrote more than 32 MB where .+: not run"),
        ("bot.cjs", "no end", "the host's code did not return within 16 s"),
        ("bot.py", "junk for the reader", r"the bot wrote '.+' where the runner answers: not run"),
        ("bot.py", "another shape", r"the bot wrote '.+' where the runner answers: not run"),
        ("bot.py", "a line for the reader", r"the bot wrote more than 32 MB where .+: not run"),
    ],
)
def test_junk_is_one_line_and_not_run(play: Play, bot: str, door: str, said: str) -> None:
    played = play(bot, fences.find(), door, limit_s=2.0)
    assert re.fullmatch(said, played.not_run), played
    assert played.attempts == 0
    assert MOST_ANSWER == 32 << 20


def test_noise_of_the_bot_is_no_answer(play: Play) -> None:
    played = play("bot.cjs", fences.find(), "noise")
    assert (played.attempts, played.not_run) == (1, "")


def test_nothing_but_the_host_is_bundled(tmp_path: Path, node_tools: Path, fence: Fence) -> None:
    host, beside = tmp_path / "host", tmp_path / "beside"
    host.mkdir()
    beside.mkdir()
    (beside / "token.json").write_text(json.dumps(SECRET), "utf-8")
    (beside / "token.ts").write_text(f"export default {json.dumps(SECRET)}", "utf-8")
    (host / "link.json").symlink_to(beside / "token.json")
    (host / "folder").symlink_to(beside)
    (beside / "base.json").write_text(
        json.dumps({"compilerOptions": {"paths": {"~/*": [f"{beside}/*"]}}}), "utf-8"
    )
    (host / "tsconfig.json").write_text(
        json.dumps(
            {
                "extends": str(beside / "base.json"),
                "compilerOptions": {"paths": {"@/*": [f"{beside}/*", "../beside/*"]}},
            }
        ),
        "utf-8",
    )
    names = (
        f"{beside}/token.json",
        "../beside/token.json",
        "../beside/token",
        "./link.json",
        "./folder/token.json",
        "@/token.json",
        "@/token",
        "~/token.json",
    )
    lines = [f"import a{at} from '{name}';" for at, name in enumerate(names)]
    lines += [f"console.log('seen', JSON.stringify(a{at}));" for at in range(len(names))]
    (host / "main.ts").write_text("\n".join(lines), "utf-8")
    with prepared(host, "main.ts", driver="main", node_tools=node_tools, fence=fence) as trial:
        text = trial.bundle.read_text("utf-8")
    assert text.count("'seen'") + text.count('"seen"') == len(names)
    assert SECRET not in text


def test_a_fence_counts_only_when_it_works(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("bwrap", "unshare", "setpriv"):
        file = tmp_path / name
        file.write_text("#!/bin/sh\necho 'no permission for namespaces' >&2; exit 1\n")
        file.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    found = fences.find.__wrapped__()
    assert found.kind == ""
    assert found.words.startswith("no fence here: this stops accidents, not malice (")
    assert "no permission for namespaces" in found.words


def test_the_words_are_those_of_the_pages(checkout: Path) -> None:
    from skill import cli

    proof = " ".join((checkout / "docs" / "proof.md").read_text("utf-8").split()).lower()
    skill = " ".join((checkout / "SKILL.md").read_text("utf-8").split())
    command = " ".join((cli.main.commands["simulate"].help or "").split())
    assert fences.FENCED in proof and fences.FENCED_MACOS in proof
    for page in (proof, skill, command):
        assert fences.NO_FENCE in page


def test_a_user_without_rights_has_the_fence_too(
    play: Play, working: dict[str, Fence], tmp_path: Path, checkout: Path
) -> None:
    """As nobody where this is root, for both differ in how the fence is made."""
    if os.geteuid() != 0:
        assert fences.find().kind in ("", *working)
        return
    source = tmp_path / "skillgen"
    leave = shutil.ignore_patterns("__pycache__")
    shutil.copytree(checkout / "skill", source / "skill", ignore=leave)
    for folder in (source, *source.rglob("*")):
        folder.chmod(0o755)
    opened = [folder for folder in tmp_path.parents if folder != Path("/")]
    before = [(folder, folder.stat().st_mode & 0o7777) for folder in (tmp_path, *opened)]
    script = source / "rights.py"
    shutil.copyfile(checkout / "tests/slow/storm/hostile/rights.py", script)
    script.chmod(0o644)
    python = python_for_all()
    try:
        for folder, mode in before:
            folder.chmod(mode | 0o011)
        done = subprocess.run(
            [*AS_NOBODY, python, "-I", "-B", str(script)],
            cwd="/",
            env={"PATH": os.environ["PATH"], "HOME": "/nonexistent", "TOKEN": SECRET},
            capture_output=True,
            text=True,
            check=False,
        )
    finally:
        for folder, mode in before:
            folder.chmod(mode)
    assert done.returncode == 0, done.stderr
    seen = json.loads(done.stdout)
    print(seen)
    if not seen["fences"]:
        assert seen["words"].startswith(fences.NO_FENCE)
    for found in seen["fences"].values():
        assert found == {"rights": [], "processes": 1, "secret": False}


def python_for_all() -> str:
    for python in (sys.executable, "/usr/bin/python3", "/usr/local/bin/python3"):
        code = "import os, sys; old = sys.version_info < (3, 11)\n"
        code += "sys.exit(old or not os.access(sys.executable, os.X_OK))"
        words = [*AS_NOBODY, python, "-I", "-c", code]
        done = subprocess.run(words, capture_output=True, check=False)
        if done.returncode == 0:
            return python
    pytest.fail("no Python 3.11 that another user may run; install python3 for all users")


def test_limits_are_those_of_the_request(tmp_path: Path) -> None:
    """Where the parent's own limits are lower, they stay."""
    words = fences.NONE.command(
        [sys.executable, "-c", "import resource as r; print(r.getrlimit(r.RLIMIT_FSIZE))"],
        reads=(),
        place=tmp_path,
        work=tmp_path,
        limits=Limits(memory=1 << 30, cpu_s=20, threads=64),
        answers=3,
    )
    script = 'ulimit -f 1024; exec 3>/dev/null; exec "$@"'
    done = subprocess.run(
        ["/bin/sh", "-c", script, "sh", *words], capture_output=True, text=True, check=False
    )
    assert done.stdout.strip() in ("(524288, 524288)", "(1048576, 1048576)"), done
