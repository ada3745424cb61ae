"""``skillgen service`` beside a real ``systemd --user`` with a real journal."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.slow.baileys.harness import wait
from tests.slow.service.rig import FOREVER, Rig, make_bot
from tests.slow.supervisors.systemd import manager

pytestmark = pytest.mark.system

NODE = "ExecStart=/usr/bin/env node {bot}/dist/index.js\n"
STORM = "[Unit]\nDescription=A bot\nStartLimitIntervalSec=0\n\n[Service]\n" + NODE
STORM += "Restart=always\nRestartSec=300ms\n"
PATIENCE = 30.0
PAUSE = 10
BURST = 5
NAME = "50-skillgen-restart.conf"


@pytest.fixture
def rig(tmp_path: Path) -> Iterator[Rig]:
    bot = make_bot(tmp_path / "bot")
    with manager(tmp_path / "home", journal=True) as systemd:
        yield Rig(systemd, bot)


def drop_in(rig: Rig, unit: str) -> Path:
    return rig.units / f"{unit}.d" / NAME


def test_a_storm_is_seen_with_its_starts_and_its_faults(rig: Rig) -> None:
    unit = rig.unit("anything.service", STORM)
    rig.systemd.systemctl("start", unit)
    assert wait(PATIENCE, lambda: len(rig.counted) >= 3)
    before = len(rig.counted)
    said = rig.look()
    assert said.code == 1, said
    service = said.service
    assert (service["name"], service["manager"]) == (unit, "systemd --user")
    assert before <= service["started"]["hour"] <= len(rig.counted)
    assert service["started"]["hour"] == service["started"]["day"]
    assert service["policy"]["restart"] == "always"
    assert service["policy"]["is_limited"] is False
    assert service["policy"]["starts_per_hour"] == 12_000
    found = {(each["rule"], each["path"], each["line"]) for each in service["findings"]}
    path = str(rig.units / unit)
    assert found == {("systemd-restart-always", path, 7), ("systemd-start-limit", path, 3)}
    # The output says that no system manager runs here.
    assert "not looked at: systemd: " in rig.skillgen().out


def test_a_revoked_bot_stays_down_and_a_unit_of_that_name_is_not_touched(rig: Rig) -> None:
    """The owner's files stay to the byte, and ``--revert`` gives back the rest."""
    other = rig.systemd.home / "other-bot"
    make_bot(other)
    neighbour = STORM.replace("{bot}", str(other))
    (rig.units / "bot2.service").write_text(neighbour)
    unit = rig.unit("bot.service", STORM, status=0)
    rig.systemd.systemctl("start", unit)
    assert wait(PATIENCE, lambda: len(rig.counted) >= 3)
    files = rig.files()
    said = rig.skillgen("--apply")
    assert said.code == 0, said
    assert wait(PATIENCE, lambda: rig.systemd.state(unit) == "inactive")
    starts = len(rig.counted)
    time.sleep(3)
    assert len(rig.counted) == starts
    added = {path for path in rig.files() if path not in files}
    assert added == {str(drop_in(rig, unit))}
    assert {path: text for path, text in rig.files().items() if path in files} == files
    assert rig.look().service["findings"] == []
    assert "nothing to do" in rig.skillgen("--apply").out
    reverted = rig.skillgen("--revert")
    assert reverted.code == 0, reverted
    assert rig.files() == files and not drop_in(rig, unit).parent.exists()
    assert rig.systemd.systemctl("show", "--property=Restart", "--value", unit) == "always"
    assert "nothing to take back" in rig.skillgen("--revert").out


def test_a_crash_loop_ends_at_the_limit(rig: Rig) -> None:
    """Five starts with the mission's pause: systemd 252 has no pauses that grow."""
    unit = rig.unit("bot.service", STORM.replace("300ms", "5"))
    assert rig.skillgen("--apply").code == 0
    rig.systemd.systemctl("start", unit)
    assert wait(PAUSE * BURST + PATIENCE, lambda: rig.systemd.state(unit) == "failed")
    assert len(rig.counted) == BURST
    said = rig.look().service
    assert (said["started"]["hour"], said["policy"]["is_limited"]) == (BURST, True)
    # What follows a change names what a failed unit needs.
    following = rig.skillgen("--apply", "--guard")
    assert "reset-failed bot.service" in following.out, following


def test_a_healthy_bot_is_not_restarted_unless_that_is_asked_for(rig: Rig) -> None:
    unit = rig.unit("bot.service", STORM, life_ms=FOREVER)
    rig.systemd.systemctl("start", unit)
    assert wait(PATIENCE, lambda: len(rig.counted) == 1)
    said = rig.skillgen("--apply", "--guard")
    assert said.code == 0, said
    assert "loads the guard" in said.out and f"restart {unit}" in said.out
    assert len(rig.counted) == 1, "the running one goes on"
    assert rig.look().service["guarded"] is True
    again = rig.skillgen("--apply", "--guard", "--restart")
    assert again.code == 0 and "nothing to do" not in again.out, again
    assert wait(PATIENCE, lambda: len(rig.counted) == 2)
    first, second = rig.counted
    guard = rig.systemd.home / ".local" / "share" / "skillgen" / "guard.cjs"
    assert first.split()[1:] == [] and second.split()[1:] == [str(guard)]
    # A later apply without --guard does not take it away.
    before = drop_in(rig, unit).read_bytes()
    assert rig.skillgen("--apply").code == 0
    assert drop_in(rig, unit).read_bytes() == before


