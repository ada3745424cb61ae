"""Where output goes: colour only on a terminal, and a closed pipe ends nothing."""

from __future__ import annotations

import contextlib
import os
import re
import secrets
import shutil
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator

COLOURS = {
    "where": "1",
    "rule": "36",
    "fix": "32",
    "hand": "33",
    "head": "1",
    "-": "31",
    "+": "32",
    "@": "36",
}
# Characters by which a file's name or content could control a terminal, or turn text around.
# Tab and line feed are harmless, and so are the colours that ``paint`` sets.
CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\udc80-\udc9f\u202a-\u202e\u2066-\u2069]")
# A name with one of these would be two lines of a report.
BREAK = re.compile(r"[\n\r\x0b\x0c\x1c-\x1e\x85\u2028\u2029]")
ESCAPES = {"\n": "\\n", "\r": "\\r"}
SLOW = 1.0
EVERY_S = 5.0
TELLER = "skillgen-progress"


class Printer:
    """stdout for the report, stderr for everything else."""

    def __init__(self, quiet: bool = False, verbose: bool = False) -> None:
        self.quiet, self.verbose = quiet, verbose
        self.terminal = sys.stdout.isatty()
        # What is no terminal has lines of any width.
        self.width = shutil.get_terminal_size().columns if self.terminal else None
        usable = self.terminal and os.environ.get("TERM") != "dumb"
        self.colour = usable and not os.environ.get("NO_COLOR")
        # Colours are marked by what no host can know, so that it cannot set any itself.
        self._mark = f"\x1b<{secrets.token_hex(8)}:"
        self._painted = re.compile(rf"{self._mark}(\d+)>")
        for stream in (sys.stdout, sys.stderr):
            # Files are of any encoding; a byte that is no UTF-8 passes through as it is.
            reconfigure = getattr(stream, "reconfigure", None)
            if reconfigure:
                reconfigure(encoding="utf-8", errors="surrogateescape")

    def paint(self, text: str, style: str) -> str:
        if not self.colour:
            return text
        return f"{self._mark}{COLOURS[style]}>{text}{self._mark}0>"

    def out(self, text: str) -> None:
        """Print; whoever reads may have left (``| head``), and the work goes on."""
        if self.terminal:
            parts = self._painted.split(text)
            parts[::2] = map(harmless, parts[::2])
            parts[1::2] = (f"\x1b[{code}m" for code in parts[1::2])
            text = "".join(parts)
        try:
            sys.stdout.write(text + "\n")
        except BrokenPipeError:
            leave_pipe()

    def lines(self, lines: Iterable[str]) -> None:
        for line in lines:
            self.out(line)

    def safe(self, text: str) -> str:
        """Text of the host's as a part of one line, made harmless for a terminal."""
        return harmless(one_line(text)) if self.terminal else one_line(text)

    def diff(self, content: bytes) -> None:
        text = content.decode("utf-8", "surrogateescape")
        if not self.terminal:
            self.out(text.removesuffix("\n"))
            return
        for line in text.removesuffix("\n").split("\n"):
            shown = self.safe(line)
            style = "head" if line.startswith(("diff ", "+++", "---")) else line[:1]
            self.out(self.paint(shown, style) if style in COLOURS else shown)

    def say(self, line: str) -> None:
        """One line for the person at the keyboard."""
        one = harmless(" ".join(line.split()))
        with contextlib.suppress(OSError):
            print(f"skillgen: {one}", file=sys.stderr, flush=True)

    @contextlib.contextmanager
    def counting(self, what: str) -> Iterator[Callable[[int, int], None]]:
        """Give a function that is told how far it is (done, of how many).

        A terminal shows it in one line that goes with the end; elsewhere there is a line every
        five seconds, also while nothing is told, so that a log shows that it goes on.
        """
        if self.quiet:
            yield lambda _done, _total: None
        elif sys.stderr.isatty():
            with self._counting_in_place(what) as show:
                yield show
        else:
            with self._counting_in_lines(what) as show:
                yield show

    @contextlib.contextmanager
    def _counting_in_place(self, what: str) -> Iterator[Callable[[int, int], None]]:
        began = time.monotonic()

        def show(done: int, total: int) -> None:
            if time.monotonic() - began > SLOW:
                with contextlib.suppress(OSError):
                    print(f"\rskillgen: {done} of {total} {what} ", end="", file=sys.stderr)
                    sys.stderr.flush()

        try:
            yield show
        finally:
            with contextlib.suppress(OSError):
                print("\r\x1b[K", end="", file=sys.stderr, flush=True)

    @contextlib.contextmanager
    def _counting_in_lines(self, what: str) -> Iterator[Callable[[int, int], None]]:
        began = time.monotonic()
        reached, ended = "getting ready", threading.Event()

        def show(done: int, total: int) -> None:
            nonlocal reached
            reached = f"{done} of {total} {what}"

        def tell() -> None:
            while not ended.wait(EVERY_S):
                self.say(f"{reached} ({time.monotonic() - began:.0f} s) …")

        teller = threading.Thread(target=tell, name=TELLER, daemon=True)
        teller.start()
        try:
            yield show
        finally:
            ended.set()
            teller.join()

    @contextlib.contextmanager
    def working(self, what: str) -> Iterator[None]:
        """Say what takes so long, after a second and on a terminal only."""
        if self.quiet or not sys.stderr.isatty():
            yield
            return
        timer = threading.Timer(SLOW, self.say, (f"{what} …",))
        timer.daemon = True
        timer.start()
        try:
            yield
        finally:
            timer.cancel()


def harmless(text: str) -> str:
    """The text with what could act on a terminal written out."""
    return CONTROL.sub(_written_out, text)


def one_line(text: str) -> str:
    """The text with its line breaks written out."""
    return BREAK.sub(lambda found: ESCAPES.get(found[0], _written_out(found)), text)


def _written_out(found: re.Match[str]) -> str:
    code = ord(found[0])
    if code & 0xFF00 == 0xDC00:  # a byte that is no UTF-8
        code -= 0xDC00
    return f"\\x{code:02x}" if code < 256 else f"\\u{code:04x}"


def leave_pipe() -> None:
    """Nobody reads stdout any more: let further writes go nowhere."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, sys.stdout.fileno())
    os.close(nowhere)
