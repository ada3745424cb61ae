"""Python hosts: pytest of the host's own environment, on the copy and not on what is installed."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from skill.edit import Edit, Patch
from skill.host import Host
from skill.options import Options
from tests.quick.cli.conftest import Skillgen

LINE = "bot/bot/line.py"
# A folder of a package that is none itself, with a module that has the name of one of Python's.
PART = "bot/bot/cli/part.py"


def examine(host: Host, options: Options) -> Patch:
    patch = Patch()
    if host.exists(LINE):
        for path in (LINE, PART):
            patch.add_edits(path, [Edit(0, 0, b"PATCHED = True\n", "flat-retry")])
    return patch


@pytest.fixture
def python_host(host: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Its environment has the real package, as an editable install has; its PATH leads there."""
    monkeypatch.setattr("modify.examine", examine)
    (host / "bot/bot").mkdir(parents=True)
    (host / "bot/bot/__init__.py").write_text("")
    (host / LINE).write_text("WAITS = 5\n")
    (host / "bot/bot/cli").mkdir()
    (host / PART).write_text("")
    (host / "bot/bot/cli/types.py").write_text("raise ValueError\n")
    (host / "tests").mkdir()
    (host / ".venv").symlink_to(sys.prefix)
    (host / "tests/test_line.py").write_text(
        "import pathlib\n"
        f"import sys; sys.path.append({str(host / 'bot')!r})\n"
        "import bot.line\n"
        "def test_copy():\n"
        "    assert pathlib.Path.cwd() in pathlib.Path(bot.line.__file__).parents\n"
        "def test_red():\n"
        "    raise ValueError\n"
    )
    (host / "tests/test_other.py").write_text("def test_other(): pass\n")
    return host


def test_red_before_and_the_copy_is_what_is_imported(skillgen: Skillgen, python_host: Path) -> None:
    outcome = skillgen("apply", "--verify", "--format", "json", python_host)
    [row] = json.loads(outcome.out)["hosts"]
    assert outcome.code == 0 and row["written"], outcome
    named, every = row["verified"]["checks"]
    assert named["command"] == "python -m pytest tests/test_line.py"
    assert (named["before"]["tests"], every["before"]["tests"]) == (2, 3)
    for check in (named, every):
        assert check["verdict"] == "same"
        assert check["red_before"] == ["tests.test_line: test_red"]
    assert not list(python_host.rglob("__pycache__"))


def test_a_new_red_test_is_named(skillgen: Skillgen, python_host: Path) -> None:
    with (python_host / "tests/test_line.py").open("a") as file:
        file.write("def test_it(): assert not hasattr(bot.line, 'PATCHED')\n")
    outcome = skillgen("apply", "--verify", python_host)
    assert outcome.code == 2
    assert "PATCHED" not in (python_host / LINE).read_text()
    assert "tests of what changes turned red" in outcome.err
    assert "tests.test_line: test_it" in outcome.err.splitlines()[-1]


def test_no_environment_is_said(skillgen: Skillgen, python_host: Path) -> None:
    (python_host / ".venv").unlink()
    outcome = skillgen("apply", "--verify", python_host)
    assert outcome.code == 0
    assert "not verified: all tests: no environment of its own here (.venv)" in outcome.out


def test_an_environment_without_pytest_is_said(skillgen: Skillgen, python_host: Path) -> None:
    (python_host / ".venv").unlink()
    (python_host / ".venv/bin").mkdir(parents=True)
    (python_host / ".venv/bin/python").symlink_to(sys.executable)
    outcome = skillgen("apply", "--verify", python_host)
    assert outcome.code == 0
    assert "not verified: all tests: no pytest in .venv" in outcome.out
