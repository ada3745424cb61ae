"""What may lie where the memory is, and who else writes it: real processes, both languages."""

from __future__ import annotations

import json
import os
import queue
import re
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from skill.policy import POLICY, Backoff, Policy
from skill.render.python import render_python_module
from skill.render.style import CANONICAL
from skill.render.typescript import render_channel_module

HERE = Path(__file__).resolve().parent
PATIENCE = 20
"""Seconds after which a process hangs; each answer takes milliseconds."""
QUICK = Policy(
    transient=Backoff(first=0.05, cap=3, first_jitter=2), unwritable_wait=0.5, recheck=0.5
)
LINKED = {
    "noiseKey": {"public": {"type": "Buffer", "data": "Ym90"}},
    "registrationId": 7,
    "me": {"id": "4917012345678:1@s.whatsapp.net"},
    "account": {},
    "registered": True,
}
LONGEST_DELAY = 450
"""Seconds: five minutes with their jitter."""
LANGUAGES = ("typescript", "python")


class Process:
    """One process of a bot."""

    def __init__(self, command: list[str], cwd: Path) -> None:
        pipe = subprocess.PIPE
        home = cwd.parent / "home"
        home.mkdir(exist_ok=True)
        environment = {"PATH": os.environ["PATH"], "HOME": str(home)}
        self.process = subprocess.Popen(
            command, cwd=cwd, env=environment, stdin=pipe, stdout=pipe, text=True
        )
        self.answers: queue.Queue[str] = queue.Queue()
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.answers.put(line)
        self.answers.put("")

    def ask(self, do: str, **more: Any) -> Any:
        assert self.process.stdin is not None
        print(json.dumps({"do": do, **more}), file=self.process.stdin, flush=True)
        try:
            line = self.answers.get(timeout=PATIENCE)
        except queue.Empty:
            pytest.fail(f"no answer to {do}")
        assert line, f"the process has ended at {do}: {self.process.wait(PATIENCE)}"
        return json.loads(line)

    def turn(self, seconds: float = 0.3) -> str:
        return str(self.ask("turn", s=seconds))

    def logs(self) -> str:
        return "\n".join(self.ask("logs"))

    def wait(self) -> float:
        """Seconds of the wait that was logged last."""
        return float(re.findall(r" in ([\d.]+) s", self.logs())[-1])


class Bot:
    """The folder of a bot, its credentials in ``auth``."""

    def __init__(self, root: Path, language: str, policy: Policy) -> None:
        self.root = root / "bot"
        self.auth = self.root / "auth"
        self.file = self.root / "auth-reconnect.json"
        self.auth.mkdir(parents=True)
        self.link(self.auth)
        self.running: list[Process] = []
        if language == "python":
            self.command = [sys.executable, "drive_memory.py"]
            text = render_python_module("1", "full", policy=policy)
            (self.root / "whatsapp_reconnect.py").write_text(text)
        else:
            self.command = ["node", "drive_memory.mjs"]
            text = render_channel_module(CANONICAL, "1", ".mjs", policy)
            (self.root / "whatsapp-reconnect.mjs").write_text(text)
        driver = self.command[-1]
        (self.root / driver).write_text((HERE / driver).read_text())

    def link(self, folder: Path, number: str = "4917012345678") -> None:
        me = {"id": f"{number}:1@s.whatsapp.net"}
        (folder / "creds.json").write_text(json.dumps(LINKED | {"me": me}))

    def start(self, **options: Any) -> Process:
        words = json.dumps({"auth": "auth", **options})
        process = Process([*self.command, words], self.root)
        self.running.append(process)
        return process

    def kept(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.file.read_text())
        return found

    def keep(self, **memory: Any) -> None:
        """A memory file, as both versions of the module write it."""
        old = {"kind": "transient", "wait": 0, "retried": False, "free": False}
        decided = time.time() * 1000 - 1000
        known = {"version": 1, "attempts": {}, "code": "408", "level": 1, **old}
        known["decidedAt"] = decided
        self.file.write_text(json.dumps(known | memory))

    def parts(self) -> list[Path]:
        return [path for path in self.root.iterdir() if path.name.endswith(".tmp")]

    def end(self) -> None:
        for process in self.running:
            process.process.kill()
            process.process.wait(PATIENCE)


@pytest.fixture
def quick() -> None:
    """The bot's policy is a hundred times as fast."""


@pytest.fixture(params=LANGUAGES)
def bot(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Bot]:
    made = Bot(tmp_path, request.param, QUICK if "quick" in request.fixturenames else POLICY)
    yield made
    made.end()


