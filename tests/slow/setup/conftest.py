"""Builds of the checkout. Building and installing use the package index."""

from __future__ import annotations

import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

BUILD = """
import sys
sys.path.insert(0, sys.argv[1])
from hatchling import build
print(build.build_sdist(sys.argv[2]))
"""


@pytest.fixture(scope="session")
def wheel(checkout: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return wheel_of(checkout, tmp_path_factory.mktemp("wheel"))


@pytest.fixture(scope="session")
def sdist(checkout: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The archive of the sources, made by the build system that pyproject.toml names."""
    folder = tmp_path_factory.mktemp("sdist")
    wanted = tomllib.loads((checkout / "pyproject.toml").read_text())["build-system"]["requires"]
    pip = [sys.executable, "-I", "-m", "pip", "install", "--quiet"]
    subprocess.run([*pip, "--target", str(folder / "tools"), *wanted], check=True)
    build = [sys.executable, "-I", "-c", BUILD, str(folder / "tools"), str(folder)]
    done = subprocess.run(build, cwd=checkout, capture_output=True, text=True, check=True)
    return folder / done.stdout.split()[-1]


@pytest.fixture(scope="session")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The command in a clean environment."""
    folder = tmp_path_factory.mktemp("clean") / "venv"
    return install_in(folder, str(wheel))


def install_in(folder: Path, wanted: str) -> Path:
    """The command in a new environment, installed by our pip: to lay one there takes 4 s more."""
    subprocess.run([sys.executable, "-I", "-m", "venv", "--without-pip", str(folder)], check=True)
    pip = [sys.executable, "-I", "-m", "pip", "--python", str(folder / "bin/python")]
    subprocess.run([*pip, "install", "--quiet", wanted], check=True)
    return folder / "bin/skillgen"


def wheel_of(source: Path, folder: Path) -> Path:
    """Build the wheel of a checkout or of an archive of its sources."""
    pip = [sys.executable, "-I", "-m", "pip", "wheel", "--quiet", "--no-deps"]
    subprocess.run([*pip, "--wheel-dir", str(folder), str(source)], check=True)
    [built] = folder.glob("skillgen_whatsapp-*.whl")
    return built
