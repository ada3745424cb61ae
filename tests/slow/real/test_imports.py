"""Patched real hosts with the libraries that they use: imported, and their units made by them."""

from __future__ import annotations

import configparser
import subprocess
import sys
from collections.abc import Callable
from functools import cache
from pathlib import Path

import pytest

from tests.slow.real.packages import HOSTS, copied, site
from tests.slow.real.test_hosts import CHANGED, skillgen

NANOBOT_UNIT = """
from nanobot.gateway import GatewayStartOptions
from nanobot.gateway.service import GatewayServiceInstaller, GatewayServiceOptions
options = GatewayServiceOptions(start=GatewayStartOptions(port=8765), manager="systemd")
print(GatewayServiceInstaller().install(options, dry_run=True).content)
"""
HERMES_UNIT = """
from hermes_cli.gateway import generate_systemd_unit
print(generate_systemd_unit())
"""
# nanobot-ai 0.1.3 makes none.
UNITS = {
    "nanobot-0.2.2": NANOBOT_UNIT,
    "nanobot-0.3.5": NANOBOT_UNIT,
    "hermes-0.19.0": HERMES_UNIT,
}


def python(host: Path, code: str) -> str:
    """What a program prints that has the host and the real libraries. Nothing is left behind."""
    home = host.parent / "home"
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=host,
        capture_output=True,
        text=True,
        env={
            "PYTHONPATH": f"{host}:{site()}",
            "PYTHONDONTWRITEBYTECODE": "1",
            "HOME": str(home),
            "HERMES_HOME": str(home / ".hermes"),
            "PATH": "/usr/bin:/bin",
        },
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def patched(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """A host's tree after ``apply``, by the host's name."""

    @cache
    def of(name: str) -> Path:
        host = copied(name, tmp_path_factory.mktemp(name) / "host")
        assert skillgen("apply", host).code in (0, 1)
        return host

    return of


@pytest.mark.parametrize("name", sorted(HOSTS))
def test_every_changed_module_is_imported(patched: Callable[[str], Path], name: str) -> None:
    host = patched(name)
    modules = sorted(path.removesuffix(".py").replace("/", ".") for path in CHANGED[name])
    said = python(host, "\n".join(f"import {one}; print({one}.__file__)" for one in modules))
    assert said.split() == [str(host / path) for path in sorted(CHANGED[name])]


@pytest.mark.parametrize("name", sorted(UNITS))
def test_the_unit_that_the_host_makes(patched: Callable[[str], Path], name: str) -> None:
    unit = configparser.ConfigParser(strict=False, interpolation=None, delimiters="=")
    unit.optionxform = str  # type: ignore[assignment,method-assign]
    unit.read_string(python(patched(name), UNITS[name]))
    assert unit["Service"]["Restart"] == "on-failure"
    assert unit["Service"]["RestartSec"] == "10"
    assert unit["Unit"]["StartLimitIntervalSec"] == "300"
    assert unit["Unit"]["StartLimitBurst"] == "5"
