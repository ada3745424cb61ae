"""What is asked beside attempts and memories: one question, one answer, with the next command."""

from __future__ import annotations

import json
import os
import pwd
import shutil
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from modify.units.started_program import PIPE
from skill.doctor import linger, questions
from skill.doctor.answer import Answer, Unseen
from skill.doctor.build import build
from skill.doctor.pipe import pipe
from skill.doctor.processes import processes
from skill.doctor.protection import protection
from skill.doctor.running import Running
from skill.doctor.scene import Scene
from skill.doctor.sending import sending
from skill.doctor.unit import unit
from skill.errors import SkillgenError
from skill.finding import Finding
from skill.guard.render import render_guard
from skill.service.model import Starts
from skill.service.systemd import Manager
from skill.service.units import Files
from tests.conftest import CHECKOUT
from tests.quick.doctor.harness import (
    NOW,
    answers,
    iso,
    make_scene,
    service,
    write_log,
    write_memory,
)

PATCHED = [{"path": "src/channels/whatsapp-reconnect.ts", "version": "1.2", "intact": True}]


def run(pid: int, folder: Path, unit_name: str = "", began: float | None = None) -> Running:
    return Running(pid, folder, unit_name, "node dist/index.js", began)


def test_an_unprotected_bot_is_sent_to_the_dry_run(tmp_path: Path) -> None:
    [answer] = answers(protection, make_scene(tmp_path))
    assert answer.state == "wrong" and "neither patched nor guarded, and " in answer.text
    assert "src/channels/whatsapp.ts:" in answer.text
    assert answer.next == (f"skillgen apply {tmp_path / 'bot'} --dry-run",)


def test_a_guard_holds_no_dial_of_a_python_bot(tmp_path: Path) -> None:
    """Of neonize: the unit may load it, nothing is bounded by it."""
    shutil.copytree(CHECKOUT / "tests" / "hosts_python" / "s3-single", tmp_path / "bot")
    scene = make_scene(tmp_path, [service(is_guarded=True)])
    [answer] = answers(protection, scene)
    assert answer.state == "wrong" and "neither patched nor guarded, and " in answer.text
    assert not scene.is_bounded


def test_a_guarded_bot_is_bounded_and_not_done(tmp_path: Path) -> None:
    [answer] = answers(protection, make_scene(tmp_path, [service(is_guarded=True)]))
    assert answer.state == "warning" and answer.text.startswith("guarded")
    # One that loads it, and one that does not.
    scene = make_scene(tmp_path, [service(is_guarded=True), service("other.service")])
    assert answers(protection, scene)[0].state == "wrong"


def test_a_module_that_was_edited_is_not_whole(tmp_path: Path) -> None:
    scene = make_scene(tmp_path)
    scene.modules = [{**PATCHED[0], "intact": False}]
    [answer] = answers(protection, scene)
    assert answer.state == "wrong" and "is not as skillgen made it" in answer.text


def test_a_process_of_before_the_build_is_named(tmp_path: Path) -> None:
    bot = tmp_path / "bot"
    scene = make_scene(tmp_path)
    (bot / "dist").mkdir()
    (bot / "dist" / "index.js").write_text("")
    built = (bot / "dist" / "index.js").stat().st_mtime
    scene = make_scene(tmp_path, [service()], [run(9, bot, "bot.service", built - 60)], built + 5)
    scene.modules = PATCHED
    assert [(each.state, each.next) for each in answers(build, scene)] == [
        ("ok", ()),
        ("wrong", ("pm2 restart bot.service",)),
    ]
    # Its memory shows that it runs the patched code, which was built once more since.
    write_memory(bot / "store" / "auth-reconnect.json", pid=9)
    scene = make_scene(tmp_path, [service()], [run(9, bot, "bot.service", built - 60)], built + 5)
    scene.modules = PATCHED
    assert answers(build, scene)[1].state == "ok"
    scene = make_scene(tmp_path, [service()], [run(9, bot, "bot.service", built + 1)], built + 5)
    scene.modules = PATCHED
    assert answers(build, scene)[1].state == "ok"


def test_a_process_of_before_the_guard_is_named(tmp_path: Path) -> None:
    bot = tmp_path / "bot"
    running = replace(run(9, bot, "bot.service", NOW), is_guarded=False)
    scene = make_scene(tmp_path, [service(is_guarded=True)], [running])
    found = answers(build, scene)[1]
    assert (found.state, found.next) == ("wrong", ("pm2 restart bot.service",))


