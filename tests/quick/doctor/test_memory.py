"""What the bot remembers, wherever its memory lies; and memories that somebody has made up."""

from __future__ import annotations

import json
import os
import sqlite3
import time
from contextlib import closing
from pathlib import Path

import pytest

from add.channel.python.neonize_client import Session
from skill.commands.doctor import answer_lines
from skill.doctor.identity import identity_in
from skill.doctor.memory import memory
from skill.doctor.running import Running
from skill.report.printer import one_line
from tests.quick.doctor.harness import NOW, answers, iso, make_scene, write_log, write_memory

CREDS = {
    "noiseKey": {"public": {"type": "Buffer", "data": "MFBg"}},
    "registrationId": 5,
    "me": {"id": "999:7@s.whatsapp.net"},
    "account": {},
}


def at(seconds: float) -> str:
    return time.strftime("%H:%M", time.localtime(seconds))


def test_a_bot_that_waits_is_held_and_not_broken(tmp_path: Path) -> None:
    make_scene(tmp_path)
    path = tmp_path / "bot" / "store" / "auth-reconnect.json"
    write_memory(path, code="503", notBefore=(NOW + 600) * 1000)
    [answer] = answers(memory, make_scene(tmp_path))
    assert answer.state == "ok"
    assert answer.text == (
        f"store/auth-reconnect.json: held until {at(NOW + 600)}, not broken "
        "(last: 503, service unavailable)"
    )


def test_a_used_up_hour_is_a_wait_as_well(tmp_path: Path) -> None:
    make_scene(tmp_path)
    stamps = {str(number): (NOW - 100 * number) * 1000 for number in range(1, 21)}
    write_memory(tmp_path / "bot" / "store" / "auth-reconnect.json", code="428", attempts=stamps)
    [answer] = answers(memory, make_scene(tmp_path))
    assert f"held until {at(NOW - 2000 + 3600)}, not broken" in answer.text


def test_each_account_has_its_line(tmp_path: Path) -> None:
    make_scene(tmp_path)
    folder = tmp_path / "bot" / ".whatsapp-reconnect"
    verdict = {"code": "401", "at": NOW * 1000}
    write_memory(folder / "aa-reconnect.json", verdict=verdict)
    write_memory(folder / "bb-reconnect.json", verdict={"code": "403", "at": NOW * 1000})
    write_memory(folder / "cc-reconnect.json", code="428")
    found = answers(memory, make_scene(tmp_path))
    assert [each.state for each in found] == ["wrong", "wrong", "ok"]
    assert "stopped by 401 (logged out: link the bot again)" in found[0].text
    assert "look at WhatsApp on the phone first" in found[1].text
    assert found[2].text.endswith("cc-reconnect.json: no wait, no verdict")


def test_a_link_that_is_open_is_no_wait(tmp_path: Path) -> None:
    make_scene(tmp_path)
    path = tmp_path / "bot" / "store" / "auth-reconnect.json"
    stamps = {"a": NOW * 1000}
    write_memory(path, attempts=stamps, downSince=0, notBefore=(NOW + 10) * 1000)
    [answer] = answers(memory, make_scene(tmp_path))
    assert answer.text.endswith("no wait, no verdict; the last attempt opened the link")


def test_a_verdict_on_a_link_that_is_gone_is_cleared_by_the_next_start(tmp_path: Path) -> None:
    make_scene(tmp_path)
    auth = tmp_path / "bot" / "store" / "auth"
    auth.mkdir(parents=True)
    (auth / "creds.json").write_text(json.dumps(CREDS))
    own = identity_in(auth)
    path = tmp_path / "bot" / "store" / "auth-reconnect.json"
    write_memory(path, verdict={"code": "401", "at": 1}, identity=own)
    assert [each.state for each in answers(memory, make_scene(tmp_path))] == ["wrong"]
    write_memory(path, verdict={"code": "401", "at": 1}, identity="0" * 16)
    [answer] = answers(memory, make_scene(tmp_path))
    assert answer.state == "ok" and answer.text.endswith("another one: the next start clears it")


