"""The launcher on machines of all kinds, played by folders of stand-in programs."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

BASICS = ("cmp", "cp", "mkdir", "readlink", "cksum", "uname", "sh")
SHELLS = [name for name in ("dash", "bash", "sh", "busybox", "zsh") if shutil.which(name)]

# Stands in for Python: as `python -I -c …` it says whether it fits, and what it "installs" is
# itself, so that no test of the launcher needs the package index.
STAND_IN = """#!/bin/sh
case "$*" in
  *version_info*) exit {version} ;;
  *ensurepip*) exit {venv} ;;
  *environment.py*)
    echo "$*" >> "{log}"
    mkdir -p "$4/bin"
    cp "$0" "$4/bin/python"
    cp "$3/pyproject.toml" "$4/skillgen-stamp.toml" ;;
  *) printf '%s\\n' "$@" ;;
esac
"""


@dataclass(frozen=True)
class Machine:
    """A folder with a PATH of its own, and a checkout whose path has spaces."""

    folder: Path

    @property
    def programs(self) -> Path:
        return self.folder / "programs"

    @property
    def launcher(self) -> Path:
        return self.folder / "a check out" / "skillgen"

    @property
    def log(self) -> Path:
        return self.folder / "set-ups"

    def set_ups(self) -> int:
        return len(self.log.read_text().splitlines())

    def install(self, name: str, version: int = 0, venv: int = 0) -> None:
        """A Python that says how it fits: 0 yes, 1 no."""
        file = self.programs / name
        file.write_text(STAND_IN.format(version=version, venv=venv, log=self.log))
        file.chmod(0o755)


def make_machine(folder: Path, checkout: Path) -> Machine:
    machine = Machine(folder)
    machine.programs.mkdir()
    for name in BASICS:
        found = shutil.which(name)
        assert found
        (machine.programs / name).symlink_to(found)
    root = machine.launcher.parent
    (root / "skill").mkdir(parents=True)
    shutil.copy(checkout / "skillgen", root / "skillgen")
    shutil.copy(checkout / "pyproject.toml", root / "pyproject.toml")
    return machine


@pytest.fixture
def machine(tmp_path: Path, checkout: Path) -> Machine:
    return make_machine(tmp_path, checkout)


def start(
    machine: Machine, *arguments: str, shell: str | None = None, file: Path | None = None
) -> subprocess.CompletedProcess[str]:
    prefix = []
    if shell:
        found = shutil.which(shell)
        assert found
        prefix = [found, "sh"] if shell == "busybox" else [found]
    return subprocess.run(
        [*prefix, str(file or machine.launcher), *arguments],
        env={"PATH": str(machine.programs), "HOME": str(machine.folder / "home")},
        cwd="/",
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize("shell", SHELLS)
def test_every_shell(machine: Machine, shell: str) -> None:
    machine.install("python3.12")
    for _ in range(2):
        done = start(machine, "a b", "", "*", shell=shell)
        assert (done.returncode, done.stderr) == (0, "")
        root = str(machine.launcher.parent)
        assert done.stdout.split("\n") == ["-I", f"{root}/skill/__main__.py", "a b", "", "*", ""]
    assert machine.set_ups() == 1, "set up once"


def test_through_links(machine: Machine) -> None:
    machine.install("python3")
    links = machine.folder / "links"
    links.mkdir()
    (links / "one").symlink_to("../a check out/skillgen")
    (machine.folder / "two").symlink_to("links/one")
    done = start(machine, file=machine.folder / "two")
    assert f"{machine.launcher.parent}/skill/__main__.py" in done.stdout


def test_from_the_path_and_with_cdpath(machine: Machine) -> None:
    machine.install("python3")
    (machine.programs / "skillgen").symlink_to(machine.launcher)
    done = subprocess.run(
        [
            "sh",
            "-c",
            "skillgen; cd '" + str(machine.launcher.parent) + "' && ./skillgen && sh skillgen",
        ],
        env={"PATH": str(machine.programs), "CDPATH": "/usr:/"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stderr == ""
    assert done.stdout.count(f"{machine.launcher.parent}/skill/__main__.py") == 3


def test_set_up_again_when_the_project_changes(machine: Machine) -> None:
    machine.install("python3")
    start(machine)
    with (machine.launcher.parent / "pyproject.toml").open("a") as file:
        file.write("# another dependency\n")
    start(machine)
    start(machine)
    assert machine.set_ups() == 2


def test_set_up_again_when_cut_short(machine: Machine) -> None:
    machine.install("python3")
    start(machine)
    (machine.launcher.parent / ".venv/skillgen-stamp.toml").unlink()
    start(machine)
    (machine.launcher.parent / ".venv/bin/python").unlink()
    start(machine)
    assert machine.set_ups() == 3


def test_the_newest_fitting_python_with_venv(machine: Machine) -> None:
    machine.install("python3.14", venv=1)
    machine.install("python3.12")
    machine.install("python3", version=1)
    assert start(machine).returncode == 0
    assert machine.set_ups() == 1


@pytest.mark.parametrize(
    ("manager", "found", "says"),
    [
        ("apt-get", None, "sudo apt install python3 python3-venv"),
        ("apt-get", "python3.12", "sudo apt install python3.12-venv"),
        ("apt-get", "python3", "sudo apt install python3-venv"),
        ("dnf", None, "sudo dnf install python3.12"),
        ("brew", None, "brew install python@3.13"),
        (None, None, "Python 3.11 or later"),
    ],
)
def test_without_python_it_says_what_installs_it(
    machine: Machine,
    manager: str | None,
    found: str | None,
    says: str,
) -> None:
    machine.install("python3", version=1)
    if found:
        machine.install(found, venv=1)
    if manager:
        (machine.programs / manager).symlink_to("/bin/true")
    done = start(machine)
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr.startswith("skillgen: ")
    assert done.stderr.count("\n") == 1
    assert says in done.stderr


@pytest.fixture
def open_machine(checkout: Path) -> Iterator[Machine]:
    """One that another user may look into, unlike pytest's folders."""
    folder = Path(tempfile.mkdtemp(prefix="skillgen-test-"))
    folder.chmod(0o755)
    yield make_machine(folder, checkout)
    shutil.rmtree(folder)


