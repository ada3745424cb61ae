"""A process of a bot's code, in the fence: started, listened to, and ended with all it began.

What it says is read as untrusted: on a channel of its own, bounded, line by line.
"""

from __future__ import annotations

import contextlib
import json
import os
import selectors
import signal
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NoReturn

from skill.storm.fence import Fence, Limits, environment
from skill.storm.outcome import StormError

MOST_ANSWER = 32 << 20  # bytes in one answer; a day's hammering is some 8 MB
_TAIL = 8 << 10  # bytes of its last complaints that are kept
_GRACE_S = 5.0  # from the end of its answers to the end of the process


class NotRun(StormError):
    """A scenario that the process did not bring to its end. at_once: it has not answered yet."""

    def __init__(self, reason: str, at_once: bool) -> None:
        self.at_once = at_once
        super().__init__(reason)


class _Living:
    """The processes that run now, so that a signal to skillgen ends them."""

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._processes: set[subprocess.Popen[bytes]] = set()
        self.stopping = False

    def start(self, command: Sequence[str], **more: Any) -> subprocess.Popen[bytes]:
        with self._lock:
            if self.stopping:
                raise StormError("stopped")
            child = subprocess.Popen(command, start_new_session=True, **more)
            self._processes.add(child)
            return child

    def end(self, child: subprocess.Popen[bytes]) -> None:
        _kill(child)
        child.wait()
        with self._lock:
            self._processes.discard(child)

    def end_all(self) -> None:
        with self._lock:
            self.stopping = True
            for child in self._processes:
                _kill(child)


_LIVING = _Living()


@contextlib.contextmanager
def started(command: Sequence[str], **more: Any) -> Iterator[subprocess.Popen[bytes]]:
    """A process of a session of its own, ended with all of its group at the latest here.

    more: as for Popen. Raises StormError when a signal has ended what runs, OSError.
    """
    child = _LIVING.start(command, **more)
    try:
        yield child
    finally:
        _LIVING.end(child)


def _kill(child: subprocess.Popen[bytes]) -> None:
    if child.returncode is None:  # it is not reaped, so the number is still its own
        with contextlib.suppress(OSError):
            os.killpg(child.pid, signal.SIGKILL)
        child.kill()


@contextlib.contextmanager
def stoppable() -> Iterator[None]:
    """Inside, a signal that asks skillgen to end ends the bots first, then raises
    KeyboardInterrupt, so that nothing of them is left.
    """

    def stop(_number: int, _frame: object) -> NoReturn:
        for number in signals:
            signal.signal(number, signal.SIG_IGN)  # what follows is quick and is not cut short
        _LIVING.end_all()
        raise KeyboardInterrupt

    every = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    signals = [one for one in every if signal.getsignal(one) is not signal.SIG_IGN]  # nohup
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {number: signal.signal(number, stop) for number in signals}
    try:
        yield
    finally:
        _LIVING.stopping = False
        for number, handler in before.items():
            signal.signal(number, handler)


def answers(
    command: Sequence[str],
    request: Mapping[str, Any],
    *,
    fence: Fence,
    reads: Iterable[Path | str],
    place: Path,
    work: Path,
    limits: Limits,
    patience_s: float,
) -> Iterator[Any]:
    """Run a program of the runner in the fence; its answers, each a line of JSON, as they come.

    request: what it reads on standard input. place, work: see ``Fence.command``. patience_s:
    how long an answer may take. Raises NotRun when it takes longer, when what comes is no
    answer, or when the process fails.
    """
    reading, writing = os.pipe()
    try:
        words = fence.command(
            command, reads=reads, place=place, work=work, limits=limits, answers=writing
        )
        with tempfile.TemporaryFile() as given:
            given.write(json.dumps(request).encode())
            given.seek(0)
            child = _LIVING.start(
                words,
                cwd="/",
                env=environment(work),
                stdin=given,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.PIPE,
                pass_fds=(writing,),
            )
    except OSError as error:
        os.close(reading)
        raise StormError(f"{command[0]}: cannot be started ({error.strerror})") from error
    except BaseException:
        os.close(reading)
        raise
    finally:
        os.close(writing)
    heard = _Heard(child, reading, patience_s)
    try:
        for count, line in enumerate(heard.lines()):
            try:
                yield json.loads(line, parse_constant=_no_number)
            except (ValueError, RecursionError):
                raise NotRun(junk(line), at_once=count == 0) from None
        heard.require_success()
    finally:
        _LIVING.end(child)
        heard.close()