def test_a_held_bot_keeps_it_elsewhere_and_its_link_is_found_all_the_same(tmp_path: Path) -> None:
    make_scene(tmp_path)
    auth = tmp_path / "bot" / "sessions" / "one"
    auth.mkdir(parents=True)
    (auth / "creds.json").write_text(json.dumps(CREDS))
    path = tmp_path / "bot" / ".whatsapp-reconnect" / "aa-reconnect.json"
    for identity, state in ((identity_in(auth), "wrong"), ("0" * 16, "ok")):
        write_memory(path, verdict={"code": "401", "at": 1}, identity=identity)
        assert [each.state for each in answers(memory, make_scene(tmp_path))] == [state]


def test_a_log_names_no_memory_where_one_is_found(tmp_path: Path) -> None:
    """It may be of long ago."""
    make_scene(tmp_path)
    write_memory(tmp_path / "bot" / "store" / "auth-reconnect.json")
    old = write_memory(tmp_path / "old-reconnect.json", verdict={"code": "401", "at": 1})
    assert [text for text in named_in_log(tmp_path, old) if str(old) in text] == []


def test_another_bot_below_the_folder_keeps_its_own(tmp_path: Path) -> None:
    other = tmp_path / "work" / "other-bot"
    write_memory(other / "auth-reconnect.json", verdict={"code": "401", "at": 1})
    (other / "package.json").write_text("{}")
    running = [Running(1, tmp_path / "work", "", "node ../bot/dist/index.js")]
    [answer] = answers(memory, make_scene(tmp_path, [], running))
    assert answer.text == "no memory file was found"


@pytest.mark.parametrize("way", ["folder", "below", "variable", "log"])
def test_a_memory_that_lies_elsewhere_is_found(tmp_path: Path, way: str) -> None:
    scene = make_scene(tmp_path)
    elsewhere = tmp_path / "var"
    place = {"folder": "auth", "below": "store/auth", "variable": "x", "log": "deep/er/auth"}[way]
    path = write_memory(elsewhere / f"{place}-reconnect.json", verdict={"code": "401", "at": 1})
    folder = elsewhere if way in ("folder", "below") else tmp_path / "bot"
    kept_in = str(elsewhere) if way == "variable" else ""
    running = [Running(1, folder, "", "node dist/index.js", memory=kept_in)]
    if way == "log":
        write_log(tmp_path, [f"{iso(NOW)} WhatsApp: 428; held. Kept in {path}; skillgen reset"])
    scene = make_scene(tmp_path, [], running)
    [answer] = answers(memory, scene)
    assert answer.state == "wrong" and str(path) in answer.text
    assert ("(named in logs/bot.log)" in answer.text) == (way == "log")


def named_in_log(tmp_path: Path, path: Path | str) -> list[str]:
    write_log(tmp_path, [f"{iso(NOW)} WhatsApp: held. Kept in {path}; skillgen reset clears it."])
    return [each.text for each in answers(memory, make_scene(tmp_path))]


def test_what_a_log_names_is_no_way_out(tmp_path: Path) -> None:
    """A pipe never answers, a link leads elsewhere, a device has no end: none is believed."""
    make_scene(tmp_path)
    pipe = tmp_path / "pipe-reconnect.json"
    os.mkfifo(pipe)
    target = write_memory(tmp_path / "own-reconnect.json", verdict={"code": "401", "at": 1})
    link = tmp_path / "link-reconnect.json"
    link.symlink_to(target)
    folder = tmp_path / "folder-reconnect.json"
    folder.mkdir()
    big = tmp_path / "big-reconnect.json"
    big.write_text("{" + " " * 1_000_001)
    for path in (
        pipe,
        link,
        folder,
        big,
        "/dev/zero-reconnect.json",
        "/" + "a" * 5000 + "-reconnect.json",
    ):
        assert named_in_log(tmp_path, path) == ["no memory file was found"], path


@pytest.mark.parametrize(
    "fields",
    [
        {"attempts": {"a": [1], "b": {"c": 1}}, "notBefore": "soon"},
        {"code": "\x1b]0;owned\x07\nok  all well", "notBefore": (NOW + 50) * 1000},
        {"code": ["503"], "notBefore": float("inf")},
        {"verdict": {"code": "\x1b[2J401"}},
        {"verdict": ["401"], "identity": {"a": 1}, "pid": "x", "downSince": []},
        {"notBefore": 1e308, "code": "503"},
        {"notBefore": -1e308, "attempts": {"x" * 1000: 1e999}},
        {"reachoutTimeLock": {"isActive": "yes", "timeEnforcementEnds": [1]}},
    ],
)
def test_a_memory_of_any_content_ends_in_one_plain_line(
    tmp_path: Path, fields: dict[str, object]
) -> None:
    make_scene(tmp_path)
    write_memory(tmp_path / "bot" / "store" / "auth-reconnect.json", **fields)
    [answer] = answers(memory, make_scene(tmp_path))
    [line] = answer_lines(answer, lambda text, _style: text, one_line)
    assert line.isprintable() and "all well" not in line


