"""One scenario of one host: its processes, their supervisor, and what is counted."""

from __future__ import annotations

import atexit
import io
import math
import os
import signal
import sys
import threading
import traceback
from collections.abc import Callable
from typing import Any

from .scheduler import Ended, Scheduler, Thread

# Log lines that are kept: the first and the last of a scenario.
LOG_HEAD = LOG_TAIL = 40
LOOK_S = 60.0  # so often are the attempts of a scenario counted that may be cut short
_OWN = __name__.partition(".")[0]


class Process:
    """One start of the host."""

    def __init__(self, world: World, pid: int) -> None:
        self.world, self.pid = world, pid
        self.started_at = world.scheduler.now
        self.dead = False
        self.threads: list[Thread] = []
        self.main: Thread | None = None
        self.signals: dict[int, Any] = {}
        self.at_exit: list[Callable[[], object]] = []
        self.open_links = 0
        self.clients: dict[str, Any] = {}  # of neonize, by their names

    def run(self, program: Callable[[], object]) -> None:
        """The main thread: the program, then what Python does at its end."""
        code: int = 0
        try:
            try:
                program()
            except SystemExit as end:
                code = _status(end)
            except Ended:
                raise
            except KeyboardInterrupt:
                code = 130
            except BaseException as error:
                self.complain("in the main thread", error)
                code = 1
            self.wind_up()
        except Ended:
            return
        self.die(code)

    def wind_up(self) -> None:
        scheduler = self.world.scheduler
        pool = sys.modules.get("concurrent.futures.thread")
        if pool is not None:
            # What threading._shutdown() does first: idle workers of executors end.
            pool._python_exit()
            pool._shutdown = False  # type: ignore[attr-defined]
        for thread in list(self.threads):
            if not thread.daemon and thread is not scheduler.current:
                scheduler.join(thread, None)
        for function in reversed(self.at_exit):
            try:
                function()
            except Exception as error:
                self.complain("at exit", error)

    def complain(self, where: str, error: BaseException | None) -> None:
        if self.dead or error is None or isinstance(error, Ended):
            return
        if type(error).__module__.startswith(_OWN) or isinstance(error, OSError):
            # The weather, and not a mistake in the code: how it ends is in the exit status.
            self.world.note(f"{where}: nothing catches {type(error).__name__}: {error}")
            return
        self.world.fault("uncaughtException", error, where)

    def die(self, code: int, name: str = "") -> None:
        """Ends now; does not return to a thread of this process."""
        if self.dead:
            return
        self.dead = True
        scheduler = self.world.scheduler
        self.world.ended(self, name or code)
        scheduler.condemn(self)

    def deliver(self, number: int) -> None:
        """A signal, as the kernel and the interpreter would."""
        handler = self.signals.get(int(number))
        if handler is signal.SIG_IGN:
            return
        if callable(handler) and handler is not signal.default_int_handler:
            handler(number, None)
            return
        self.die(128 + number, signal.Signals(number).name)


def _status(end: SystemExit) -> int:
    if end.code is None:
        return 0
    return end.code & 0xFF if isinstance(end.code, int) else 1


