"""An update of a NanoClaw fork copies its channel anew: the patch is kept, or a test goes red.

``update`` does what ``/update-nanoclaw`` does before it builds and tests (``skills-model.md``
and ``scripts/update-skills.ts`` of November 2026, read and written anew here): in a worktree of the
fork, every skill that a line of the channels' list says to be installed is applied again, in the
order of their names, with its files, its imports and its ``effect:refresh`` commands, no others.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from modify.nanoclaw.directives import destination, directives
from tests.quick.install.conftest import Skillgen
from tests.quick.install.nanoclaw import BARREL, CHANNEL, TEST, fork

FOLDER = ".claude/skills/add-whatsapp-reconnect"
LISTED = re.compile(r"^import '\./([a-z0-9-]+)\.js';$", re.MULTILINE)
HELD = "reconnect.socket(makeWASocket"
WHO = (
    "-c",
    "user.name=Fork",
    "-c",
    "user.email=fork@example.invalid",
    "-c",
    "commit.gpgsign=false",
)


class Failed(Exception):
    """A skill that could not be applied: the update ends here, and the fork stays as it is."""


@dataclass
class Fork:
    host: Path
    node_tools: Path

    @property
    def stage(self) -> Path:
        return self.host.parent / "stage"

    def git(self, *words: str, cwd: Path | None = None) -> str:
        environment = {**os.environ, "GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1"}
        done = subprocess.run(
            ["git", *WHO, *words], cwd=cwd or self.host, env=environment, capture_output=True,
            text=True, check=True, timeout=60,
        )  # fmt: skip
        return done.stdout

    def commit(self, message: str) -> None:
        self.git("add", "--all")
        self.git("commit", "--quiet", "--message", message)

    def publish_on_branch(self, old: str, new: str) -> None:
        """A newer channel on the branch that updates copy it from."""
        self.git("checkout", "--quiet", "channels")
        text = (self.host / CHANNEL).read_text()
        assert old in text
        (self.host / CHANNEL).write_text(text.replace(old, new, 1))
        self.commit("A newer channel")
        self.git("checkout", "--quiet", "main")

    def update(self, engine: str = "refresh") -> None:
        self.git("worktree", "add", "--quiet", "-b", "update", str(self.stage), "main")
        listed = LISTED.findall((self.stage / BARREL).read_text())
        for name in sorted(f"add-{each}" for each in listed):
            page = self.stage / ".claude" / "skills" / name / "SKILL.md"
            if page.exists():
                self.apply(page, engine)

    def apply(self, page: Path, engine: str) -> None:
        for step in directives(page.read_text()):
            if step.kind == "copy":
                for line in step.body:
                    self.copy(page.parent, line, step.attributes.get("from-branch"))
            elif step.kind == "append":
                listed = self.stage / step.attributes["to"]
                missing = [line for line in step.body if line not in listed.read_text()]
                listed.write_text(listed.read_text() + "".join(f"{line}\n" for line in missing))
            elif step.attributes.get("effect") == engine:
                for line in step.body:
                    if subprocess.run(line, shell=True, cwd=self.stage, timeout=60).returncode:
                        raise Failed(line)

    def copy(self, folder: Path, line: str, branch: str | None) -> None:
        source, target = line.partition(" -> ")[0], self.stage / destination(line)
        if branch is None:
            target.write_bytes((folder / source).read_bytes())
        else:
            target.write_text(self.git("show", f"{branch}:{source}"))

    def is_patched(self) -> bool:
        return HELD in (self.stage / CHANNEL).read_text()

    def red(self) -> list[str]:
        """The tests that fail in the updated fork; its types are checked as its build does."""
        tools = self.node_tools.resolve() / "node_modules"
        (self.stage / "node_modules").symlink_to(tools)
        build = [str(tools / ".bin" / "tsc"), "--noEmit"]
        types = subprocess.run(build, cwd=self.stage, capture_output=True, text=True, timeout=300)
        assert types.returncode == 0, types.stdout
        test = [str(tools / ".bin" / "vitest"), "run", "--reporter=json", "--outputFile=out.json"]
        subprocess.run(test, cwd=self.stage, capture_output=True, timeout=300, check=False)
        files = json.loads((self.stage / "out.json").read_text())["testResults"]
        tests = [each for file in files for each in file["assertionResults"]]
        assert (
            any("whatsapp reconnect" in each["fullName"] for each in tests)
            == (self.stage / TEST).exists()
        )
        return [each["fullName"] for each in tests if each["status"] == "failed"]


@pytest.fixture
def unpatched(tmp_path: Path, node_tools: Path) -> Fork:
    forked = Fork(fork(tmp_path), node_tools)
    forked.git("init", "--quiet", "--initial-branch=main")
    forked.commit("The fork")
    forked.git("branch", "channels")
    return forked


@pytest.fixture
def patched(unpatched: Fork, skillgen: Skillgen) -> Fork:
    assert skillgen("apply", unpatched.host).code == 0
    unpatched.commit("Paced")
    return unpatched


@pytest.fixture
def installed(patched: Fork, skillgen: Skillgen) -> Fork:
    assert skillgen("install", patched.host).code == 0
    patched.commit("The patch skill")
    return patched


def test_before_it_went_without_a_word(patched: Fork) -> None:
    """The channel's own tests do not see it, nor does the compiler: only the added test does."""
    (patched.host / TEST).unlink()
    patched.commit("As it was")
    patched.update()
    assert not patched.is_patched()
    assert patched.red() == []


