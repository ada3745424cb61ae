"""The hooks of pre-commit: those of this project, and the one that it offers to bots."""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
import sys
import tomllib
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
import yaml

Hook = dict[str, Any]


@pytest.fixture(scope="module")
def own(checkout: Path) -> dict[str, Hook]:
    """The hooks that run before a commit to this project, by id."""
    config = yaml.safe_load((checkout / ".pre-commit-config.yaml").read_bytes())
    [repository] = config["repos"]
    assert repository["repo"] == "local", "a hook from elsewhere is fetched from no registry"
    return {hook["id"]: hook for hook in repository["hooks"]}


@pytest.fixture(scope="module")
def offered(checkout: Path) -> Hook:
    """The one hook that a bot's project can name."""
    [hook] = yaml.safe_load((checkout / ".pre-commit-hooks.yaml").read_bytes())
    assert isinstance(hook, dict)
    return hook


def test_the_own_hooks_are_make_lint(own: dict[str, Hook], checkout: Path) -> None:
    makefile = (checkout / "Makefile").read_text()
    python = re.findall(r"^PYTHON := (.+)$", makefile, re.M)[0]
    recipe = re.findall(r"^lint:.*\n((?:\t.+\n)+)", makefile, re.M)[0]
    commands = [line.replace("$(PYTHON)", python).split() for line in recipe.splitlines()]
    hooks = [shlex.split(hook["entry"].replace(" --force-exclude", "")) for hook in own.values()]
    assert [line[: len(hook)] for line, hook in zip(commands, hooks, strict=True)] == hooks
    for program, *rest in hooks:
        assert Path(program).parent.as_posix() == ".cache/dev/bin"
        assert Path(sys.executable).with_name(Path(program).name).exists(), program
        assert rest[:1] != ["-m"] or find_spec(rest[1]), rest[1]
    for hook in own.values():
        assert re.search(hook["files"], "skill/cli.py")


def run(hook: Hook, checkout: Path, *files: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, *shlex.split(hook["entry"])[1:], *map(str, files)]
    return subprocess.run(command, cwd=checkout, capture_output=True, text=True, check=False)


def test_ruff_checks_and_formats(own: dict[str, Hook], checkout: Path, tmp_path: Path) -> None:
    file = tmp_path / "module.py"
    file.write_text("import os\nNAME='a'\n")
    done = run(own["ruff-check"], checkout, file)
    assert (done.returncode, "F401" in done.stdout) == (1, True), done.stderr
    assert run(own["ruff-format"], checkout, file).returncode == 0
    assert file.read_text() == 'import os\n\nNAME = "a"\n'
    file.write_text('NAME = "a"\n')
    assert run(own["ruff-check"], checkout, file).returncode == 0


def test_the_offered_hook_runs_on_a_bot(offered: Hook, checkout: Path, tmp_path: Path) -> None:
    """As pre-commit runs it: the installed command, in the root of the bot's project."""
    assert (offered["language"], offered["pass_filenames"]) == ("python", False)
    assert f"- id: {offered['id']}\n" in (checkout / "docs" / "ci.md").read_text(encoding="utf-8")
    program, *arguments = shlex.split(offered["entry"])
    project = tomllib.loads((checkout / "pyproject.toml").read_text())["project"]
    module, _colon, function = project["scripts"][program].partition(":")
    start = f"import sys; sys.path.insert(0, {str(checkout)!r}); "
    start += f"from {module} import {function}; sys.exit({function}())"
    host = tmp_path / "bot"
    shutil.copytree(checkout / "tests/hosts/v1-class", host)

    def skillgen(*words: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-c", start, *words]
        return subprocess.run(command, cwd=host, capture_output=True, text=True, check=False)

    before = skillgen(*arguments)
    assert (before.returncode, "flat-retry" in before.stdout) == (1, True), before.stderr
    assert skillgen("apply").returncode == 0
    after = skillgen(*arguments)
    assert (after.returncode, after.stderr) == (0, "")
