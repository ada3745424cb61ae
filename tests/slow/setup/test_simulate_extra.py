"""A machine without Node.js: the two lines of README.md, "Install", and a bot is simulated.

Installs Node.js and esbuild from their package indexes.
"""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from tests.slow.setup.conftest import install_in


@pytest.fixture(scope="module")
def command(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """skillgen with its extra, in an environment of its own."""
    folder = tmp_path_factory.mktemp("extra") / "venv"
    return install_in(folder, f"{wheel}[simulate]")


def test_no_node_needs_to_be_on_the_machine(command: Path, checkout: Path, tmp_path: Path) -> None:
    assert not [one.name for one in command.parent.iterdir() if one.name in ("node", "npm")]
    empty = tmp_path / "bin"
    empty.mkdir()
    environ = {**os.environ, "PATH": str(empty), "XDG_CACHE_HOME": str(tmp_path / "cache")}
    certificates = os.environ.get("REGISTRY_CA_CERTS")  # what make test keeps from the others
    if certificates:
        environ["NODE_EXTRA_CA_CERTS"] = certificates

    def run(*words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [str(command), "simulate", *words],
            cwd=tmp_path,
            env=environ,
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )

    bot = (str(checkout / "tests/hosts/v1-class"), "--scenario", "revoked")
    assert "--install-esbuild" in run(*bot).stderr.splitlines()[-1]
    installed = run("--install-esbuild")
    assert installed.returncode == 0, installed
    done = run(*bot)
    assert done.returncode == 0, done
    assert "680 → 1" in done.stdout