def test_without_a_patch_skill_the_added_test_goes_red(patched: Fork) -> None:
    patched.update()
    assert not patched.is_patched()
    assert patched.red() == [
        "whatsapp wiring whatsapp.ts is patched; if an update undid it: skillgen apply"
    ]


def test_the_patch_skill_keeps_it(installed: Fork) -> None:
    before = installed.git("rev-parse", "main^{tree}")
    installed.update()
    assert installed.is_patched()
    assert installed.git("status", "--porcelain", cwd=installed.stage) == ""
    assert installed.git("rev-parse", "update^{tree}") == before
    assert installed.red() == []


def test_it_keeps_what_is_new_in_the_channel(installed: Fork) -> None:
    old = "async function savePhoto("
    installed.publish_on_branch(old, f"const isNewer = true;\n    void isNewer;\n\n    {old}")
    installed.update()
    text = (installed.stage / CHANNEL).read_text()
    assert installed.is_patched() and "isNewer = true;" in text
    assert installed.red() == []


@pytest.mark.parametrize("has_skillgen", [True, False])
def test_another_channel_is_patched_anew_or_stops_the_update(
    installed: Fork, has_skillgen: bool, checkout: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where the patch does not apply, skillgen does; without it the update ends, and says so."""
    installed.publish_on_branch("const RECONNECT_DELAY_MS = 5000", "const RECONNECT_DELAY_MS = 500")
    monkeypatch.setenv("PATH", path_with(installed.host.parent / "bin", checkout, has_skillgen))
    if not has_skillgen:
        with pytest.raises(Failed):
            installed.update()
        return
    installed.update()
    assert installed.is_patched()
    patch = (installed.stage / FOLDER / "channel.patch").read_text()
    assert "-const RECONNECT_DELAY_MS = 500;" in patch  # the next update's patch fits this channel
    (installed.stage / CHANNEL).write_text(installed.git("show", f"channels:{CHANNEL}"))
    installed.git("apply", f"{FOLDER}/channel.patch", cwd=installed.stage)
    assert installed.red() == []


def test_an_engine_that_runs_no_commands(installed: Fork) -> None:
    """As those before August 2026: then the test is what tells."""
    installed.update(engine="none")
    assert not installed.is_patched()
    assert len(installed.red()) == 1


def test_a_formatter_leaves_the_patch_one_of_the_channel(patched: Fork, skillgen: Skillgen) -> None:
    """As a hook before each commit has it: the record's bytes are not those on the disk."""
    text = (patched.host / CHANNEL).read_text()
    spaced = text.replace("\nconst baileysLogger", "\n\nconst baileysLogger")
    (patched.host / CHANNEL).write_text(spaced)
    assert skillgen("install", patched.host).code == 0
    patch = (patched.host / FOLDER / "channel.patch").read_text()
    assert HELD in patch
    assert "+const baileysLogger" not in patch


def path_with(folder: Path, checkout: Path, has_skillgen: bool) -> str:
    """A PATH with git and a shell's tools; and with skillgen, from this checkout, or without."""
    folder.mkdir()
    for name in ("git", "sh", "env", "node"):
        (folder / name).symlink_to(shutil.which(name) or "")
    if has_skillgen:
        main = checkout / "skill" / "__main__.py"
        (folder / "skillgen").write_text(f'#!/bin/sh\nexec {sys.executable} -I {main} "$@"\n')
        (folder / "skillgen").chmod(0o755)
    return str(folder)