# --- two processes ---


def test_another_process_erases_no_verdict(bot: Bot) -> None:
    one, two = bot.start(), bot.start()
    assert one.turn() == "granted"
    assert two.turn() == "waiting"
    one.ask("close", code=401)
    assert bot.kept()["verdict"]["code"] == "401"
    two.ask("stop")  # which writes
    assert bot.kept()["verdict"]["code"] == "401"
    assert bot.start().turn() == "refused"


def test_another_process_shortens_no_hold(bot: Bot) -> None:
    one, two = bot.start(), bot.start()
    assert one.turn() == "granted"
    assert two.turn() == "waiting"
    one.ask("close", code=429)
    until = bot.kept()["notBefore"]
    two.ask("stop")
    assert bot.kept()["notBefore"] == until
    third = bot.start()
    assert third.turn() == "waiting"
    assert third.wait() > 250


@pytest.mark.parametrize("code", [408, 515])
def test_a_hold_outlives_the_failure_of_another_process(bot: Bot, code: int) -> None:
    one = bot.start()
    assert one.turn() == "granted"
    bot.keep(notBefore=0)
    two = bot.start()
    assert two.turn() == "granted"
    two.ask("close", code=429)
    one.ask("close", code=code)
    third = bot.start()
    assert third.turn() == "waiting"
    assert third.wait() > 250


def test_the_attempts_of_all_processes_count(bot: Bot) -> None:
    one = bot.start()
    assert one.turn() == "granted"
    bot.keep(notBefore=0, attempts=bot.kept()["attempts"])
    two = bot.start()
    assert two.turn() == "granted"
    one.ask("close", code=408)
    two.ask("close", code=408)
    assert len(bot.kept()["attempts"]) == 2


def test_a_new_link_that_another_process_has_seen_stays(bot: Bot) -> None:
    one = bot.start()
    assert one.turn() == "granted"
    old = bot.kept()["identity"]
    bot.link(bot.auth, "4917087654321")
    two = bot.start()
    assert two.turn(1) in ("granted", "waiting")
    new = bot.kept()["identity"]
    assert new not in ("", old)
    one.ask("stop")  # which writes
    assert bot.kept()["identity"] == new


def test_a_verdict_on_an_old_link_is_none_on_the_new_one(bot: Bot) -> None:
    one = bot.start()
    assert one.turn() == "granted"
    bot.link(bot.auth, "4917087654321")
    one.ask("close", code=401)
    assert bot.kept()["verdict"] is None
    assert one.turn() == "waiting"
    assert bot.start().turn(1) != "refused"


def test_another_process_forgets_no_restart(bot: Bot) -> None:
    """Right after pairing, a 401 may be credentials that were not saved yet: one retry."""
    one, two = bot.start(), bot.start()
    assert one.turn() == "granted"
    assert two.turn() == "waiting"
    one.ask("close", code=515)
    mark = bot.kept()["restartAt"]
    assert mark > 0
    two.ask("stop")  # which writes
    # No time is ahead of the clock of the process that reads it: some milliseconds.
    assert abs(bot.kept()["restartAt"] - mark) < 1_000
    assert one.turn(5) == "granted"
    one.ask("close", code=401)
    assert bot.kept()["verdict"] is None
    assert one.turn() == "waiting"


# --- how it is written ---


def test_two_processes_with_one_number_write_files_of_their_own(bot: Bot) -> None:
    """In two containers, both are process 1."""
    other = bot.root / "auth-reconnect.json.1.tmp"
    other.write_text("half of what anoth")
    assert bot.start(pid=1).turn() == "granted"
    assert other.read_text() == "half of what anoth"
    assert len(bot.kept()["attempts"]) == 1


def test_a_link_in_the_place_of_the_temporary_file_is_not_followed(bot: Bot) -> None:
    victim = bot.root / "victim"
    victim.write_text("precious")
    (bot.root / "auth-reconnect.json.1.tmp").symlink_to(victim)
    assert bot.start(pid=1).turn() == "granted"
    assert victim.read_text() == "precious"
    assert not bot.file.is_symlink()


def test_what_a_killed_process_left_behind_is_removed(bot: Bot) -> None:
    killed = bot.start(dies=True)
    with pytest.raises(AssertionError, match="has ended at turn: -9"):
        killed.turn()
    (part,) = bot.parts()
    assert bot.start().turn() == "granted"
    assert bot.parts() == [part]  # another process may be writing it just now
    old = time.time() - 7200
    os.utime(part, (old, old))
    bot.start().turn()
    assert bot.parts() == []