def junk(line: bytes | str) -> str:
    """The one line for an answer that cannot be read."""
    text = line[:60].decode("utf-8", "replace") if isinstance(line, bytes) else line[:60]
    return f"the bot wrote {text!r} where the runner answers: not run"


def _no_number(text: str) -> NoReturn:
    raise ValueError(text)


class _Heard:
    """Reads both channels of a child, and keeps no more of them than is needed."""

    def __init__(self, child: subprocess.Popen[bytes], answers: int, patience_s: float) -> None:
        assert child.stderr is not None
        self._child, self._answers, self._patience = child, answers, patience_s
        self._complaints = child.stderr
        self._tail = b""
        self._count = 0
        self._selector = selectors.DefaultSelector()
        self._selector.register(answers, selectors.EVENT_READ)
        self._selector.register(child.stderr, selectors.EVENT_READ)

    def close(self) -> None:
        self._selector.close()
        os.close(self._answers)
        self._complaints.close()

    def lines(self) -> Iterator[bytes]:
        rest = bytearray()
        until = time.monotonic() + self._patience
        while True:
            data = self._more(until)
            if data is None:
                why = f"the host's code did not return within {self._patience:.0f} s"
                raise NotRun(why, at_once=self._count == 0)
            if not data:
                break
            seen = len(rest)
            rest += data
            end = rest.find(b"\n", seen)
            while end >= 0:
                line = bytes(rest[:end])
                del rest[: end + 1]
                self._count += 1
                yield line
                until = time.monotonic() + self._patience
                end = rest.find(b"\n")
            if len(rest) > MOST_ANSWER:
                most = MOST_ANSWER >> 20
                why = f"the bot wrote more than {most} MB where the runner answers: not run"
                raise NotRun(why, at_once=self._count == 0)
        if rest:  # it was cut off within an answer
            self._count += 1
            yield bytes(rest)

    def _more(self, until: float) -> bytes | None:
        """What comes on the channel of the answers; nothing at its end, None when time is up."""
        while True:
            left = until - time.monotonic()
            if left <= 0:
                return None
            for key, _ in self._selector.select(left):
                data = os.read(key.fd, 1 << 16)
                if key.fd == self._answers:
                    return data
                self._hear(data)

    def _hear(self, data: bytes) -> None:
        if data:
            self._tail = (self._tail + data)[-_TAIL:]
        else:
            self._selector.unregister(self._complaints)

    def require_success(self) -> None:
        """Wait for its end. Raises NotRun when it fails, with what it complained of."""
        self._selector.unregister(self._answers)
        until = time.monotonic() + _GRACE_S
        while self._selector.get_map() and time.monotonic() < until:
            for key, _ in self._selector.select(until - time.monotonic()):
                self._hear(os.read(key.fd, 1 << 16))
        try:
            status = self._child.wait(max(0.1, until - time.monotonic()))
        except subprocess.TimeoutExpired:
            return  # all that was asked for is there
        if status:
            raise NotRun(self._complaint() or _status(status), at_once=self._count == 0)

    def _complaint(self) -> str:
        """The line that tells most: Node's first one or its fatal one, Python's last one."""
        lines = [line.strip() for line in self._tail.decode("utf-8", "replace").splitlines()]
        fatal = [line for line in lines if line.startswith("FATAL ERROR")]
        traced = any(line.startswith("Traceback ") for line in lines)
        first = [line for line in lines if line]
        return "".join((fatal or first[-1 if traced else 0 :])[:1])[:300]


def _status(status: int) -> str:
    code = status - 128 if status > 128 else -status
    if code <= 0:
        return f"its process ended with status {status}"
    with contextlib.suppress(ValueError):
        return f"its process was ended by {signal.Signals(code).name}"
    return f"its process ended with status {status}"
