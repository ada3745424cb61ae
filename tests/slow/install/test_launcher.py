"""The installed launcher runs its own version and no other, or says what is missing."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from skill import __version__
from skill.commands import install
from skill.commands.install import LAUNCHER
from tests.quick.install.conftest import Skillgen

SHELLS = [name for name in ("dash", "bash", "busybox", "zsh", "sh") if shutil.which(name)]
SPEC = f"skillgen-whatsapp=={__version__}"
# Says its version, and writes down how it was called.
PROGRAM = """#!/bin/sh
case "$*" in *--version) echo "skillgen {version}"; exit {probe} ;; esac
printf '%s|' {name} "$@"
exit 1
"""


@pytest.fixture
def checkout_of_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder that skillgen runs from; no checkout, until a test makes it one."""
    folder = tmp_path / "a checkout's folder"
    folder.mkdir()
    monkeypatch.setattr(install, "CHECKOUT", folder)
    return folder


@pytest.fixture
def launcher(skillgen: Skillgen, host: Path, checkout_of_it: Path) -> Path:
    skillgen("install", host)
    return host / LAUNCHER


@pytest.fixture
def programs(tmp_path: Path) -> Path:
    folder = tmp_path / "programs"
    folder.mkdir()
    for name in SHELLS:
        (folder / name).symlink_to(shutil.which(name) or "")
    return folder


def put(programs: Path, name: str, version: str = __version__, probe: int = 0) -> None:
    file = programs / name
    file.write_text(PROGRAM.format(name=name, version=version, probe=probe))
    file.chmod(0o755)


def call(launcher: Path, programs: Path, shell: str = "sh") -> subprocess.CompletedProcess[str]:
    start = [shell, "sh"] if shell == "busybox" else [shell]
    return subprocess.run(
        [*start, str(launcher), "check", "a b", "--select", "qr-exit"],
        env={"PATH": str(programs)},
        capture_output=True,
        text=True,
        check=False,
        timeout=30,
    )


@pytest.mark.parametrize("shell", SHELLS)
def test_one_of_its_version_on_path(launcher: Path, programs: Path, shell: str) -> None:
    put(programs, "skillgen")
    put(programs, "uvx")
    done = call(launcher, programs, shell)
    assert (done.returncode, done.stdout) == (1, "skillgen|check|a b|--select|qr-exit|")


@pytest.mark.parametrize("shell", SHELLS)
def test_another_version_is_not_run(launcher: Path, programs: Path, shell: str) -> None:
    put(programs, "skillgen", version="9.9.9")
    put(programs, "uvx")
    put(programs, "pipx")
    done = call(launcher, programs, shell)
    assert done.returncode == 1
    assert done.stdout == (f"uvx|--quiet|--from|{SPEC}|skillgen|check|a b|--select|qr-exit|")


@pytest.mark.parametrize("shell", SHELLS)
def test_the_checkout_that_it_came_from(
    skillgen: Skillgen, host: Path, checkout_of_it: Path, programs: Path, shell: str
) -> None:
    (checkout_of_it / "pyproject.toml").touch()
    put(checkout_of_it, "skillgen")
    put(programs, "uvx")
    skillgen("install", host)
    done = call(host / LAUNCHER, programs, shell)
    assert (done.returncode, done.stdout) == (1, "skillgen|check|a b|--select|qr-exit|")
    put(checkout_of_it, "skillgen", version="9.9.9")
    assert call(host / LAUNCHER, programs, shell).stdout.startswith("uvx|")
    shutil.rmtree(checkout_of_it)
    assert call(host / LAUNCHER, programs, shell).stdout.startswith("uvx|")


def test_pipx(launcher: Path, programs: Path) -> None:
    put(programs, "pipx")
    done = call(launcher, programs)
    assert done.stdout == f"pipx|run|--spec|{SPEC}|skillgen|check|a b|--select|qr-exit|"


@pytest.mark.parametrize("name", ["uvx", "pipx"])
def test_one_that_cannot_get_it(launcher: Path, programs: Path, name: str) -> None:
    """Offline, or not published: exit 2, not the 1 that means findings."""
    put(programs, name, probe=1)
    done = call(launcher, programs)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == (
        f"skillgen: {name} cannot get {SPEC} (offline, or not in its index); run pipx install "
        "FOLDER, where FOLDER is its checkout\n"
    )


@pytest.mark.parametrize("shell", SHELLS)
def test_none_at_all(launcher: Path, programs: Path, shell: str) -> None:
    done = call(launcher, programs, shell)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == (
        f"skillgen: version {__version__} is not on PATH, and neither uvx nor pipx is; run pipx "
        "install FOLDER, where FOLDER is its checkout\n"
    )


def test_it_never_runs_itself(launcher: Path, programs: Path) -> None:
    (programs / "skillgen").symlink_to(launcher)
    assert call(launcher, programs).returncode == 2
