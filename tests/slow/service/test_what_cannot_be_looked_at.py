"""No manager, no rights, no journal: what is not known is named, the rest is answered."""

from __future__ import annotations

import json
import os
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from skill import cli
from skill.host import Host
from skill.service import drop_in, journal, tools
from skill.service.tools import Tools
from tests.quick.units.test_dependency import ASKS
from tests.slow.service.rig import Said

Skillgen = Callable[..., Said]
StandIn = Callable[[str, str], Path]
UNIT = "[Service]\nExecStart=/usr/bin/env node {bot}/dist/index.js\nRestart=always\nRestartSec=5\n"
NO_BUS = "echo 'Failed to connect to bus: No medium found' >&2; exit 1"
# A system manager of a version, with one unit: what the real ones print, by property.
SYSTEM = """\
case "$*" in
  *--user*) echo 'Failed to connect to bus: No medium found' >&2; exit 1;;
  *--property=Version*) printf 'Version=%s\\nUnitPath=%s\\n' '{version}' '{folder}';;
  *list-units*) echo 'wa.service loaded active running A bot';;
  *list-unit-files*) echo 'wa.service enabled enabled';;
  *daemon-reload*) exit {reload};;
  *show*) cat <<'END'
Id=wa.service
LoadState=loaded
ActiveState=active
SubState=running
UnitFileState=enabled
FragmentPath={folder}/wa.service
DropInPaths={drop_ins}
NeedDaemonReload=no
Type=simple
ExecStart={{ path=/bin/x ; argv[]=/usr/bin/env node {bot}/dist/index.js ; ignore_errors=no ; }}
WorkingDirectory={bot}
Restart={restart}
RestartUSec=5s
StartLimitIntervalUSec=10s
StartLimitBurst=5
NRestarts=7
END
  ;;
esac
"""


@pytest.fixture
def unit(home: Path, bot: Path) -> Path:
    path = home / ".config" / "systemd" / "user" / "wa.service"
    path.parent.mkdir(parents=True)
    path.write_text(UNIT.format(bot=bot))
    return path


@pytest.fixture
def system(tmp_path: Path, home: Path, bot: Path, tools: StandIn) -> Callable[..., Path]:
    """A system's manager; returns the file of its calls."""

    def manager(version: str = "257.1", reload: int = 0, restart: str = "always") -> Path:
        folder = tmp_path / "etc" / "systemd" / "system"
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "wa.service").write_text(UNIT.format(bot=bot))
        fill = {"version": version, "folder": folder, "reload": reload, "restart": restart}
        return tools("systemctl", SYSTEM.format(**fill, bot=bot, drop_ins=""))

    return manager


def test_without_a_bus_the_files_are_read_and_commands_are_given(
    skillgen: Skillgen, unit: Path, tools: StandIn
) -> None:
    tools("systemctl", NO_BUS)
    said = skillgen("--format", "json")
    assert said.code == 1
    assert said.service["name"] == "wa.service"
    assert "No medium found" in said.service["state"]
    assert said.service["started"]["hour"] is None
    assert said.service["policy"]["starts_per_hour"] == 720
    assert {each["rule"] for each in said.service["findings"]} == {
        "systemd-restart-always",
        "systemd-start-limit",
    }
    looked = {each["manager"]: each["state"] for each in said.row["looked"]}
    assert (looked["systemd --user"], looked["systemd"]) == ("failed", "failed")
    applied = skillgen("--apply")
    assert applied.code == 2 and "No medium found; nothing was written" in applied.err
    assert list(unit.parent.iterdir()) == [unit]
    place = unit.parent / "wa.service.d" / "50-skillgen-restart.conf"
    commands = applied.out.splitlines()
    assert f"mkdir -p {place.parent}" in commands and "systemctl --user daemon-reload" in commands


def test_the_commands_that_are_given_do_it(skillgen: Skillgen, unit: Path, tools: StandIn) -> None:
    tools("systemctl", NO_BUS)
    script = skillgen("--apply").out.partition("\n")[2]
    quiet = script.replace("systemctl --user daemon-reload", "")
    subprocess.run(
        ["/bin/sh", "-e"], input=quiet, text=True, check=True, env={"PATH": "/usr/bin:/bin"}
    )
    assert skillgen().code == 0, "by the files, it is right now"
    assert skillgen("--apply").code == 0, "and there is nothing left to write"
    # Taken back by hand as well.
    reverted = skillgen("--revert")
    assert reverted.code == 2
    place = unit.parent / "wa.service.d" / "50-skillgen-restart.conf"
    assert f"rm {place}" in reverted.out.splitlines() and place.exists()