class World:
    """Counts dials, links, starts and exits. Times are virtual seconds."""

    def __init__(self, scheduler: Scheduler, request: dict[str, Any]) -> None:
        self.scheduler = scheduler
        self.scenario: dict[str, Any] = request["scenario"]
        self.supervisor = Supervisor(request["supervisor"])
        self.channel_file: str = request["channel_file"]
        self.host: str = request["host"] + os.sep
        self.program: Callable[[], object] = lambda: None
        self.refresh: Callable[[], object] = lambda: None
        self.pid = 4000
        self.process: Process | None = None
        self.next_start: float | None = 0.0
        self.attempts: list[float] = []
        self.opens: list[float] = []
        self.starts: list[float] = []
        self.exits: list[tuple[float, int | str]] = []
        self.settled: tuple[float, bool] | None = None
        self.ended_at: float | None = None
        self.first_up: float | None = None
        self.faults: dict[str, dict[str, Any]] = {}
        self.notes: list[str] = []
        self.head: list[tuple[float, str, str]] = []
        self.tail: list[tuple[float, str, str]] = []
        self.linked = self.scenario["creds"] == "linked"
        # What a scenario's stop() is: set by the program that was started.
        self.stop: Callable[[], object] | None = None
        self.stopping = False  # as by ``systemctl stop``: what ends now stays down
        self.roused = scheduler.park()
        self.cannot = ""  # why this host cannot be run at all
        self.more = False  # more attempts than the scenario asks to see: it is cut short there

    @property
    def now(self) -> float:
        return self.scheduler.now

    # --- what the host does ---

    def dial(self) -> dict[str, Any]:
        """An attempt begins: what it will meet."""
        process = self.living()
        self.attempts.append(self.now)
        self.ended_at = None  # it goes on
        for phase in self.scenario["phases"]:
            if self.now < phase["until_s"]:
                break
        process.world.log("storm", f"attempt {len(self.attempts)}: {phase['does']['kind']}")
        does: dict[str, Any] = phase["does"]
        return does

    def is_channel(self) -> bool:
        """Whether it is the channel file that called, and not another one of the host's."""
        frame: Any = sys._getframe(1)
        while frame is not None:
            file: str = frame.f_code.co_filename
            if file.startswith(self.host):
                return file == self.channel_file
            frame = frame.f_back
        return False

    def living(self) -> Process:
        process: Any = self.scheduler.current.owner
        if process is None or process.dead:
            raise Ended
        found: Process = process
        return found

    def opened(self) -> None:
        self.opens.append(self.now)
        self.living().open_links += 1
        if self.first_up is None:
            self.first_up = self.now

    def closed(self, process: Process) -> None:
        process.open_links = max(0, process.open_links - 1)

    def settle(self, ok: bool) -> None:
        """The driven call has returned, or raised."""
        self.settled = self.settled or (self.now, ok)

    def session_over(self) -> None:
        """A neonize client was stopped, or its connect() has returned."""
        if self.ended_at is None:
            self.ended_at = self.now

    def log(self, level: str, text: str) -> None:
        lines = self.head if len(self.head) < LOG_HEAD else self.tail
        lines.append((round(self.now, 3), level, str(text).rstrip()[:500]))
        if len(self.tail) > LOG_TAIL:
            del self.tail[0]

    def note(self, text: str) -> None:
        if text not in self.notes:
            self.notes.append(text)

    def give_up(self, reason: str) -> None:
        """The host cannot be run: another start would not help."""
        self.cannot = self.cannot or reason
        self.scheduler.wake(self.roused)

    def fault(self, kind: str, error: BaseException, where: str) -> None:
        text = f"{type(error).__name__}: {error}"[:300]
        seen = self.faults.get(kind + text)
        if seen:
            seen["count"] += 1
            return
        trace = "".join(traceback.format_tb(error.__traceback__)[-3:])
        self.faults[kind + text] = {
            "kind": kind,
            "text": text,
            "count": 1,
            "first_s": round(self.now, 3),
            "where": f"{where}\n{trace}"[:2000],
        }

    # --- processes ---

    def ended(self, process: Process, code: int | str) -> None:
        self.exits.append((self.now, code))
        self.ended_at = self.now
        wait = None if self.stopping else self.supervisor.next(self.now, process.started_at, code)
        self.next_start = None if wait is None else self.now + wait
        self.scheduler.wake(self.roused)

    def begin(self) -> None:
        if not self.supervisor.allows(self.now):
            self.note(f"start limit hit at second {self.now:.1f}: the service has failed")
            self.process = None
            return
        self.starts.append(self.now)
        self.pid += 1
        self.refresh()
        self.process = process = Process(self, self.pid)
        process.main = self.scheduler.spawn(
            process, lambda: process.run(self.program), "MainThread", False
        )

    def bury(self) -> None:
        """Waits until no thread of the ended process is left."""
        process = self.process
        while process is not None and process.threads:
            self.scheduler.pass_turn()
            if not self.scheduler.ready:
                break

    def run(self) -> None:
        """The world's own thread: starts, restarts and stops, up to the horizon."""
        scheduler, scenario = self.scheduler, self.scenario
        horizon: float = scenario["horizon_s"]
        every: float | None = scenario["restart_every_s"]
        stop_at: float | None = scenario["stop_at_s"]
        most: int | None = scenario["most"]
        restart_at = every
        while self.now < horizon and not scheduler.trouble and not self.cannot and not self.more:
            if self.next_start is not None and self.now >= self.next_start:
                self.next_start = None
                self.bury()
                self.begin()
            if stop_at is not None and self.now >= stop_at:
                stop_at = None
                self.ask_to_stop()
            if restart_at is not None and every is not None and self.now >= restart_at:
                restart_at += every
                self.restart()
                continue
            self.more = most is not None and len(self.attempts) > most
            due = [at for at in (horizon, self.next_start, stop_at, restart_at) if at is not None]
            if most is not None:
                due.append(self.now + LOOK_S)
            self.roused = scheduler.park()
            scheduler.wait(self.roused, min(due) - self.now)
        if scheduler.trouble:
            self.note(f"the host {scheduler.trouble} at second {self.now:.1f}")

    def restart(self) -> None:
        """An order from outside (``systemctl restart``): whatever the restart rules say."""
        process = self.process
        if process is not None and not process.dead:
            process.dead = True
            self.exits.append((self.now, "SIGTERM"))
            self.scheduler.condemn(process)
        self.next_start = self.now
        self.supervisor.window = None  # a start limit does not hold up a watchdog's own orders

    def ask_to_stop(self) -> None:
        process, stop = self.process, self.stop
        self.stopping = True
        if process is None or process.dead:
            return

        def run() -> None:
            try:
                if stop is None:
                    process.deliver(signal.SIGTERM)
                else:
                    stop()
            except Ended:
                raise
            except Exception as error:
                process.complain("in stop()", error)

        self.scheduler.spawn(process, run, "stop", True)

    def outcome(self) -> dict[str, Any]:
        process = self.process
        return {
            "attempts_at": self.attempts,
            "starts_at": self.starts,
            "exits": self.exits,
            "settled_s": self.settled[0] if self.settled else None,
            "settled_ok": self.settled[1] if self.settled else None,
            "ended_s": self.ended_at,
            "first_up_s": self.first_up,
            "up_at_end": bool(process and not process.dead and process.open_links),
            "faults": list(self.faults.values()),
            "notes": self.notes,
            "cannot": self.cannot,
            "more": self.more,
            "log": self.head + self.tail,
        }