def test_nobody_else_can_read_it(bot: Bot) -> None:
    bot.start().turn()
    assert bot.file.stat().st_mode & 0o077 == 0


# --- what lies in its place ---


def test_a_pipe_in_its_place_does_not_hang_the_bot(bot: Bot) -> None:
    os.mkfifo(bot.file)
    process = bot.start()
    assert process.turn() == "waiting"
    assert "corrupt" in process.logs()
    assert bot.file.is_file()


def test_a_link_in_its_place_is_not_believed(bot: Bot) -> None:
    bot.keep(code="started", notBefore=0)
    elsewhere = bot.root / "elsewhere.json"
    bot.file.rename(elsewhere)
    before = elsewhere.read_text()
    bot.file.symlink_to(elsewhere)
    process = bot.start()
    assert process.turn() == "waiting"
    assert "corrupt" in process.logs()
    assert not bot.file.is_symlink()
    assert elsewhere.read_text() == before


@pytest.mark.usefixtures("quick")
def test_a_folder_in_its_place_is_said_once_and_waited_for(bot: Bot) -> None:
    bot.file.mkdir()
    process = bot.start()
    assert process.turn(0.1) == "waiting"
    assert process.turn(5) == "granted"
    process.ask("close", code=408)
    assert process.turn(5) == "granted"
    assert process.logs().count("cannot write") == 1
    assert bot.parts() == []


def test_two_hundred_thousand_attempts_are_not_carried_along(bot: Bot) -> None:
    now = time.time() * 1000
    bot.keep(attempts={f"x-{number}": now for number in range(200_000)})
    process = bot.start()
    assert process.turn() == "waiting"
    assert bot.file.stat().st_size < 65_536
    assert process.wait() <= 3600


def test_a_wait_of_the_last_version_is_kept(bot: Bot) -> None:
    bot.keep(notBefore=time.time() * 1000 + 9000, wait=9000, decidedAt=None)
    assert bot.start().turn() == "waiting"


def test_a_verdict_of_the_last_version_is_kept(bot: Bot) -> None:
    bot.start().turn()
    identity = bot.kept()["identity"]
    verdict = {"code": "401", "at": time.time() * 1000}
    bot.keep(code="401", notBefore=0, identity=identity, verdict=verdict)
    assert bot.start().turn() == "refused"


def test_a_wait_until_2058_is_not_believed(bot: Bot) -> None:
    bot.keep(notBefore=2_777_000_000_000, wait=2_777_000_000_000)
    process = bot.start()
    assert process.turn() == "waiting"
    assert process.wait() <= LONGEST_DELAY


@pytest.mark.parametrize("wait", [0, 1_000_000_000_000])
def test_a_ban_until_2058_is_over_in_a_month(bot: Bot, wait: int) -> None:
    bot.keep(code="402", kind="blocked", blocked=1, notBefore=2_777_000_000_000, wait=wait)
    process = bot.start()
    process.turn()
    assert not process.logs() or process.wait() <= 30 * 86_400


ODD = {
    "no version": {},
    "a list": [],
    "deep": "[" * 30_000,
    "a level without end": {"version": 1, "level": 10**400, "notBefore": 9e15},
    "a negative level": {"version": 1, "level": -7, "code": "408"},
    "a fraction": {"version": 1, "level": 2.5, "hits": 1.5, "blocked": 0.1},
    "words for numbers": {"version": 1, "level": "x", "notBefore": "x", "pid": "x"},
    "attempts as a list": {"version": 1, "attempts": [1, 2]},
    "attempts as words": {"version": 1, "attempts": {"a": "x", "b": None, "c": {}}},
    "attempts before time": {"version": 1, "attempts": {"a": -1e300}},
    "a verdict as a word": {"version": 1, "verdict": "401"},
    "a verdict of another shape": {"version": 1, "verdict": {"code": 401, "at": "x"}},
    "a verdict without an end": {
        "version": 1,
        "verdict": {"code": "401", "at": 1e300, "identity": ""},
    },
    "numbers beyond any time": {
        "version": 1,
        **dict.fromkeys(("level", "blocked", "restarts", "hits", "pid"), 1e300),
        **dict.fromkeys(("notBefore", "decidedAt", "openedAt", "downSince"), 1e300),
        **dict.fromkeys(("restartAt", "cleared", "wait"), 1e300),
        "attempts": {"a": 1e300, "b": -1e300},
        "code": "429",
    },
    "nothing but null": {"version": 1, "attempts": None, "code": None, "identity": None},
    "the far future": {"version": 1, "downSince": 9e15, "restartAt": 9e15, "cleared": 9e15},
    "infinity": '{"version": 1, "level": 1e999, "notBefore": 1e999, "hits": 1e999}',
    "not a number": '{"version": 1, "level": NaN, "notBefore": NaN}',
}