def test_without_systemctl(skillgen: Skillgen, unit: Path, tools: StandIn) -> None:
    said = skillgen("--format", "json")
    assert said.code == 1 and said.service["name"] == "wa.service"
    states = {each["state"] for each in said.row["looked"] if "systemd" in each["manager"]}
    assert states == {"absent"}


def test_nothing_seen_and_nothing_to_look_with(
    skillgen: Skillgen, home: Path, tools: StandIn
) -> None:
    tools("systemctl", NO_BUS)
    said = skillgen()
    assert said.code == 2
    assert "no service of this bot was found; not looked at: systemd --user: Failed" in said.err


def test_a_manager_that_does_not_answer(
    skillgen: Skillgen, unit: Path, tools: StandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    tools("systemctl", "exec /bin/sleep 60")
    monkeypatch.setattr(Tools.ask, "__kwdefaults__", {"patience": 0.2, "folder": "/"})
    said = skillgen("--format", "json")
    assert said.code == 1 and "did not answer within" in said.service["state"]


@pytest.mark.parametrize(
    ("version", "spreads"), [("252.38-1~deb12u1", False), ("254", True), ("257.7", True)]
)
def test_the_managers_version_decides_which_keys_are_written(
    skillgen: Skillgen, system: Callable[..., Path], version: str, spreads: bool, tmp_path: Path
) -> None:
    system(version)
    skillgen("--apply")
    path = tmp_path / "etc/systemd/system/wa.service.d/50-skillgen-restart.conf"
    keys = [line for line in path.read_text().splitlines() if line.startswith("Restart")]
    spread = ["RestartSteps=4", "RestartMaxDelaySec=300"] if spreads else []
    assert keys == ["Restart=on-failure", "RestartSec=10", *spread]


@pytest.mark.parametrize(
    ("version", "pauses"),
    [
        ("252.38-1~deb12u1", ["RestartSec=61"]),
        ("257.7", ["RestartSec=10", "RestartSteps=4", "RestartMaxDelaySec=300"]),
    ],
)
def test_a_bot_that_waits_for_something_is_not_ended_by_the_limit(
    skillgen: Skillgen,
    system: Callable[..., Path],
    bot: Path,
    version: str,
    pauses: list[str],
    tmp_path: Path,
) -> None:
    """Its start ends with a failure while Docker is missing."""
    for name, text in ASKS.items():
        (bot / name).write_text(text)
    system(version)
    skillgen("--apply")
    path = tmp_path / "etc/systemd/system/wa.service.d/50-skillgen-restart.conf"
    keys = [line for line in path.read_text().splitlines() if line.startswith("Restart")]
    assert keys == ["Restart=on-failure", *pauses]


def test_without_rights_nothing_is_written(
    skillgen: Skillgen,
    system: Callable[..., Path],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    calls = system()
    monkeypatch.setattr(os, "access", lambda _path, mode, **_: not mode & os.W_OK)
    said = skillgen("--apply", "--guard")
    assert said.code == 2 and "no right to write there; nothing was written" in said.err
    folder = tmp_path / "etc/systemd/system"
    assert [path.name for path in folder.iterdir()] == ["wa.service"]
    assert "daemon-reload" not in calls.read_text()
    assert not list(tmp_path.rglob("guard.cjs"))
    lines = said.out.splitlines()
    assert f"sudo mkdir -p {folder}/wa.service.d" in lines
    assert any(line.startswith("sudo install -D -m 644") for line in lines)
    assert lines[-1] == "sudo systemctl daemon-reload"


def test_what_a_manager_does_not_read_is_taken_back(
    skillgen: Skillgen, system: Callable[..., Path], tmp_path: Path
) -> None:
    system(reload=1)
    said = skillgen("--apply")
    assert said.code != 0 and "daemon-reload" in said.err
    assert [path.name for path in (tmp_path / "etc/systemd/system").iterdir()] == ["wa.service"]


def test_a_bot_that_restarts_itself_by_a_clean_exit_is_started_on(
    skillgen: Skillgen, system: Callable[..., Path], bot: Path, tmp_path: Path
) -> None:
    """Under on-failure it would stay down; pause and limit do it no harm."""
    (bot / "src" / "admin.ts").write_text("export function restart() {\n  process.exit(0);\n}\n")
    (bot / "src" / "index.ts").write_text("import './whatsapp.js';\nimport './admin.js';\n")
    system()
    said = skillgen("--apply")
    assert said.code == 1 and "src/admin.ts:2" in said.out, said
    text = (tmp_path / "etc/systemd/system/wa.service.d/50-skillgen-restart.conf").read_text()
    assert "Restart=" not in text
    assert "RestartSec=10" in text and "StartLimitIntervalSec=300" in text


def test_a_program_on_path_that_lies_in_the_host_is_never_run(
    bot: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, skillgen: Skillgen, home: Path
) -> None:
    own = bot / "node_modules" / ".bin"
    own.mkdir(parents=True)
    for name in ("systemctl", "journalctl", "pm2", "docker", "supervisorctl"):
        (own / name).write_text(f"#!/bin/sh\ntouch {tmp_path}/ran\n")
        (own / name).chmod(0o755)
    monkeypatch.setenv("PATH", str(own))
    skillgen()
    assert not (tmp_path / "ran").exists()


def test_a_guard_in_its_drop_in_is_known_to_the_other_commands(
    skillgen: Skillgen,
    system: Callable[..., Path],
    home: Path,
    bot: Path,
    capfd: pytest.CaptureFixture[str],
) -> None:
    """``status`` names it, and ``guard --unit`` does not add another."""
    unit = home / ".config" / "systemd" / "user" / "wa.service"
    unit.parent.mkdir(parents=True)
    unit.write_text(UNIT.format(bot=bot))
    place = unit.parent / "wa.service.d" / "50-skillgen-restart.conf"
    place.parent.mkdir()
    line = "# Guard by skillgen 0.0.9: the bot dials WhatsApp no more often than is safe."
    place.write_bytes(drop_in.text(Host(bot), [], [line, "Environment=X=1"]))
    assert cli.run(["status", str(bot), "--format", "json"]) == 0
    [row] = json.loads(capfd.readouterr().out)["hosts"][0]["guarded"]
    assert (row["path"], row["version"]) == (str(unit), "0.0.9")
    assert row["undo"] == f"skillgen service {bot} --revert"
    assert cli.run(["guard", str(bot), "--unit", str(unit)]) == 0
    assert "nothing to do: it is guarded" in capfd.readouterr().out
    assert [path.name for path in place.parent.iterdir()] == [place.name]


# -- the journal


LOG = """cat <<'END'
{lines}
END"""


def line(ago: float) -> str:
    return f'{{"__REALTIME_TIMESTAMP":"{int((time.time() - ago) * 1e6)}"}}'


@pytest.mark.parametrize("zone", ["UTC", "Pacific/Kiritimati", "America/Adak"])
def test_starts_are_counted_whatever_the_zone(
    bot: Path, tools: StandIn, zone: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TZ", zone)
    time.tzset()
    lines = [line(10), line(3500), line(3700), line(80_000), line(90_000), "{}", "no json"]
    calls = tools("journalctl", LOG.format(lines="\n".join(lines)))
    found = journal.starts(Tools(bot), "wa.service", True, 3)
    assert (found.hour, found.day, found.restarts) == (2, 4, 3)
    [call] = calls.read_text().splitlines()
    since = int(call.partition("--since=@")[2].split()[0])
    assert abs(time.time() - 86_400 - since) < 5
    assert "USER_UNIT=wa.service" in call


def test_a_journal_that_this_user_may_not_read_is_not_zero(bot: Path, tools: StandIn) -> None:
    hint = "Hint: You are currently not seeing messages from other users and the system."
    tools("journalctl", f"echo '{hint}' >&2")
    found = journal.starts(Tools(bot), "wa.service", False, 3)
    assert found.hour is None and "not seeing messages" in found.why


def test_no_journal_at_all(bot: Path, tools: StandIn) -> None:
    found = journal.starts(Tools(bot), "wa.service", False, None)
    assert found.day is None and "no journalctl here" in found.why


def test_patience_is_bounded() -> None:
    assert tools.PATIENCE <= 30