def test_a_unit_with_faults_is_mended_by_service(tmp_path: Path) -> None:
    fault = Finding("/u/bot.service", 9, 1, "systemd-restart-always", "Restart=always", fix="x")
    [answer] = answers(unit, make_scene(tmp_path, [service(findings=[fault])]))
    assert answer.state == "wrong" and "Restart=always" in answer.text
    assert answer.next == (f"skillgen service {tmp_path / 'bot'} --apply",)


def test_a_unit_that_restarts_again_and_again_is_no_safe_one(tmp_path: Path) -> None:
    [answer] = answers(unit, make_scene(tmp_path, [service(starts=Starts(40, 90))]))
    assert answer.state == "warning" and "started 40 times in the last hour" in answer.text


def test_no_service_is_said(tmp_path: Path) -> None:
    [answer] = answers(unit, make_scene(tmp_path))
    assert answer.state == "warning" and "its own unit is in " in answer.text
    shutil.rmtree(tmp_path / "bot" / "setup")
    shutil.rmtree(tmp_path / "bot" / "launchd")
    [answer] = answers(unit, make_scene(tmp_path))
    assert answer.next == (f"skillgen apply {tmp_path / 'bot'} --add-service systemd",)


@pytest.mark.parametrize(
    ("command", "state"),
    [
        ("/bin/sh -c 'node dist/index.js | tee bot.log'", "wrong"),
        ("/bin/bash -c 'set -o pipefail; node dist/index.js | tee bot.log'", "none"),
    ],
)
def test_a_pipe_that_hides_the_status(tmp_path: Path, command: str, state: str) -> None:
    piped = service(kind="unknown", why=PIPE, command=command)
    found = answers(pipe, make_scene(tmp_path, [piped]))
    assert ([each.state for each in found] or ["none"]) == [state]


def test_a_script_that_keeps_the_status_of_a_pipe(tmp_path: Path) -> None:
    script = tmp_path / "start.sh"
    script.write_text("#!/bin/bash\nset -euo pipefail\nnode dist/index.js | tee bot.log\n")
    piped = service(kind="unknown", why=PIPE, command=str(script))
    assert answers(pipe, make_scene(tmp_path, [piped])) == []
    script.write_text("#!/bin/sh\nnode dist/index.js | tee bot.log\n")
    assert answers(pipe, make_scene(tmp_path, [piped]))[0].state == "wrong"


def test_two_processes_on_one_session(tmp_path: Path) -> None:
    bot = tmp_path / "bot"
    two = [run(5, bot), run(9, bot, "bot.service")]
    [answer] = answers(processes, make_scene(tmp_path, [service()], two))
    assert answer.state == "wrong" and "with one session they disconnect each other" in answer.text
    assert answer.next == ("kill 5",)
    # The same code with the credentials of another folder is another session.
    two = [run(5, bot), run(9, tmp_path / "other", "bot.service")]
    assert answers(processes, make_scene(tmp_path, [service()], two))[0].state == "ok"


def test_two_services_that_run_are_two_processes(tmp_path: Path) -> None:
    scene = make_scene(tmp_path, [service(), service("second.service")])
    [answer] = answers(processes, scene)
    assert answer.state == "wrong" and answer.next == ("pm2 stop second.service",)


@pytest.mark.parametrize("is_over", [True, False])
def test_a_unit_that_has_failed_is_reset_once_it_is_linked(
    user_unit: Scene, tmp_path: Path, is_over: bool
) -> None:
    user_unit.services[0].state = "failed (failed), enabled"
    verdict = {"code": "401", "at": 1} if is_over else None
    write_memory(tmp_path / "bot" / "store" / "auth-reconnect.json", verdict=verdict)
    [answer] = answers(unit, user_unit)
    assert answer.state == "wrong"
    assert answer.next == (
        "systemctl --user reset-failed bot.service || true",
        "systemctl --user start bot.service",
    )
    assert ("link it before it starts" in answer.text) == is_over


def test_files_that_are_not_in_force_yet(user_unit: Scene) -> None:
    user_unit.services[0].own.shown = {"NeedDaemonReload": "yes"}
    [answer] = answers(unit, user_unit)
    assert (answer.state, answer.next) == ("wrong", ("systemctl --user daemon-reload",))