def test_a_read_only_checkout_uses_the_cache(open_machine: Machine) -> None:
    """Root may write anywhere, so the launcher runs as somebody else then."""
    machine = open_machine
    machine.install("python3")
    cache = machine.folder / "cache"
    cache.mkdir()
    cache.chmod(0o777)
    machine.log.touch()
    machine.log.chmod(0o666)
    machine.launcher.parent.chmod(0o555)

    def run(**environ: str) -> subprocess.CompletedProcess[str]:
        user = {"user": 65534, "group": 65534} if os.geteuid() == 0 else {}
        environ["PATH"] = str(machine.programs)
        command = [str(machine.launcher)]
        return subprocess.run(
            command, env=environ, capture_output=True, text=True, check=False, cwd="/", **user
        )

    for _ in range(2):
        done = run(XDG_CACHE_HOME=str(cache))
        assert (done.returncode, done.stderr) == (0, "")
    assert machine.set_ups() == 1
    assert list(cache.glob("skillgen/venv-*/skillgen-stamp.toml"))
    assert not (machine.launcher.parent / ".venv").exists()
    homeless = run()
    assert homeless.returncode == 2
    assert "XDG_CACHE_HOME" in homeless.stderr
    machine.launcher.parent.chmod(0o755)


def test_two_set_ups_at_once(checkout: Path, tmp_path: Path) -> None:
    """The real set-up, of a project without dependencies."""
    root = tmp_path / "project"
    root.mkdir()
    (root / "pyproject.toml").write_text('[project]\nname = "x"\ndependencies = []\n')
    script = checkout / "skill" / "environment.py"
    command = [sys.executable, "-I", str(script), str(root), str(root / ".venv")]
    running = [subprocess.Popen(command, stderr=subprocess.PIPE, text=True) for _ in range(2)]
    said = [process.communicate()[1] for process in running]
    assert [process.returncode for process in running] == [0, 0]
    assert "".join(said).count("setting up") == 1
    stamp = root / ".venv/skillgen-stamp.toml"
    assert stamp.read_bytes() == (root / "pyproject.toml").read_bytes()
    python = root / ".venv/bin/python"
    assert subprocess.run([python, "-c", "import pip"], check=False).returncode == 0


def test_a_set_up_that_fails_leaves_no_stamp(checkout: Path, tmp_path: Path) -> None:
    root = tmp_path / "project"
    root.mkdir()
    missing = str(tmp_path / "no such wheel.whl")
    (root / "pyproject.toml").write_text(f'[project]\nname = "x"\ndependencies = ["{missing}"]\n')
    script = checkout / "skill" / "environment.py"
    command = [sys.executable, "-I", str(script), str(root), str(root / ".venv")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "pip.log" in done.stderr
    assert "Traceback" not in done.stderr
    assert not (root / ".venv/skillgen-stamp.toml").exists()