class Supervisor:
    """Starts a process again, or not, by what ``rules()`` of skill/storm/supervisor.py gives.

    The Node engine plays the same rules (node/runner/supervisor.cjs).
    """

    def __init__(self, rules: dict[str, Any]) -> None:
        self.rules = rules
        # systemd's rate limit: a window from its first start, not a sliding one.
        self.window: list[float] | None = None
        self.pause_ms = 0.0
        self.counted = 0
        self.first_at: float | None = None

    def allows(self, now: float) -> bool:
        """Whether a start is allowed at all: the start limit."""
        if self.first_at is None:
            self.first_at = now
        limit = self.rules["start_limit"]
        if limit is None:
            return True
        if self.window is None or span(self.window[0], now) >= limit["interval_s"]:
            self.window = [now, 0]
        self.window[1] += 1
        return bool(self.window[1] <= limit["burst"])

    def next(self, now: float, started_at: float, code: int | str) -> float | None:
        """Seconds until the next start; None for none. code: a status, or a signal's name."""
        limit, ran = self.rules["limit"], span(started_at, now)
        counts = limit is not None and self.counts(limit, ran, now)
        retried = counts and limit["retry_step_s"] is not None
        if not retried and not self.restarts_after(code):
            return None
        if counts:
            self.counted += 1
        elif limit is not None and limit["retry_step_s"] is not None:
            self.counted = 0
        if limit is not None and self.counted >= limit["ends"]:
            return None
        return float(self.counted * limit["retry_step_s"]) if retried else self.wait(ran)

    def counts(self, limit: dict[str, Any], ran: float, now: float) -> bool:
        age = span(self.first_at or 0.0, now)
        if limit["new_s"] is not None and age >= limit["new_s"]:
            return False
        return bool(limit["life_s"] is None or ran < limit["life_s"])

    def restarts_after(self, code: int | str) -> bool:
        rules = self.rules
        if isinstance(code, str) and rules["signal_status"] is not None:
            code = int(rules["signal_status"])
        if code in rules["prevent_codes"]:
            return False
        if code in rules["force_codes"]:
            return True
        if isinstance(code, str):
            end = "success" if code in rules["success_signals"] else "signal"
        else:
            end = "success" if code in rules["success_codes"] else "failure"
        return end in rules["restarts_after"]

    def wait(self, ran: float) -> float:
        rules, growth = self.rules, self.rules["growth"]
        if growth is None:
            return max(float(rules["pause_s"]) - (ran if rules["pause_since"] == "start" else 0), 0)
        if growth["rested_s"] is not None and ran >= growth["rested_s"]:
            self.pause_ms = 0.0
        longer = math.floor(min(self.pause_ms * growth["factor"], growth["longest_s"] * 1000))
        self.pause_ms = longer if self.pause_ms else growth["first_s"] * 1000
        return self.pause_ms / 1000