def test_a_dry_run_shows_what_is_then_written(rig: Rig) -> None:
    unit = rig.unit("bot.service", STORM)
    files = rig.files()
    said = rig.skillgen("--apply", "--dry-run", "--guard")
    assert said.code == 0 and rig.files() == files
    shown = [
        line[1:] for line in said.out.splitlines() if line.startswith("+") and "+++" not in line
    ]
    assert rig.skillgen("--apply", "--guard").code == 0
    assert drop_in(rig, unit).read_text().splitlines() == shown


def test_a_later_drop_in_that_wins_is_named(rig: Rig) -> None:
    unit = rig.unit("bot.service", STORM)
    own = rig.units / f"{unit}.d" / "override.conf"
    own.parent.mkdir()
    own.write_text("[Service]\n# the owner's own\nRestart=always\n")
    rig.systemd.systemctl("daemon-reload")
    said = rig.skillgen("--apply")
    assert said.code == 1, said
    assert f"{own}:3: Restart=always is read after skillgen's drop-in and wins" in said.out
    assert said.out.count("Restart=always") == 1
    assert own.read_text() == "[Service]\n# the owner's own\nRestart=always\n"
    assert rig.systemd.systemctl("show", "--property=StartLimitBurst", "--value", unit) == "5"
    assert [each["rule"] for each in rig.look().service["findings"]] == ["systemd-restart-always"]


def test_a_limit_in_the_wrong_section_is_not_in_force(rig: Rig) -> None:
    text = "[Service]\n" + NODE + "Restart=on-failure\nRestartSec=10\nStartLimitIntervalSec=300\n"
    rig.unit("bot.service", text)
    service = rig.look().service
    assert (service["policy"]["limit_interval_s"], service["policy"]["is_limited"]) == (10, False)
    [found] = service["findings"]
    assert found["rule"] == "systemd-start-limit" and "[Service]" in found["message"]


def test_files_that_changed_since_they_were_loaded(rig: Rig) -> None:
    unit = rig.unit("bot.service", STORM)
    text = (rig.units / unit).read_text()
    rig.systemd.systemctl("start", unit)  # a unit that is not in use is loaded afresh
    (rig.units / unit).write_text(text.replace("Restart=always", "Restart=on-failure"))
    service = rig.look().service
    assert service["policy"]["restart"] == "always"
    assert any("daemon-reload" in note for note in service["notes"])
    assert "systemd-restart-always" in {each["rule"] for each in service["findings"]}


@pytest.mark.parametrize(
    ("settings", "command"),
    [
        ("WorkingDirectory={bot}\n", "/usr/bin/env node dist/index.js"),
        ("WorkingDirectory={bot}\n", "/usr/bin/npm start"),
        ("", "/bin/sh -c 'cd {bot} && exec npm start'"),
        ("Environment=ROOT={bot}\n", "/usr/bin/env node ${{ROOT}}/dist/index.js"),
        ("", "/usr/bin/env node %h/link/dist/index.js"),
        ("", "/bin/bash {home}/start.sh"),
    ],
    ids=["relative", "npm script", "shell", "variable", "link", "script elsewhere"],
)
def test_a_unit_is_found_by_what_it_executes(rig: Rig, settings: str, command: str) -> None:
    home = rig.systemd.home
    (home / "link").symlink_to(rig.bot)
    (home / "start.sh").write_text(f"#!/bin/bash\ncd {rig.bot}\nexec node dist/index.js\n")
    text = (
        f"[Service]\n{settings}ExecStart={command.replace('{home}', str(home))}\nRestart=always\n"
    )
    rig.unit("x.service", text)
    service = rig.look().service
    assert (service["name"], service["starts"]) == ("x.service", "bot"), service


def test_what_lies_beside_the_bot_is_left_alone(rig: Rig) -> None:
    """Another checkout, a backup of this one, a program that only works in its folder."""
    commands = {
        "bot.service": "/usr/bin/env node /opt/bot/dist/index.js",
        "bot-backup.service": f"/bin/tar c {rig.bot}/store",
        "bot-db.service": "/bin/sleep 600",
    }
    for name, command in commands.items():
        (rig.units / name).write_text(
            f"[Service]\nWorkingDirectory={rig.bot}\nExecStart={command}\nRestart=always\n"
            if name != "bot.service"
            else f"[Service]\nExecStart={command}\nRestart=always\n"
        )
    rig.systemd.systemctl("daemon-reload")
    said = rig.look()
    assert {each["name"] for each in said.row["services"]} == {
        "bot-backup.service",
        "bot-db.service",
    }
    assert {each["starts"] for each in said.row["services"]} == {"other"}
    files = rig.files()
    refused = rig.skillgen("--apply")
    assert refused.code == 2 and "no service starts this bot" in refused.err, refused
    assert rig.files() == files


