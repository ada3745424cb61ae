"""How far a long command is: in place on a terminal, line by line elsewhere."""

from __future__ import annotations

import sys
import threading

import pytest

from skill.report import printer
from skill.report.printer import Printer


class Said:
    """stderr, and an event for its first line so that a test can wait for that."""

    def __init__(self, is_terminal: bool) -> None:
        self.text, self.is_terminal, self.line = "", is_terminal, threading.Event()

    def write(self, text: str) -> None:
        self.text += text
        if "\n" in text:
            self.line.set()

    def flush(self) -> None:
        pass

    def isatty(self) -> bool:
        return self.is_terminal


def test_a_line_from_time_to_time_where_there_is_no_terminal(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    said = Said(is_terminal=False)
    monkeypatch.setattr(sys, "stderr", said)
    monkeypatch.setattr(printer, "EVERY_S", 0.01)
    with Printer().counting("runs") as show:
        assert said.line.wait(30), "also before the first run has ended"
        assert said.text.startswith("skillgen: getting ready (0 s) …\n")
        show(3, 22)
        for _ in range(2):  # a line may have been begun before
            said.line.clear()
            assert said.line.wait(30)
        assert said.text.splitlines()[-1].startswith("skillgen: 3 of 22 runs (")
    ended = said.text
    assert "\r" not in ended and "\x1b" not in ended
    assert printer.TELLER not in [thread.name for thread in threading.enumerate()]


def test_it_is_five_seconds() -> None:
    assert printer.EVERY_S == 5.0


def test_a_terminal_has_one_line_that_goes(monkeypatch: pytest.MonkeyPatch) -> None:
    said = Said(is_terminal=True)
    monkeypatch.setattr(sys, "stderr", said)
    monkeypatch.setattr(printer, "SLOW", -1.0)
    with Printer().counting("runs") as show:
        show(1, 2)
        show(2, 2)
    assert said.text == "\rskillgen: 1 of 2 runs \rskillgen: 2 of 2 runs \r\x1b[K"


@pytest.mark.parametrize("is_terminal", [True, False])
def test_quiet_is_quiet(is_terminal: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    said = Said(is_terminal)
    monkeypatch.setattr(sys, "stderr", said)
    monkeypatch.setattr(printer, "EVERY_S", 0.0)
    monkeypatch.setattr(printer, "SLOW", -1.0)
    with Printer(quiet=True).counting("runs") as show:
        show(1, 2)
    assert said.text == ""
