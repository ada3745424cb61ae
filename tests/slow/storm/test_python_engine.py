"""What a Python process sees under virtual time: threads, loops, exits, fences; tiny programs."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path
from textwrap import dedent

import pytest

from modify.units.supervisor import Supervisor
from skill.storm.fence import NONE as NO_FENCE
from skill.storm.fence import Fence
from skill.storm.host.python_channels import PythonChannel
from skill.storm.python.run import PythonOutcome, simulate_python, why_not
from skill.storm.python.scenarios import BRIDGE, NEONIZE, PythonScenario, whatsmeow_dials
from skill.storm.supervisor import (
    ALWAYS_5S,
    COMPOSE_ALWAYS,
    LAUNCHD_KEEP_ALIVE,
    NONE,
    ON_FAILURE_10S,
    ON_FAILURE_GROWING,
)

EVERY = {scenario.id: scenario for scenario in (*BRIDGE, *NEONIZE)}


def run(
    tmp_path: Path,
    text: str,
    scenario: str | PythonScenario = "bridge-healthy",
    *,
    supervisor: Supervisor = NONE,
    timeout_s: float = 60,
    fence: Fence | None = None,
) -> PythonOutcome:
    wanted = EVERY[scenario] if isinstance(scenario, str) else scenario
    host = tmp_path / "host"
    host.mkdir(exist_ok=True)
    (host / "main.py").write_text(dedent(text), "utf-8")
    channel = PythonChannel(
        "main.py",
        1,
        wanted.way,
        "a program",
        module="main",
        kind="program",
        alone=True,
        hears_logout=True,
    )
    [outcome] = simulate_python(
        host,
        channel,
        supervisor=supervisor,
        scenarios=[wanted],
        timeout_s=timeout_s,
        fence=fence,
    )
    return outcome


def said(outcome: PythonOutcome) -> list[str]:
    return [text for _, level, text in outcome.log if level == "out"]


@pytest.mark.parametrize(
    ("text", "ends"),
    [
        ("import sys; sys.exit(3)", (0.0, 3)),
        ("import sys; sys.exit('no such account')", (0.0, 1)),
        ("import time; time.sleep(2.5)", (2.5, 0)),
        ("import time; time.sleep(1); raise ValueError('lost')", (1.0, 1)),
        ("import os, time; time.sleep(1)\ntry:\n  os._exit(7)\nfinally:\n  os._exit(8)", (1.0, 7)),
        ("import os, signal; os.kill(os.getpid(), signal.SIGTERM)", (0.0, "SIGTERM")),
        ("import asyncio; asyncio.run(asyncio.sleep(5400))", (5400.0, 0)),
        ("import threading, time; threading.Thread(target=time.sleep, args=[4]).start()", (4.0, 0)),
        (
            "import threading, time\n"
            "threading.Thread(target=time.sleep, args=[4], daemon=True).start()",
            (0.0, 0),
        ),
        ("import sys, threading; threading.Timer(2, sys.exit, [9]).start()", (2.0, 0)),
        ("import threading, os; threading.Timer(2, os._exit, [9]).start()", (2.0, 9)),
        ("import threading; threading.Event().wait(3600)", (3600.0, 0)),
        (
            "import queue\ntry:\n  queue.Queue().get(timeout=30)\nexcept queue.Empty: pass",
            (30.0, 0),
        ),
        (
            "from concurrent.futures import ThreadPoolExecutor as P\nimport time\n"
            "with P(2) as p: list(p.map(time.sleep, [3, 4, 5]))",
            (8.0, 0),
        ),
        (
            "import asyncio, time\nasync def main():\n"
            "  await asyncio.gather(asyncio.to_thread(time.sleep, 60), asyncio.sleep(50))\n"
            "asyncio.run(main())",
            (60.0, 0),
        ),
        (
            "import asyncio, threading, time\nasync def main():\n"
            "  loop = asyncio.get_running_loop()\n"
            "  done = asyncio.Event()\n  def later():\n    time.sleep(7)\n"
            "    loop.call_soon_threadsafe(done.set)\n"
            "  threading.Thread(target=later).start()\n  await done.wait()\nasyncio.run(main())",
            (7.0, 0),
        ),
        (
            "import asyncio, os, signal\nasync def main():\n  done = asyncio.Event()\n"
            "  asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, done.set)\n"
            "  os.kill(os.getpid(), signal.SIGTERM)\n  await done.wait()\n  raise SystemExit(5)\n"
            "asyncio.run(main())",
            (0.0, 5),
        ),
    ],
)
def test_a_process_ends_when_and_as_it_would(
    tmp_path: Path, text: str, ends: tuple[float, int | str]
) -> None:
    outcome = run(tmp_path, text)
    assert outcome.exits_at == (ends,), outcome.log


def test_a_process_that_waits_for_ever_does_not_end(tmp_path: Path) -> None:
    for text in ("import threading; threading.Event().wait()", "import signal; signal.pause()"):
        assert run(tmp_path, text).exits_at == ()


def test_every_clock_is_virtual(tmp_path: Path) -> None:
    outcome = run(
        tmp_path,
        """
        import datetime, time, asyncio
        before = time.time(), time.monotonic(), datetime.datetime.now(), time.perf_counter_ns()
        print(datetime.datetime.now(datetime.timezone.utc).isoformat(), datetime.date.today())
        print(time.strftime("%H:%M"), isinstance(before[2], datetime.datetime))
        time.sleep(90)
        print(round(time.time() - before[0], 6), round(time.monotonic() - before[1], 6))
        print(datetime.datetime.now() - before[2], (time.perf_counter_ns() - before[3]) // 10**6)
        async def main():
            loop = asyncio.get_running_loop()
            begun = loop.time()
            await asyncio.sleep(0.25)
            print(round(loop.time() - begun, 6))
        asyncio.run(main())
        """,
    )
    assert said(outcome) == [
        "2026-03-01T00:00:00+00:00 2026-03-01",
        "00:00 True",
        "90.0 90.0",
        "0:01:30 90000",
        "0.25",
    ]


def test_threads_take_turns_in_the_same_order_every_time(tmp_path: Path) -> None:
    text = """
        import queue, threading, time
        lock, items = threading.Lock(), queue.Queue()
        def work(name, pause):
            for turn in range(3):
                with lock:
                    time.sleep(pause)
                    items.put(f"{name}{turn}")
        threads = [threading.Thread(target=work, args=a) for a in (("a", 1), ("b", 2), ("c", 3))]
        for thread in threads: thread.start()
        for _ in range(9): print(items.get(), round(time.monotonic() - 1000))
        for thread in threads: thread.join()
        print(threading.active_count(), threading.current_thread() is threading.main_thread())
        """
    first, second = run(tmp_path, text), run(tmp_path, text)
    assert said(first) == said(second)
    assert len(said(first)) == 10
    assert said(first)[-1] == "1 True"
    assert said(first)[-2].endswith(" 18")


FENCED = [
    ("import socket; socket.create_connection(('192.0.2.1', 80))", "ConnectionRefusedError"),
    ("import socket; socket.create_connection(('localhost', 80)).send(b'a')", "BrokenPipeError"),
    ("import socket; socket.socket().connect(('127.0.0.1', 80))", "ConnectionRefusedError"),
    ("import socket; socket.socket().bind(('127.0.0.1', 0))", "ConnectionRefusedError"),
    ("import socket; socket.getaddrinfo('web.whatsapp.com', 443)", "gaierror"),
    ("import urllib.request as u; u.urlopen('http://web.whatsapp.com')", "URLError"),
    (
        "import asyncio; asyncio.run(asyncio.open_connection('127.0.0.1', 80))",
        "ConnectionRefusedError",
    ),
    ("import subprocess; subprocess.run(['true'])", "PermissionError"),
    ("import os; os.system('true')", "PermissionError"),
    ("import os; os.execv('/bin/true', ['true'])", "PermissionError"),
    ("import os; os.fork()", "PermissionError"),
    ("import ctypes; ctypes.CDLL('libc.so.6')", "PermissionError"),
    ("open('{outside}', 'w')", "PermissionError"),
    ("open('{outside}', 'ab')", "PermissionError"),
    ("import os; os.open('{outside}', os.O_CREAT | os.O_WRONLY)", "PermissionError"),
    ("import os; os.mkdir('{outside}')", "PermissionError"),
    ("import os; os.remove('{there}')", "PermissionError"),
    ("import os; os.rename('{there}', 'here')", "PermissionError"),
    ("import os; os.symlink('{there}', 'link'); open('link', 'w')", "PermissionError"),
    ("import os; os.truncate('{there}', 0)", "PermissionError"),
    ("import sqlite3; sqlite3.connect('{outside}')", "PermissionError"),
    ("import shutil; shutil.rmtree('{folder}')", "PermissionError"),
    ("import os; f = os.open('{folder}', 0); os.remove('there', dir_fd=f)", "PermissionError"),
    ("import os; f = os.open('{folder}', 0); os.open('there', 1, dir_fd=f)", "PermissionError"),
    ("import os; os.link('{there}', 'here')", "PermissionError"),
    ("from pathlib import Path; Path('{there}').write_text('x')", "PermissionError"),
]


@pytest.mark.parametrize(("text", "error"), FENCED)
def test_what_is_not_allowed_fails(tmp_path: Path, text: str, error: str) -> None:
    folder = tmp_path / "kept"
    folder.mkdir()
    there, outside = folder / "there", folder / "outside"
    there.write_text("kept")
    text = text.format(folder=folder, there=there, outside=outside)
    outcome = run(
        tmp_path,
        f"try:\n    {text}\nexcept Exception as error:\n    print(type(error).__name__)\n"
        "else: print('done')",
        fence=NO_FENCE,  # the runner's own guards; in the fence there is nothing to reach
    )
    assert said(outcome) == [error], outcome
    assert there.read_text() == "kept"
    assert not outside.exists()


def test_what_a_bot_keeps_lives_in_a_folder_that_goes(tmp_path: Path) -> None:
    outcome = run(
        tmp_path,
        """
        import os, pathlib, tempfile, sqlite3
        home = pathlib.Path.home()
        (home / "state").write_text("kept")
        sqlite3.connect("bot.db").execute("create table a (b)")
        with tempfile.TemporaryDirectory() as made: (pathlib.Path(made) / "a").touch()
        print((home / "state").read_text(), os.path.exists("bot.db"), os.path.exists(made))
        print(home)
        """,
    )
    assert said(outcome)[0] == "kept True False"
    assert not Path(said(outcome)[1]).exists()
    assert [entry.name for entry in (tmp_path / "host").iterdir()] == ["main.py"]


def test_no_installed_package_is_imported(tmp_path: Path) -> None:
    outcome = run(
        tmp_path,
        """
        import pytest, click.testing
        from yaml import safe_load
        from numpy import ndarray, float32 as f
        from pydantic import BaseModel, Field
        class Settings(BaseModel):
            url: str = "ws://x"
            names: list[str] = Field(default_factory=list)
        class Mine(ndarray): pass
        @click.command()
        def main(): return 1
        one, two = Settings(), Settings.model_validate({"names": ["a"]})
        one.names.append("b")
        print(getattr(pytest, "__file__", None), main(), Mine().anything.at(all=1) is not None)
        print(one.url, one.names, two.model_dump())
        try: import json.no_such_thing
        except ImportError: print("missing")
        """,
    )
    assert said(outcome) == [
        "None 1 True",
        "ws://x ['b'] {'url': 'ws://x', 'names': ['a']}",
        "missing",
    ], outcome


@pytest.mark.parametrize(
    ("text", "supervisor", "starts"),
    [
        ("raise SystemExit(0)", NONE, [0]),
        ("import time; time.sleep(3600)", ALWAYS_5S, [0, 3605, 7210]),
        ("raise SystemExit(0)", ON_FAILURE_10S, [0]),
        ("raise SystemExit(1)", ON_FAILURE_10S, [0, 10, 20, 30, 40]),
        ("raise SystemExit(1)", ON_FAILURE_GROWING, [0, 10, 33.403, 88.173, 216.353, 516.347]),
        ("raise SystemExit(1)", Supervisor("systemd", "always", 1, 10, 5), [0, 1, 2, 3, 4]),
        ("raise SystemExit(3)", Supervisor("systemd", "always", 9, prevent_codes=(3,)), [0]),
        ("import time; time.sleep(4); raise SystemExit(0)", LAUNCHD_KEEP_ALIVE, [0, 10, 20]),
        ("raise SystemExit(0)", COMPOSE_ALWAYS, [0, 0.1, 0.3, 0.7, 1.5]),
    ],
)
def test_the_supervisor_starts_it_again(
    tmp_path: Path, text: str, supervisor: Supervisor, starts: list[float]
) -> None:
    day = replace(EVERY["bridge-healthy"], horizon_s=8_000.0)
    outcome = run(tmp_path, text, day, supervisor=supervisor)
    assert outcome.starts_at[: len(starts)] == pytest.approx(starts, abs=0.01)
    limited = any("start limit hit" in note for note in outcome.notes)
    assert limited == (len(starts) == 5 and supervisor.kind == "systemd")
    if limited or len(starts) == 1:
        assert outcome.starts == len(starts)


def test_each_start_is_a_new_process_in_the_old_folder(tmp_path: Path) -> None:
    (tmp_path / "host").mkdir()
    (tmp_path / "host" / "state.py").write_text("starts = []\n")
    outcome = run(
        tmp_path,
        """
        import logging, os, pathlib, signal, threading, time
        import state
        state.starts.append(1)
        file = pathlib.Path("starts")
        file.write_text((file.read_text() if file.exists() else "") + "x")
        print(len(state.starts), len(file.read_text()), os.environ.get("MARK"), os.getpid())
        print(len(logging.getLogger().handlers), threading.active_count())
        os.environ["MARK"] = "left"
        logging.basicConfig(force=True)
        threading.Thread(target=time.sleep, args=[1e6], daemon=True).start()
        time.sleep(40_000)
        """,
        supervisor=ALWAYS_5S,
    )
    assert said(outcome) == ["1 1 None 4001", "1 1", "1 2 None 4002", "1 1", "1 3 None 4003", "1 1"]


def test_a_thread_that_will_not_end_does_not_outlive_its_process(tmp_path: Path) -> None:
    outcome = run(
        tmp_path,
        """
        import os, threading, time
        def stubborn():
            while True:
                try: time.sleep(1)
                except BaseException: pass
                if time.monotonic() > 1100: print("alive"); return
        threading.Thread(target=stubborn, daemon=True).start()
        time.sleep(3)
        os._exit(1)
        """,
    )
    assert outcome.exits_at == ((3.0, 1),)
    assert said(outcome) == []


def test_a_host_that_spins_is_said_so(tmp_path: Path) -> None:
    for text in (
        "import time\nwhile True: time.sleep(0)",
        "import asyncio\nasync def main():\n    while True: await asyncio.sleep(0)\n"
        "asyncio.run(main())",
    ):
        outcome = run(tmp_path, text)
        assert outcome.notes[0] == "the host spins at second 0.0"


def test_a_host_that_grows_without_end_is_said_so(tmp_path: Path) -> None:
    outcome = run(
        tmp_path,
        """
        import threading, time
        def breed():
            while True:
                time.sleep(1)
                threading.Thread(target=breed).start()
        breed()
        """,
    )
    assert outcome.notes[0] == "the host has more than 1000 threads at second 10.0"


def test_a_host_that_never_comes_back_was_not_run(tmp_path: Path) -> None:
    outcome = run(tmp_path, "while True: pass", timeout_s=3)
    assert outcome.not_run == "the host's code did not return within 3 s"
    assert outcome.broken() == []


def test_a_host_that_dials_nothing_was_not_run_and_has_not_passed(tmp_path: Path) -> None:
    outcome = run(tmp_path, "import nothing_here\nnothing_here.main()")
    assert outcome.not_run == "the channel connects to nothing here"
    outcome = run(tmp_path, "import subprocess\nsubprocess.run(['node', 'bridge.js'])")
    assert "subprocess.Popen: denied" in outcome.not_run
    assert outcome.broken() == []


def test_a_channel_that_cannot_be_imported_was_not_run(tmp_path: Path) -> None:
    (tmp_path / "main.py").write_text("import json.no_such_thing\nasync def run(): pass\n")
    channel = PythonChannel("main.py", 1, "bridge", "", module="main", kind="function", name="run")
    [outcome] = simulate_python(tmp_path, channel, scenarios=[EVERY["bridge-healthy"]])
    assert "main.py cannot be imported here: ModuleNotFoundError" in outcome.not_run
    assert outcome.starts == 1


def test_the_interpreter_can_be_named(tmp_path: Path) -> None:
    (tmp_path / "main.py").write_text("import sys; print(sys.executable)")
    channel = PythonChannel("main.py", 1, "bridge", "", module="main", kind="program", alone=True)
    link = tmp_path / "python"
    link.symlink_to(sys.executable)
    [outcome] = simulate_python(
        tmp_path, channel, scenarios=[EVERY["bridge-healthy"]], python=str(link), supervisor=NONE
    )
    assert said(outcome) == [str(link)]


# --- the fake bridge ------------------------------------------------------------------------

LINK = """
    import asyncio, time
    from websockets.asyncio.client import connect
    from websockets.exceptions import ConnectionClosed, ConnectionClosedError
    async def main():
        try:
            async with connect("ws://bridge") as ws:
                await ws.send("hello")
                async for text in ws: print(text)
                print("clean")
        except Exception as error:
            print(type(error).__name__)
        print(round(time.monotonic() - 1000, 3))
    asyncio.run(main())
"""


@pytest.mark.parametrize(
    ("scenario", "lines"),
    [
        ("bridge-refuses", ["ConnectionRefusedError", "0.05"]),
        ("bridge-resets", ["ConnectionClosedError", "1.05"]),
        ("bridge-closes", ["clean", "1.05"]),
        ("bridge-flaps", ["clean", "90.05"]),
        ("bridge-silent", ["TimeoutError", "10.0"]),
        (
            "bridge-logged-out",
            ['{"type": "status", "status": "logged_out"}', "clean", "1.05"],
        ),
    ],
)
def test_the_bridge_does_what_the_scenario_says(
    tmp_path: Path, scenario: str, lines: list[str]
) -> None:
    outcome = run(tmp_path, LINK, scenario)
    assert said(outcome) == lines
    assert outcome.attempts == 1
    synchronous = (
        LINK.replace("asyncio.client", "sync.client")
        .replace("async ", "")
        .replace("await ", "")
        .replace("asyncio.run(main())", "main()")
    )
    assert said(run(tmp_path, synchronous, scenario)) == lines


def test_dials_of_other_files_are_not_counted_and_never_end(tmp_path: Path) -> None:
    (tmp_path / "host").mkdir()
    (tmp_path / "host" / "discord.py").write_text(
        "import websockets\nasync def serve():\n    await websockets.connect('wss://gateway')\n"
    )
    outcome = run(
        tmp_path, "import asyncio, discord; asyncio.run(discord.serve())", "bridge-refuses"
    )
    assert (outcome.attempts, outcome.exits_at) == (0, ())


# --- whatsmeow ------------------------------------------------------------------------------

CLIENT = """
    import time
    from neonize.client import NewClient
    from neonize.events import *
    client = NewClient("bot.db")
    def tell(_, event):
        print(type(event).__name__, round(time.monotonic() - 1000, 3))
    for kind in (ConnectedEv, DisconnectedEv, LoggedOutEv, StreamReplacedEv, TemporaryBanEv,
                 ConnectFailureEv, ClientOutdatedEv):
        client.event(kind)(tell)
    client.connect()
    print("returned")
"""


@pytest.mark.parametrize(
    ("scenario", "events"),
    [
        ("revoked", ["LoggedOut 0.3"]),
        ("locked", ["LoggedOut 0.3"]),
        ("banned", ["TemporaryBan 0.3"]),
        ("outdated", ["ClientOutdated 0.3"]),
        ("refused-by-code", ["ConnectFailure 0.3"]),
        ("replaced", ["Connected 0.5", "StreamReplaced 1.5"]),
        ("revoked-later", ["Connected 0.5", "LoggedOut 7200.5"]),
        ("healthy", ["Connected 0.5"]),
        ("unlinked", []),
    ],
)
def test_whatsmeow_ends_a_session_once_and_goes_on_waiting(
    tmp_path: Path, scenario: str, events: list[str]
) -> None:
    outcome = run(tmp_path, CLIENT, scenario)
    assert said(outcome) == events
    assert (outcome.attempts, outcome.ended_s) == (1, None)


def test_whatsmeow_dials_by_its_own_count(tmp_path: Path) -> None:
    dropped = run(tmp_path, CLIENT, "dropped")
    # 0, 2, 4, 6 … s apart once the link that was up is lost.
    gaps = [b - a for a, b in zip(dropped.attempts_at[1:8], dropped.attempts_at[2:8], strict=False)]
    assert [round(gap, 1) for gap in gaps] == [2.3, 4.3, 6.3, 8.3, 10.3, 12.3]
    assert dropped.busiest_hour <= whatsmeow_dials(3600, took_s=0.3) + 2
    flapping = run(tmp_path, CLIENT, "flapping")
    assert flapping.attempts == 955  # 90.5 s each: no wait at all after a login


def test_an_event_that_neonize_lacks_cannot_be_imported(tmp_path: Path) -> None:
    outcome = run(
        tmp_path,
        "try: from neonize.events import NoSuchEv\nexcept ImportError: print('missing')\n",
    )
    assert said(outcome) == ["missing"]


def test_a_first_connection_that_fails_is_the_client_s_end(tmp_path: Path) -> None:
    outcome = run(tmp_path, CLIENT, "offline-boot")
    assert outcome.exits_at == ((0.2, 1),)
    assert "NeonizeError" in outcome.notes[0]


def test_stop_ends_connect_also_from_a_handler(tmp_path: Path) -> None:
    text = CLIENT.replace(
        "    client.connect()",
        "    client.event(LoggedOutEv)(lambda current, _: (print('last'), current.stop()))\n"
        "    client.connect()",
    )
    outcome = run(tmp_path, text, "revoked")
    assert said(outcome) == ["last", "returned"]
    assert outcome.exits_at == ((0.3, 0),)


def test_an_exit_in_a_handler_ends_nothing(tmp_path: Path) -> None:
    text = CLIENT.replace(
        "    client.connect()",
        "    import sys\n    client.event(LoggedOutEv)(lambda *_: sys.exit(0))\n"
        "    client.connect()",
    )
    assert run(tmp_path, text, "revoked").exits_at == ()


def test_the_asynchronous_client_calls_handlers_on_the_loop(tmp_path: Path) -> None:
    outcome = run(
        tmp_path,
        """
        import asyncio, threading
        from neonize.aioze.client import NewAClient
        from neonize.aioze import events
        client = NewAClient("bot.db")
        @client.event(events.LoggedOutEv)
        async def gone(current, event):
            print(threading.current_thread() is threading.main_thread())
            await current.stop()
        async def main():
            await client.connect()
            await client.idle()
            print("idle is over")
        asyncio.run(main())
        """,
        "revoked",
    )
    assert said(outcome) == ["True", "idle is over"]


def test_a_scenario_that_does_not_fit_is_not_run_and_not_passed() -> None:
    channel = PythonChannel("a.py", 1, "bridge", "", kind="function", name="run")
    assert "neonize" in why_not(channel, EVERY["revoked"])
    assert why_not(channel, EVERY["bridge-logged-out"])
    assert why_not(channel, EVERY["bridge-stopped"])
    assert not why_not(channel, EVERY["bridge-refuses"])
    assert why_not(PythonChannel("a.py", 1, "bridge", "", cannot="so"), BRIDGE[0]) == "so"