def test_a_guard_that_is_gone_or_edited_is_no_guard(user_unit: Scene, tmp_path: Path) -> None:
    guard = tmp_path / "skillgen" / "guard.cjs"
    service = user_unit.services[0]
    service.is_guarded = True
    service.own.shown = {"Environment": f"NODE_OPTIONS=--require={guard}"}
    assert "the guard is gone" in answers(protection, user_unit)[0].text
    guard.parent.mkdir()
    guard.write_bytes(render_guard())
    assert answers(protection, user_unit)[0].state == "warning"
    guard.write_bytes(render_guard() + b"// more\n")
    assert "the guard is not as it was made" in answers(protection, user_unit)[0].text


def test_a_source_that_cannot_be_read_is_not_well(tmp_path: Path) -> None:
    scene = make_scene(tmp_path)
    (tmp_path / "bot" / "src" / "channels" / "whatsapp.ts").write_bytes(
        b"import makeWASocket from '@whiskeysockets/baileys';\n"
        b"const sock = makeWASocket({});\nsock.ev.on('connection.update', (u) => {{{\n"
    )
    scene = make_scene(tmp_path)
    found, _ = questions.asked(scene)
    assert [each.state for each in found if each.question == "protection"] == ["wrong"]
    assert len(found) > 3


@pytest.fixture
def user_unit(tmp_path: Path) -> Scene:
    made = service()
    made.kind = "systemd"
    made.own = SimpleNamespace(manager=Manager(True), shown={}, files=Files(()))
    return make_scene(tmp_path, [made])


def test_lingering_is_told_by_the_file_of_logind(
    user_unit: Scene, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(linger, "LINGER", tmp_path / "linger")
    monkeypatch.setenv("PATH", str(tmp_path))  # no loginctl
    [answer] = answers(linger.linger, user_unit)
    assert (answer.state, answer.next) == ("warning", ("loginctl enable-linger",))
    (tmp_path / "linger").mkdir()
    (tmp_path / "linger" / pwd.getpwuid(os.getuid()).pw_name).touch()
    assert [each.state for each in answers(linger.linger, user_unit)] == ["ok"]


def stamp(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).isoformat().replace("+00:00", ".000Z")


FORMS = {
    "pino": '{{"reachoutTimeLock":{{"isActive":{active},"timeEnforcementEnds":"{ends}"}}}}',
    "console": "{{ reachoutTimeLock: {{ isActive: {active}, timeEnforcementEnds: {ends} }} }}",
    "pretty": 'update: {{\n  "reachoutTimeLock": {{\n    "isActive": {active},\n'
    '    "timeEnforcementEnds": "{ends}"\n  }}\n}}',
}


@pytest.mark.parametrize("form", FORMS)
def test_whatsapps_own_limit_on_sending_is_told(tmp_path: Path, form: str) -> None:
    def said(active: str, ends: float) -> Answer:
        text = FORMS[form].format(active=active, ends=stamp(ends))
        write_log(tmp_path, [iso(NOW), text])
        [answer] = answers(sending, make_scene(tmp_path))
        return answer

    make_scene(tmp_path)
    limited = said("true", NOW + 7200)
    assert limited.state == "warning" and "WhatsApp has limited sending until" in limited.text
    assert said("true", NOW - 7200).state == "ok"
    assert said("false", NOW + 7200).state == "ok"


@pytest.mark.parametrize(
    "text",
    [
        "reachoutTimeLock: {" * 100_000,
        "reachoutTimeLock: { isActive: true, timeEnforcementEnds: 99999-99-99T }",
        'reachoutTimeLock\\":{\\"isActive\\":true}' + "\x1b[2J",
        "reachoutTimeLock: {" + " isActive" * 50_000 + "}",
    ],
)
def test_a_log_of_any_content_ends_in_a_plain_line(tmp_path: Path, text: str) -> None:
    make_scene(tmp_path)
    write_log(tmp_path, [text])
    [answer] = answers(sending, make_scene(tmp_path))
    assert answer.text.isprintable()


def test_one_question_that_fails_keeps_no_other_from_its_answer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(_scene: Scene) -> Iterator[Answer | Unseen]:
        yield Answer("build", "ok", "first")
        raise SkillgenError("cannot be parsed")

    def closed(_scene: Scene) -> Iterator[Answer | Unseen]:
        raise PermissionError(13, "Permission denied", "/x")
        yield

    table: dict[str, Any] = {"build": refused, "memory": closed, "processes": processes}
    monkeypatch.setattr(questions, "QUESTIONS", table)
    found, blind = questions.asked(make_scene(tmp_path))
    assert [each.question for each in found] == ["build", "processes"]
    assert [each.what for each in blind] == ["build", "memory"]
    assert json.dumps([each.why for each in blind]).isprintable()
