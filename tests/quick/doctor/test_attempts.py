"""Attempts of the last hour and day: from logs, memories and starts, each once."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from skill.doctor import logs
from skill.doctor.attempts import BURST, attempts
from skill.doctor.running import Running
from skill.policy import POLICY
from skill.service.model import Starts
from tests.quick.doctor.harness import (
    CLOSED,
    NOW,
    answers,
    iso,
    make_scene,
    service,
    unseen,
    write_log,
    write_memory,
)


def storm(count: int, span: float, ended: float = 0) -> list[str]:
    """So many closes, evenly over so many seconds."""
    times = [NOW - ended - span + span * (number + 1) / count for number in range(count)]
    return [f"{iso(at)} INFO {CLOSED}" for at in times]


def at(seconds: float) -> str:
    return time.strftime("%H:%M", time.localtime(seconds))


def test_a_storm_is_counted_and_ends_with_what_stops_it(tmp_path: Path) -> None:
    bots = [service()]
    make_scene(tmp_path)
    write_log(tmp_path, storm(12_000, 3590))
    [answer] = answers(attempts, make_scene(tmp_path, bots))
    assert answer.state == "wrong"
    assert answer.text.startswith("about 12,000 attempts in the last hour, 12,000 in the last day")
    assert f"(by {CLOSED!r} in logs/bot.log)" in answer.text
    assert f"leave the number alone until {at(NOW + 3600 - 6)}" in answer.text
    assert answer.next == ("pm2 stop bot.service",)


def test_a_storm_that_has_only_begun_is_one(tmp_path: Path) -> None:
    make_scene(tmp_path)
    write_log(tmp_path, storm(BURST + 1, 60))
    [answer] = answers(attempts, make_scene(tmp_path, [service()]))
    assert answer.state == "wrong" and answer.next == ("pm2 stop bot.service",)
    write_log(tmp_path, storm(BURST, 60))
    [answer] = answers(attempts, make_scene(tmp_path, [service()]))
    assert answer.state == "ok", answer


def test_a_process_that_nobody_keeps_is_ended_by_its_number(tmp_path: Path) -> None:
    make_scene(tmp_path)
    write_log(tmp_path, storm(500, 3000))
    running = [Running(77, tmp_path / "bot", "", "node dist/index.js")]
    [answer] = answers(attempts, make_scene(tmp_path, [], running))
    assert (answer.state, answer.next) == ("wrong", ("kill 77",))


def test_a_storm_of_yesterday_is_a_warning(tmp_path: Path) -> None:
    make_scene(tmp_path)
    write_log(tmp_path, storm(2_000, 3600, ended=7200), NOW - 7200)
    [answer] = answers(attempts, make_scene(tmp_path, [service()]))
    assert answer.state == "warning"
    assert answer.text.startswith("0 attempts in the last hour, 2,000 in the last day")
    assert answer.next == ()


def test_what_is_older_than_a_day_is_not_counted(tmp_path: Path) -> None:
    make_scene(tmp_path)
    write_log(tmp_path, [f"{iso(NOW - 90_000)} {CLOSED}", f"{iso(NOW - 5)} {CLOSED}"])
    [answer] = answers(attempts, make_scene(tmp_path, [service()]))
    assert "about 1 attempt in the last hour, 1 in the last day" in answer.text


def test_a_log_of_any_size_is_read_from_its_end(tmp_path: Path) -> None:
    make_scene(tmp_path)
    path = write_log(tmp_path, [])
    os.truncate(path, 5_000_000_000)  # sparse: what is read is no more than the end
    with path.open("ab") as stream:
        stream.write(b"\n" + "\n".join([*storm(30, 3000), ""]).encode())
    os.utime(path, (NOW, NOW))
    [answer] = answers(attempts, make_scene(tmp_path, [service()]))
    assert answer.text.startswith("at least 30 attempts in the last hour")
    scene = make_scene(tmp_path, [service()])
    assert sum(len(log.text) for log in scene.logs) <= logs.TAIL


def test_a_patched_bot_that_is_held_redials_without_a_dial(tmp_path: Path) -> None:
    """After the patch its memory counts, before it the log does."""
    scene = make_scene(tmp_path)
    module = tmp_path / "bot" / "src" / "channels" / "whatsapp-reconnect.ts"
    module.write_text("export {};\n")
    os.utime(module, (NOW - 600, NOW - 600))
    write_log(tmp_path, [*storm(7, 60, ended=900), *storm(400, 300)])
    stamps = {str(number): (NOW - number * 60) * 1000 for number in range(1, 4)}
    write_memory(tmp_path / "bot" / "store" / "auth-reconnect.json", attempts=stamps)
    scene = make_scene(tmp_path, [service()])
    scene.modules = [{"path": "src/channels/whatsapp-reconnect.ts", "version": "1", "intact": True}]
    [answer] = answers(attempts, scene)
    assert answer.text.startswith("about 10 attempts in the last hour, 10 in the last day")
    assert answer.state == "ok"


def test_starts_count_where_no_log_says_more(tmp_path: Path) -> None:
    times = tuple(NOW - 3 * number for number in range(1, 600))
    bot = service(starts=Starts(599, 599, times=times))
    [answer] = answers(attempts, make_scene(tmp_path, [bot]))
    assert answer.text.startswith("at least 599 attempts in the last hour")
    assert "by the starts of bot.service" in answer.text


def test_a_block_that_whatsapp_has_dated_counts_longer(tmp_path: Path) -> None:
    make_scene(tmp_path)
    write_log(tmp_path, storm(100, 3000))
    until = NOW + 5 * 3600
    write_memory(
        tmp_path / "bot" / "store" / "auth-reconnect.json", code="402", notBefore=until * 1000
    )
    [answer] = answers(attempts, make_scene(tmp_path, [service()]))
    assert f"leave the number alone until {at(until)}" in answer.text


def test_nothing_to_count_by_is_said(tmp_path: Path) -> None:
    scene = make_scene(tmp_path)
    assert answers(attempts, scene) == []
    [said] = unseen(attempts, scene)
    assert said.why == "no memory, and no attempt in journal or logs"


def test_a_log_that_leads_out_of_the_host_is_named_and_not_read(tmp_path: Path) -> None:
    make_scene(tmp_path)
    secret = tmp_path / "secret.log"
    secret.write_text("".join(f"{line}\n" for line in storm(50, 100)))
    link = tmp_path / "bot" / "bot.log"
    link.symlink_to(secret)
    (tmp_path / "bot" / "logs").symlink_to(tmp_path)
    running = [
        Running(1, tmp_path / "bot", "", "node", streams=(link, tmp_path / "bot/logs/secret.log"))
    ]
    scene = make_scene(tmp_path, [], running)
    assert answers(attempts, scene) == []
    assert {each.why for each in unseen(attempts, scene)} >= {
        "is a link that leads out of the bot's folder"
    }


def test_a_log_that_is_closed_to_this_user_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def closed(path: Path, _most: int) -> None:
        raise PermissionError(13, "Permission denied", str(path))

    make_scene(tmp_path)
    write_log(tmp_path, storm(50, 100))
    monkeypatch.setattr(logs, "tail", closed)
    [first, *_] = unseen(attempts, make_scene(tmp_path))
    assert (first.what, first.why) == ("logs/bot.log", "Permission denied")


def test_a_memory_cannot_make_up_more_than_it_holds(tmp_path: Path) -> None:
    stamps = {"a": "soon", "b": -1, "c": 1e300, "d": None, "e": True, "f": (NOW - 5) * 1000}
    scene = make_scene(tmp_path)
    write_memory(tmp_path / "bot" / "store" / "auth-reconnect.json", attempts=stamps)
    [answer] = answers(attempts, make_scene(tmp_path))
    assert answer.text == "1 attempt in the last hour (by store/auth-reconnect.json)"
    assert scene.now == NOW and POLICY.budget == 20