def test_a_memory_cannot_hold_the_bot_for_ever(tmp_path: Path) -> None:
    """As the gate itself bounds a wait."""
    make_scene(tmp_path)
    path = tmp_path / "bot" / "store" / "auth-reconnect.json"
    write_memory(path, code="503", notBefore=(NOW + 10 * 86_400) * 1000)
    [answer] = answers(memory, make_scene(tmp_path))
    assert f"held until {at(NOW + 5400)}, not broken" in answer.text


DEVICES = "CREATE TABLE whatsmeow_device (jid TEXT, registration_id BIGINT)"


def linked(path: Path, *registrations: int, devices: str = DEVICES) -> Path:
    """whatsmeow's database, with these devices."""
    path.unlink(missing_ok=True)
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute(devices)
        for number in registrations:
            row = ("999:7@s.whatsapp.net", number)
            connection.execute("INSERT INTO whatsmeow_device VALUES (?, ?)", row)
    return path


@pytest.fixture
def revoked(tmp_path: Path) -> Path:
    """A database whose device 7 was logged out, as the added module remembers it."""
    make_scene(tmp_path)
    path = linked(tmp_path / "bot" / "line.db", 7)
    own = Session(path)._identify()
    verdict = {"code": "401", "identity": own, "at": NOW * 1000}
    write_memory(path.with_name("line.db-reconnect.json"), identity=own, verdict=verdict)
    return path


def of_database(path: Path) -> tuple[str, str]:
    """State and text; nothing of the bot's changes."""
    before = sorted(os.listdir(path.parent))
    [answer] = answers(memory, make_scene(path.parent.parent))
    assert sorted(os.listdir(path.parent)) == before
    return answer.state, answer.text


def test_the_link_in_a_database_is_told_from_the_one_before(revoked: Path) -> None:
    state, text = of_database(revoked)
    assert (state, "no attempt is made" in text) == ("wrong", True), text
    state, text = of_database(linked(revoked, 8))
    assert (state, "that link is gone, there is another one" in text) == ("ok", True), text


def test_a_database_whose_device_was_deleted(revoked: Path, tmp_path: Path) -> None:
    """As whatsmeow does it at a 401: the bot dials for a QR code, whatever the memory says."""
    asks = "line.db holds no device: link the bot; the next start asks for a QR code"
    of_401 = "stopped by 401 (logged out: link the bot again)"
    assert of_database(linked(revoked)) == (
        "wrong",
        f"line.db-reconnect.json: {of_401}; {asks}",
    )
    write_memory(revoked.with_name("line.db-reconnect.json"), identity="unlinked")
    assert of_database(revoked) == ("wrong", f"line.db-reconnect.json: {asks}")
    running = [Running(1, tmp_path / "bot", "", "python -m line")]
    [answer] = answers(memory, make_scene(tmp_path, running=running))
    assert answer.state == "warning"
    assert answer.text.endswith("link the bot; the one that runs asks for a QR code")


def test_a_database_that_says_nothing(revoked: Path) -> None:
    """Changes that are not written back, another table, or a query that never ends."""
    endless = (
        "CREATE VIEW whatsmeow_device AS WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL"
        " SELECT i + 1 FROM n) SELECT i AS jid, i AS registration_id FROM n"
    )
    for devices in ("CREATE TABLE other (a)", "CREATE TABLE whatsmeow_device (a)", endless):
        state, text = of_database(linked(revoked, devices=devices))
        assert (state, "no attempt is made" in text) == ("wrong", True), text
    linked(revoked, 8)
    revoked.with_name("line.db-journal").write_bytes(b"half")
    assert of_database(revoked)[0] == "wrong"


def test_a_database_that_is_a_link(revoked: Path, tmp_path: Path) -> None:
    elsewhere = linked(tmp_path / "elsewhere.db", 8)
    revoked.unlink()
    revoked.symlink_to(elsewhere)
    assert of_database(revoked)[0] == "wrong"