@pytest.mark.parametrize("content", ODD.values(), ids=ODD)
def test_whatever_is_in_it_the_bot_goes_on(bot: Bot, content: Any) -> None:
    bot.file.write_text(content if isinstance(content, str) else json.dumps(content))
    process = bot.start()
    outcome = process.turn()
    assert outcome in ("granted", "waiting")
    if outcome == "waiting":
        assert process.wait() <= 5400
    process.ask("close", code=408)
    assert bot.kept()["version"] == 1
    again = bot.start()
    assert again.turn() == "waiting"
    assert again.wait() <= 5400


# --- a logger ---


@pytest.mark.parametrize("logger", ["throws", "bare", "none"])
def test_a_logger_does_not_stop_the_bot(bot: Bot, logger: str) -> None:
    process = bot.start(logger=logger)
    assert process.turn() == "granted"
    process.ask("close", code=408)
    assert process.turn() == "waiting"
    again = bot.start(logger=logger)
    assert again.turn() == "waiting"
    again.ask("stop")
    bot.keep(notBefore=0)
    third = bot.start(logger=logger)
    assert third.turn() == "granted"
    third.ask("close", code=401)
    assert third.turn() == "refused"
    assert len(third.ask("logs")) == (0 if logger == "none" else 1)


# --- where it lies ---


def remembered(bot: Bot, auth: str) -> tuple[Path, str]:
    """Where a hold of these credentials is kept, and all that was logged."""
    process = bot.start(auth=auth)
    assert process.turn() == "granted"
    process.ask("close", code=429, message="connect ECONNREFUSED")
    assert process.turn() == "waiting"
    again = bot.start(auth=auth)
    assert again.turn() == "waiting"
    (file,) = bot.root.parent.rglob("*-reconnect.json")
    return file, process.logs() + again.logs()


@pytest.mark.parametrize("auth", [".", "/", "..", "./", ""])
def test_credentials_around_the_whole_bot(bot: Bot, auth: str) -> None:
    """Nothing is written outside the bot's own folder."""
    bot.link(bot.root)
    file, _logs = remembered(bot, auth)
    assert file.parent == bot.root / ".whatsapp-reconnect"


def test_a_sibling_s_name_that_begins_alike_is_no_folder_around(bot: Bot) -> None:
    """The bot runs in a folder whose name begins with that of its credentials."""
    sibling = bot.root.with_name("bo")
    sibling.mkdir()
    bot.link(sibling)
    file, _logs = remembered(bot, "../bo")
    assert file == bot.root.with_name("bo-reconnect.json")


ADDRESS = "postgres://bot:hunter2@db.example/wa"


def test_a_database_address_is_not_written_down(bot: Bot) -> None:
    file, logs = remembered(bot, ADDRESS)
    assert file.parent == bot.root / ".whatsapp-reconnect"
    for text in (logs, file.name, file.read_text()):
        assert "hunter2" not in text
        assert "db.example" not in text


def test_a_password_in_an_error_is_not_logged(bot: Bot) -> None:
    process = bot.start()
    assert process.turn() == "granted"
    process.ask("close", code=599, message=f"no route to {ADDRESS}")
    assert process.turn() == "waiting"
    assert "599" in process.logs()
    assert "hunter2" not in process.logs()


@pytest.mark.parametrize("password", ["hunter2@home", "hunter2/home", "@hunter2@"])
def test_nor_is_one_that_was_not_quoted(bot: Bot, password: str) -> None:
    process = bot.start()
    assert process.turn() == "granted"
    address = f"postgres://bot:{password}@db.example/wa"
    process.ask("close", code=599, message=f"no route to {address} now")
    assert process.turn() == "waiting"
    assert "no route to postgres://db.example/wa now" in process.logs()


def test_an_error_takes_one_short_line(bot: Bot) -> None:
    process = bot.start()
    assert process.turn() == "granted"
    process.ask("close", code=599, message="x" * 5000 + "\nat line 2")
    assert process.turn() == "waiting"
    assert len(process.ask("logs")) == 1
    assert len(process.logs()) < 600
    assert "line 2" not in process.logs()
