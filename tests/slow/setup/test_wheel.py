"""``pip install .`` gives the same command, with templates and rules inside.

Building and installing use the package index; the command itself uses no network.
"""

from __future__ import annotations

import subprocess
import sys
import zipfile
from pathlib import Path


def test_the_wheel_holds_all_it_needs_and_no_more(wheel: Path, checkout: Path) -> None:
    names = set(zipfile.ZipFile(wheel).namelist())
    for package in ("skill", "add", "modify"):
        for file in (checkout / package).rglob("*"):
            if file.is_file() and "__pycache__" not in file.parts and file.suffix != ".pyc":
                assert file.relative_to(checkout).as_posix() in names
        assert f"{package}/py.typed" in names
    assert "skill/demo_host/package.json" in names
    tops = {name.split("/")[0] for name in names}
    assert {top for top in tops if not top.endswith(".dist-info")} == {"skill", "add", "modify"}
    assert not [name for name in names if "__pycache__" in name]


def test_the_installed_command(installed: Path, tmp_path: Path) -> None:
    """From a folder with modules of the same names, offline, without a home."""
    for name in ("skill", "modify", "add", "click"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "__init__.py").write_text("raise SystemExit('imported')\n")
    environ = {"PATH": "/usr/bin:/bin", "TMPDIR": str(tmp_path), "HOME": str(tmp_path / "none")}

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [str(installed), *arguments],
            cwd=tmp_path,
            env=environ,
            capture_output=True,
            text=True,
            check=False,
        )

    assert run("--version").stdout.startswith("skillgen ")
    assert "systemd-restart-always" in run("rule").stdout
    demo = run("demo")
    assert (demo.returncode, demo.stderr) == (0, "")
    assert "+Restart=on-failure" in demo.stdout


def test_the_same_demo_from_the_checkout(installed: Path, checkout: Path) -> None:
    def diff(*command: str) -> list[str]:
        done = subprocess.run([*command, "demo"], capture_output=True, text=True, check=True)
        return [line for line in done.stdout.splitlines() if line[:1] in "+-@" and line]

    here = diff(sys.executable, "-I", str(checkout / "skill" / "__main__.py"))
    assert here
    assert diff(str(installed)) == here
