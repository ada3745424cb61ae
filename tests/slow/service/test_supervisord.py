"""A real supervisord, whose programs are found, mended beside their files, and given back."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.slow.baileys.harness import wait
from tests.slow.service.rig import Said

Skillgen = Callable[..., Said]
PATIENCE = 30.0
TOOLS = Path(sys.executable).parent
FAULTY = "[program:line]\ncommand=node {bot}/dist/index.js\nautorestart=true\n; the owner's own\n"
NEIGHBOUR = "[program:line2]\ncommand=sleep 600 /opt/bot/dist/index.js\nautorestart=true\n"


@pytest.fixture
def folder(tmp_path: Path, bot: Path) -> Path:
    """A configuration with a folder of programs."""
    programs = tmp_path / "conf.d"
    programs.mkdir()
    (programs / "line.conf").write_text(FAULTY.format(bot=bot))
    (programs / "other.conf").write_text(NEIGHBOUR)
    (tmp_path / "supervisord.conf").write_text(
        f"[unix_http_server]\nfile={tmp_path}/sock\n"
        f"[supervisord]\nnodaemon=true\nlogfile=%(here)s/log\npidfile={tmp_path}/pid\n"
        f"childlogdir={tmp_path}\n"
        "[rpcinterface:supervisor]\n"
        "supervisor.rpcinterface_factory=supervisor.rpcinterface:make_main_rpcinterface\n"
        f"[supervisorctl]\nserverurl=unix://{tmp_path}/sock\n"
        "[include]\nfiles=conf.d/*.conf\n"
    )
    return programs


@pytest.fixture
def daemon(folder: Path, home: Path, tmp_path: Path) -> Iterator[Callable[[int], Path]]:
    """Starts supervisord with a bot that ends with a status; returns the file of its starts."""
    running: list[subprocess.Popen[bytes]] = []

    def start(status: int, life_ms: int = 1500) -> Path:
        counted = tmp_path / "starts"
        environment = {
            "PATH": os.environ["PATH"],
            "BOT_STARTS": str(counted),
            "BOT_STATUS": str(status),
            "BOT_LIFE_MS": str(life_ms),
        }
        command = [TOOLS / "supervisord", "-n", "-c", tmp_path / "supervisord.conf"]
        with (tmp_path / "output").open("w") as output:
            running.append(
                subprocess.Popen(
                    command, cwd="/", env=environment, stdout=output, stderr=subprocess.STDOUT
                )
            )
        assert wait(PATIENCE, lambda: counted.exists()), (tmp_path / "output").read_text()
        return counted

    yield start
    for process in running:
        process.terminate()  # and its programs with it
        process.wait(30)


def starts(counted: Path) -> int:
    return len(counted.read_text().splitlines())


def files(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_a_storm_is_seen_and_ends(
    skillgen: Skillgen, folder: Path, daemon: Callable[[int], Path]
) -> None:
    counted = daemon(0)
    assert wait(PATIENCE, lambda: starts(counted) >= 3)
    said = skillgen("--format", "json")
    assert said.code == 1
    service = said.service
    assert (service["name"], service["manager"]) == ("line", "supervisord")
    assert service["policy"]["restart"] == "always"
    assert 3 <= service["started"]["hour"] <= starts(counted)
    [found] = service["findings"]
    assert (found["rule"], found["path"], found["line"]) == (
        "supervisord-autorestart",
        str(folder / "line.conf"),
        3,
    )
    before = files(folder)
    applied = skillgen("--apply", "--restart")
    assert applied.code == 0 and "restarted: line" in applied.out, applied
    added = folder / "line.skillgen-restart.conf"
    assert files(folder) == before | {added.name: added.read_bytes()}
    assert wait(PATIENCE, lambda: "exited" in skillgen("--format", "json").service["state"])
    now = starts(counted)
    time.sleep(3)
    assert starts(counted) == now
    assert skillgen().code == 0
    assert "nothing to do" in skillgen("--apply").out
    assert skillgen("--revert").code == 0
    assert files(folder) == before


def test_a_healthy_bot_is_not_restarted_and_then_guarded(
    skillgen: Skillgen, folder: Path, daemon: Callable[..., Path], home: Path
) -> None:
    counted = daemon(0, 600_000)
    guard = home / ".local/share/skillgen/guard.cjs"
    said = skillgen("--apply", "--guard", "--guard-file", guard)
    assert said.code == 0 and "update line" in said.out, said
    time.sleep(2)
    assert starts(counted) == 1
    assert skillgen("--apply", "--restart").code == 0
    assert wait(PATIENCE, lambda: starts(counted) == 2)
    assert counted.read_text().splitlines()[1].split()[1:] == [str(guard)]


def test_a_configuration_in_the_bots_folder_makes_nothing_run(
    skillgen: Skillgen, folder: Path, daemon: Callable[[int], Path], bot: Path, tmp_path: Path
) -> None:
    """supervisorctl loads what [ctlplugin:x] names."""
    main = tmp_path / "supervisord.conf"
    text = main.read_text()
    daemon(1)
    main.rename(bot / "supervisord.conf")
    main.symlink_to(bot / "supervisord.conf")
    evil = "[ctlplugin:x]\nsupervisor.ctl_factory = os:abort\n"
    (bot / "supervisord.conf").write_text(evil + text.replace("conf.d", f"{folder}"))
    said = skillgen("--format", "json")
    assert said.code == 1 and "nothing there is run" in said.service["state"]
    applied = skillgen("--apply")
    assert applied.code == 2 and "the commands above do it" in applied.err
    assert f"supervisorctl -c {main} update line" in applied.out
    assert "line.skillgen-restart.conf" not in files(folder)


def test_a_file_that_is_read_later_wins_and_is_named(
    skillgen: Skillgen, folder: Path, daemon: Callable[[int], Path]
) -> None:
    (folder / "z.conf").write_text("[program:line]\nautorestart=true\n")
    daemon(1)
    said = skillgen("--apply")
    assert said.code == 1 and f"{folder / 'z.conf'}:2" in said.out, said


def test_a_configuration_that_includes_nothing_is_told_what_to_set(
    skillgen: Skillgen, folder: Path, tmp_path: Path, daemon: Callable[[int], Path], bot: Path
) -> None:
    main = tmp_path / "supervisord.conf"
    text = main.read_text().partition("[include]")[0] + FAULTY.format(bot=bot)
    main.write_text(text)
    daemon(1)
    said = skillgen("--apply")
    assert said.code == 1 and "in [program:line] set: autorestart=unexpected" in said.out, said
    assert main.read_text() == text
