"""A bot under a real manager, and skillgen beside it, as a person has them."""

from __future__ import annotations

import json
import re
import sys
from dataclasses import dataclass
from pathlib import Path

from tests.conftest import CHECKOUT
from tests.slow.supervisors.systemd import Manager

# Nobody lingers in the test's own manager, and the machine may have no other.
OUT_OF_REACH = {"lingering"}


@dataclass(frozen=True)
class Seen:
    """What the doctor said. commands: by the question that each belongs to."""

    code: int
    states: dict[str, str]
    texts: dict[str, str]
    commands: dict[str, list[str]]

    @property
    def wrong(self) -> set[str]:
        return {question for question, state in self.states.items() if state == "wrong"}

    @property
    def is_green(self) -> bool:
        left = {question for question, state in self.states.items() if state != "ok"}
        return left <= OUT_OF_REACH and self.code == 0


@dataclass(frozen=True)
class Session:
    systemd: Manager
    bot: Path

    @property
    def started(self) -> Path:
        """The file in which each start of the bot leaves a line."""
        return self.systemd.home / "starts"

    @property
    def starts(self) -> int:
        return len(self.started.read_text().splitlines()) if self.started.exists() else 0

    def skillgen(self, *words: str) -> tuple[int, str, str]:
        program = CHECKOUT / "skill" / "__main__.py"
        done = self.systemd.started(sys.executable, "-I", program, *words)
        assert "Traceback" not in done.stderr and "defect" not in done.stderr, done.stderr
        return done.returncode, done.stdout, done.stderr

    def doctor(self) -> Seen:
        code, out, err = self.skillgen("doctor", str(self.bot), "--format", "json")
        assert code in (0, 1), err
        [row] = json.loads(out)["hosts"]
        states: dict[str, str] = {}
        texts: dict[str, str] = {}
        commands: dict[str, list[str]] = {}
        for answer in row["answers"]:
            name = answer["question"]
            assert name not in states, answer
            states[name], texts[name], commands[name] = (
                answer["state"],
                answer["text"],
                answer["next"],
            )
        assert (code == 1) == ("wrong" in states.values())
        return Seen(code, states, texts, commands)

    def run(self, command: str) -> None:
        """A command that the doctor has printed."""
        words = command.split()
        if words[0] == "skillgen":
            code, out, err = self.skillgen(*words[1:])
            assert code == 0, out + err
        else:
            self.systemd.run("/bin/sh", "-c", command)

    def install(self, unit: str, text: str) -> None:
        (self.systemd.home / ".config" / "systemd" / "user" / unit).write_text(text)

    def set_in_test(self, unit: str, text: str) -> None:
        """Settings of the test's own, read before what skillgen writes, as an owner's are."""
        folder = self.systemd.home / ".config" / "systemd" / "user" / f"{unit}.d"
        folder.mkdir(exist_ok=True)
        (folder / "10-test.conf").write_text(text)
        self.systemd.systemctl("daemon-reload")


def counted(text: str) -> int:
    found = re.search(r"([\d,]+) attempts? in the last hour", text)
    assert found, text
    return int(found[1].replace(",", ""))
