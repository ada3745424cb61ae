"""Pauses of a link: what is flat, what grows, what sets it back, and what the log says of it."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.quick.rules.python.harness import additions, after, look, rules

PATH = "whatsapp.py"
LOOP = """import asyncio
import itertools

import websockets


class WhatsApp:
    delay = 5

    async def run(self):
        {start}
        {loop}
            try:
                async with websockets.connect(self.url) as ws:
                    {opened}
                    async for message in ws:
                        print(message)
            except Exception as error:
                {failed}
            {end}
"""


def host(
    *,
    start: str = "delay = 2",
    loop: str = "while True:",
    opened: str = "print(ws)",
    failed: str = "print(error)",
    end: str = "await asyncio.sleep(delay)\n            delay = min(delay * 2, 60)",
) -> str:
    return LOOP.format(start=start, loop=loop, opened=opened, failed=failed, end=end)


@pytest.mark.parametrize(
    "pause",
    ["5", "self.delay", 'self.config["delay"]', 'self.config.get("delay", 5)', "self.delay or 5"],
)
def test_a_number_that_nothing_makes_grow_is_flat(tmp_path: Path, pause: str) -> None:
    patch = look(tmp_path, {PATH: host(end=f"await asyncio.sleep({pause})")})
    assert rules(patch) == {"flat-retry"}
    assert "asyncio.sleep" not in after(tmp_path, patch, PATH)


def test_a_pause_in_finally_is_one(tmp_path: Path) -> None:
    text = host(end="finally:\n                await asyncio.sleep(5)")
    patch = look(tmp_path, {PATH: text})
    assert rules(patch) == {"flat-retry"}
    assert "            finally:\n                link.closed()\n" in after(tmp_path, patch, PATH)


def test_a_pause_in_the_loop_s_test_is_one_that_every_end_passes(tmp_path: Path) -> None:
    text = (
        "import threading\n\nimport websocket\n\n\nclass WhatsApp(threading.Thread):\n"
        "    def run(self):\n        while not self._over.wait(5):\n"
        "            app = websocket.WebSocketApp(self.url)\n            app.run_forever()\n"
    )
    patch = look(tmp_path, {PATH: text})
    assert rules(patch) == {"flat-retry"}
    test = "while not self._over.wait(link.delay()) and link.turn_sync():"
    assert test in after(tmp_path, patch, PATH)


def test_sleep_zero_is_no_pause(tmp_path: Path) -> None:
    patch = look(tmp_path, {PATH: host(end="await asyncio.sleep(0)")})
    assert rules(patch) == {"silent-redial"}
    assert "await asyncio.sleep(0)" in after(tmp_path, patch, PATH)


@pytest.mark.parametrize(
    ("start", "opened", "end", "text"),
    [
        (
            "delay = 2",
            "delay = 2",
            "await asyncio.sleep(delay)\n            delay = min(delay * 2, 60)",
            "delay = 2",
        ),
        (
            "tries = 0",
            "tries = 0",
            "tries += 1\n            await asyncio.sleep(min(2**tries, 60))",
            "tries = 0",
        ),
        (
            "tries = 0",
            "tries = 0",
            "tries += 1\n            w = min(2**tries, 60)\n            await asyncio.sleep(w)",
            "tries = 0",
        ),
        (
            "self.pause = 1",
            "self.pause = 1",
            "await asyncio.sleep(self.pause)\n            self.pause *= 2",
            "self.pause = 1",
        ),
    ],
)
def test_an_open_that_sets_the_pause_back(
    tmp_path: Path, start: str, opened: str, end: str, text: str
) -> None:
    patch = look(tmp_path, {PATH: host(start=start, opened=opened, end=end)})
    assert rules(patch) == {"premature-reset"}
    assert f"({text})" in patch.findings[0].message
    new = after(tmp_path, patch, PATH)
    assert "asyncio.sleep" not in new and "while await link.turn():" in new
    compile(new, PATH, "exec")


def test_a_variable_that_only_the_pause_needed_goes_with_it(tmp_path: Path) -> None:
    new = after(tmp_path, look(tmp_path, {PATH: host(opened="delay = 2")}), PATH)
    assert "delay = 2" not in new and "min(" not in new


def test_a_variable_that_something_else_reads_stays(tmp_path: Path) -> None:
    text = host(opened="delay = 2") + "        return delay\n"
    new = after(tmp_path, look(tmp_path, {PATH: text}), PATH)
    assert new.count("delay = 2") == 2 and "delay = min(delay * 2, 60)" in new


def test_a_reset_that_asks_for_how_long_is_right(tmp_path: Path) -> None:
    end = (
        "if self.open_for() > 60:\n                delay = 2\n"
        "            await asyncio.sleep(delay)\n            delay = min(delay * 2, 60)"
    )
    patch = look(tmp_path, {PATH: host(end=end)})
    assert not patch.edits and [note.kind for note in patch.notes] == ["right"]


def test_a_growing_pause_gives_way_where_the_clean_close_has_none(tmp_path: Path) -> None:
    """Two waits for one failure would add up."""
    failed = "print(f'again in {delay}s')\n                await asyncio.sleep(delay)"
    patch = look(tmp_path, {PATH: host(failed=failed, end="delay = min(delay * 2, 60)")})
    assert rules(patch) == {"silent-redial"}
    new = after(tmp_path, patch, PATH)
    assert "print(f'again in {link.delay():.0f}s')" in new
    assert "sleep" not in new and "min(" not in new


def test_a_loop_that_counts(tmp_path: Path) -> None:
    text = host(loop="for attempt in itertools.count():", end="await asyncio.sleep(5)")
    patch = look(tmp_path, {PATH: text})
    assert rules(patch) == {"flat-retry"}
    assert (
        "        for attempt in itertools.count():\n"
        "            if not await link.turn():\n                break\n"
    ) in after(tmp_path, patch, PATH)
    (tmp_path / PATH).write_text(after(tmp_path, patch, PATH))
    assert not look(tmp_path, additions(patch)).findings


def test_a_loop_that_gives_up_by_itself_is_left(tmp_path: Path) -> None:
    patch = look(tmp_path, {PATH: host(loop="for attempt in range(5):")})
    assert not patch.edits


def test_ctrl_c_during_the_wait_still_ends_the_loop_where_it_did(tmp_path: Path) -> None:
    text = (
        "import time\n\nfrom websocket import create_connection\n\n\ndef whatsapp():\n"
        "    while True:\n        try:\n            ws = create_connection('ws://x')\n"
        "            serve(ws)\n            time.sleep(5)\n"
        "        except KeyboardInterrupt:\n            break\n"
    )
    new = after(tmp_path, look(tmp_path, {PATH: text}), PATH)
    gate = "        try:\n            if not link.turn_sync():\n                break\n"
    assert "    while True:\n" + gate in new and "time.sleep" not in new


@pytest.mark.parametrize(
    ("line", "told"),
    [
        (
            'log.info("Reconnecting in 5 seconds...")',
            'f"Reconnecting in {link.delay():.0f} seconds',
        ),
        ('log.info("Reconnecting in 5s")', 'f"Reconnecting in {link.delay():.0f}s"'),
        ('log.info(f"{error}: in 5 s")', 'f"{error}: in {link.delay():.0f} s"'),
        ('log.info("{}: in 5s", error)', '"{}: in {}s", error, round(link.delay())'),
        ('log.info("port 5 of 15 seconds")', '"port 5 of 15 seconds"'),
    ],
)
def test_the_log_tells_the_wait_that_is_made(tmp_path: Path, line: str, told: str) -> None:
    failed = f"{line}\n                await asyncio.sleep(5)"
    new = after(tmp_path, look(tmp_path, {PATH: host(failed=failed, end="pass")}), PATH)
    assert told in new


def test_two_lines_of_the_log_tell_the_same(tmp_path: Path) -> None:
    failed = (
        'log.info("lost, again in 5s")\n                log.debug("Waiting 5 seconds")\n'
        "                # Wait a little, then try again.\n"
        "                await asyncio.sleep(5)"
    )
    new = after(tmp_path, look(tmp_path, {PATH: host(failed=failed, end="pass")}), PATH)
    assert (
        "                link_delay = link.delay()\n"
        '                log.info(f"lost, again in {link_delay:.0f}s")\n'
        '                log.debug(f"Waiting {link_delay:.0f} seconds")\n'
        "            pass\n"
    ) in new


def test_an_import_alone_at_the_top_leaves_no_gap(tmp_path: Path) -> None:
    text = host(end="await asyncio.sleep(5)").replace("import itertools\n", "")
    new = after(tmp_path, look(tmp_path, {PATH: text}), PATH)
    assert new.startswith("import websockets\n")


def test_a_turn_of_the_loop_that_dials_nothing_is_not_paced(tmp_path: Path) -> None:
    text = host(end="await asyncio.sleep(5)").replace(
        "            try:\n",
        "            if not self.url:\n                await asyncio.sleep(30)\n"
        "                continue\n            # The bridge.\n            try:\n",
    )
    patch = look(tmp_path, {PATH: text})
    assert rules(patch) == {"flat-retry"} and len(patch.findings) == 1
    new = after(tmp_path, patch, PATH)
    assert (
        "        while True:\n            if not self.url:\n"
        "                await asyncio.sleep(30)\n                continue\n"
        "            if not await link.turn():\n                break\n"
        "            # The bridge.\n            try:\n"
    ) in new
    (tmp_path / PATH).write_text(new)
    assert not look(tmp_path, additions(patch)).findings