def span(since: float, now: float) -> float:
    """Seconds, to the microsecond: 10 s of life are 10 s, whatever sums of floats make of them."""
    return round(now - since, 6)


# --- what a process may ask of its system ----------------------------------------------------


class Lines(io.TextIOBase):
    """Standard output and error: lines of the scenario's log."""

    def __init__(self, write: Callable[[str], object]) -> None:
        self._write, self._rest = write, ""

    encoding = "utf-8"

    def writable(self) -> bool:
        return True

    def write(self, text: str) -> int:
        *lines, self._rest = (self._rest + text).split("\n")
        for line in lines:
            if line.strip():
                self._write(line)
        return len(text)


def install(world: World) -> None:
    """exit, signals, process ids, and standard streams, as a process of its own has."""
    changed: Any = os
    real_signal: Any = signal
    default: dict[int, Any] = {int(signal.SIGINT): signal.default_int_handler}

    def leave(code: int) -> None:
        world.living().die(code & 0xFF)
        raise Ended

    def kill(pid: int, number: int) -> None:
        process = world.living()
        if pid not in (process.pid, 0, -process.pid):
            raise ProcessLookupError(pid)
        if number:
            process.deliver(number)
            if process.dead:
                raise Ended

    def handle(number: int, handler: Any) -> Any:
        signals = world.living().signals
        before = signals.get(int(number), default.get(int(number), signal.SIG_DFL))
        signals[int(number)] = handler
        return before

    def handler_of(number: int) -> Any:
        signals = world.living().signals
        return signals.get(int(number), default.get(int(number), signal.SIG_DFL))

    def pause(*_: Any) -> Any:
        world.scheduler.forever()

    changed._exit, changed.kill, changed.getpid = leave, kill, lambda: world.living().pid
    changed.killpg = kill

    def abort() -> None:
        world.living().die(134, "SIGABRT")
        raise Ended

    changed.abort = abort
    real_signal.signal, real_signal.getsignal = handle, handler_of
    real_signal.pause = real_signal.sigwait = real_signal.sigwaitinfo = pause
    real_signal.raise_signal = lambda number: kill(world.living().pid, number)
    real_signal.alarm = real_signal.setitimer = lambda *_: 0
    real_signal.set_wakeup_fd = lambda *_, **__: -1

    def register(function: Any, *arguments: Any, **named: Any) -> Any:
        world.living().at_exit.append(lambda: function(*arguments, **named))
        return function

    changed_atexit: Any = atexit
    changed_atexit.register = register
    threading.excepthook = lambda args: world.living().complain("in a thread", args.exc_value)
    sys.stdout = Lines(lambda line: world.log("out", line))
    sys.stderr = Lines(lambda line: world.log("err", line))
    sys.stdin = io.StringIO("")
    sys.unraisablehook = lambda _: None