def test_several_candidates_are_named_and_none_is_guessed(rig: Rig) -> None:
    for name in ("one.service", "two.service"):
        rig.unit(name, STORM)
    files = rig.files()
    said = rig.skillgen("--apply")
    assert said.code == 2 and rig.files() == files
    assert "one.service (systemd --user), two.service (systemd --user)" in said.err
    assert rig.skillgen("--apply", "--unit", "two").code == 0
    assert set(rig.files()) - set(files) == {str(drop_in(rig, "two.service"))}
    assert rig.skillgen("--unit", "three").code == 2


def test_an_instance_is_changed_and_its_template_is_not(rig: Rig) -> None:
    text = STORM.replace("{bot}", "%I").replace("/usr/bin/env node ", "/usr/bin/env node /")
    name = rig.unit("bot@.service", text)
    template = (rig.units / name).read_bytes()
    escaped = rig.systemd.run("systemd-escape", str(rig.bot)[1:]).strip()
    nothing = rig.look()
    assert nothing.row["services"] == [], "its path is the instance's"
    instance = f"bot@{escaped}.service"
    rig.systemd.systemctl("start", instance)
    service = rig.look().service
    assert service["name"] == instance
    assert any("instance of bot@.service" in note for note in service["notes"])
    assert rig.skillgen("--apply").code == 0
    assert (rig.units / name).read_bytes() == template
    assert drop_in(rig, instance).exists()


def test_a_template_without_an_instance_is_named(rig: Rig) -> None:
    rig.unit("bot@.service", STORM)
    service = rig.look().service
    assert service["name"] == "bot@.service" and "template" in service["obstacles"][0]
    said = rig.skillgen("--apply")
    assert said.code == 1 and "bot@NAME.service" in said.out


def test_masked_and_transient_units_are_named(rig: Rig) -> None:
    unit = rig.unit("bot.service", STORM)
    packaged = rig.systemd.home / ".local" / "share" / "systemd" / "user"
    packaged.mkdir(parents=True)
    (rig.units / unit).rename(packaged / unit)
    rig.systemd.systemctl("mask", unit)
    node = ("/usr/bin/env", "node", str(rig.bot / "dist/index.js"))
    rig.systemd.run(
        "systemd-run", "--user", "--unit=passing", "--setenv=BOT_LIFE_MS=600000",
        f"--setenv=BOT_STARTS={rig.systemd.home}/starts", *node,
    )  # fmt: skip
    services = {each["name"]: each for each in rig.look().row["services"]}
    assert set(services) == {"bot.service", "passing.service"}
    assert "unmask bot.service" in services["bot.service"]["obstacles"][0]
    assert "transient" in services["passing.service"]["obstacles"][0]
    files = rig.files()
    for name in services:
        assert rig.skillgen("--apply", "--unit", name).code == 1
    assert rig.files() == files


def test_what_nobody_can_tell_is_named_and_a_person_settles_it(rig: Rig) -> None:
    """A pipe hides the exit status: Restart= sees that of the last command."""
    start = "ExecStart=/bin/sh -c 'node {bot}/dist/index.js | cat'\n"
    unit = rig.unit("bot.service", STORM.replace(NODE, start))
    said = rig.look()
    assert said.code == 1 and said.service["starts"] == "unknown"
    assert "a pipe hides its exit status" in said.service["obstacles"][0]
    files = rig.files()
    refused = rig.skillgen("--apply")
    assert refused.code == 2 and "name it with --unit: bot.service" in refused.err
    assert rig.files() == files
    assert rig.skillgen("--apply", "--unit", "bot").code == 0
    assert drop_in(rig, unit).exists()


def test_an_edited_drop_in_is_not_lost(rig: Rig) -> None:
    unit = rig.unit("bot.service", STORM)
    assert rig.skillgen("--apply").code == 0
    path = drop_in(rig, unit)
    edited = path.read_text().replace("RestartSec=10", "RestartSec=30")
    path.write_text(edited)
    assert rig.skillgen("--apply").code == 2
    said = rig.skillgen("--revert")
    assert said.code == 1 and "was edited since" in said.out
    assert path.read_text() == edited


def test_json_has_every_field_of_its_page(rig: Rig) -> None:
    rig.unit("bot.service", STORM)
    row = json.loads(rig.look().out)["hosts"][0]
    looked = {each["manager"]: each["state"] for each in row["looked"]}
    assert (looked["systemd --user"], looked["systemd"]) == ("looked", "failed")
    assert {"services", "looked", "changes", "written", "restarted", "next", "todo"} <= set(row)
