"""WhatsApp as a skill: ``--only-skill-assets``, and the assets laid over the core.

A skill is laid over a core as NanoClaw's skills engine does it: what its manifest lists under
``adds:`` and ``modifies:`` is copied from ``add/`` and ``modify/``, nothing else is.
"""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.slow.e2e import harness
from tests.slow.e2e.harness import Tree, Trial, changed_paths, tree
from tests.slow.e2e.programs import Run

SKILLS = ".claude/skills"
WHATSAPP, VOICE = f"{SKILLS}/add-whatsapp", f"{SKILLS}/add-voice-notes"
CHANNEL = "src/channels/whatsapp.ts"
MODULE = "src/channels/whatsapp-reconnect.ts"
MODULE_TEST = "src/channels/whatsapp-reconnect.test.ts"


@dataclass(frozen=True)
class Patched:
    trial: Trial
    before: Tree
    apply: Run
    after: Tree

    def text(self, path: str) -> str:
        return self.after[path][1].decode()

    def manifest(self, skill: str) -> dict[str, Any]:
        loaded: dict[str, Any] = yaml.safe_load(self.text(f"{skill}/manifest.yaml"))
        return loaded


def new_trial(name: str, factory: pytest.TempPathFactory, node_tools: Path) -> Trial:
    return Trial(name, factory.mktemp(f"assets-{name}"), node_tools)


@pytest.fixture(scope="module", params=["skill-assets", "skill-applied"])
def patched(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, node_tools: Path
) -> Patched:
    trial = new_trial(str(request.param), tmp_path_factory, node_tools)
    before = trial.before
    apply = trial.skillgen("apply", "--only-skill-assets")
    return Patched(trial, before, apply, tree(trial.host))


def test_only_skill_assets_change(patched: Patched) -> None:
    changed = changed_paths(patched.before, patched.after)
    assert changed
    assert [path for path in changed if not path.startswith(f"{SKILLS}/")] == []


def test_what_is_left_is_said(patched: Patched) -> None:
    """The core's main cannot be asked for other channels: the process ends with the session."""
    assert patched.apply.code == 1, str(patched.apply)
    assert "the host's main is left alone with --only-skill-assets" in patched.apply.text


def test_the_skill_brings_the_module_and_its_test(patched: Patched) -> None:
    assert "this.reconnect.socket(makeWASocket, " in patched.text(f"{WHATSAPP}/add/{CHANNEL}")
    assert "class Reconnect " in patched.text(f"{WHATSAPP}/add/{MODULE}")
    assert "import { Reconnect }" in patched.text(f"{WHATSAPP}/add/{MODULE_TEST}")
    added = {path.removeprefix(f"{WHATSAPP}/add/") for path in patched.after
             if path.startswith(f"{WHATSAPP}/add/")}  # fmt: skip
    assert sorted(patched.manifest(WHATSAPP)["adds"]) == sorted(added)


def test_a_copy_depends_on_the_skill_that_brings_the_module(patched: Patched) -> None:
    copy = patched.text(f"{VOICE}/modify/{CHANNEL}")
    assert "this.reconnect.socket(makeWASocket, " in copy
    assert "transcribe(note.url)" in copy
    assert f"{VOICE}/add/{MODULE}" not in patched.after
    assert patched.manifest(VOICE)["depends"] == ["whatsapp"]
    intent = patched.text(f"{VOICE}/modify/{CHANNEL}.intent.md")
    assert intent.startswith(patched.before[f"{VOICE}/modify/{CHANNEL}.intent.md"][1].decode())
    assert "`./whatsapp-reconnect.js`" in intent
    assert "`this.reconnect.dial(…)`" in intent


def test_the_mended_generator_comes_as_a_copy(patched: Patched) -> None:
    modified = patched.manifest(WHATSAPP)["modifies"]
    assert modified == ["src/channels/index.ts", "setup/service.test.ts", "setup/service.ts"]
    for path in modified:
        assert f"{WHATSAPP}/modify/{path}" in patched.after
        assert f"{WHATSAPP}/modify/{path}.intent.md" in patched.after
    copy = patched.text(f"{WHATSAPP}/modify/setup/service.ts")
    head, _, service = copy.partition("[Service]")
    unit, service = head.rpartition("[Unit]")[2], service.partition("[Install]")[0]
    assert "StartLimitIntervalSec=300\nStartLimitBurst=5\n" in unit
    assert "StartLimit" not in service
    assert "Restart=on-failure\nRestartSec=10\n" in service
    intent = patched.text(f"{WHATSAPP}/modify/setup/service.ts.intent.md")
    assert "`[Unit]`" in intent
    assert "`KeepAlive`" in intent


@pytest.mark.parametrize("skills", [[WHATSAPP], [WHATSAPP, VOICE]], ids=["channel", "and-voice"])
def test_laid_over_the_core_they_hold(patched: Patched, skills: list[str]) -> None:
    """Types check and every test passes, the channel's and the module's among them."""
    check_laid_over(patched, skills)


def test_all_of_it_patched_holds_too(
    tmp_path_factory: pytest.TempPathFactory, node_tools: Path
) -> None:
    """apply without the option: core and skills fit each other."""
    trial = new_trial("skill-assets", tmp_path_factory, node_tools)
    before = trial.before
    apply = trial.skillgen("apply")
    assert apply.code == 0, str(apply)
    check_laid_over(Patched(trial, before, apply, tree(trial.host)), [WHATSAPP, VOICE])


def check_laid_over(patched: Patched, skills: list[str]) -> None:
    core = patched.trial.work / f"laid-over-{len(skills)}"
    shutil.copytree(patched.trial.host, core, symlinks=True)
    for skill in skills:
        assert set(patched.manifest(skill)["depends"]) <= {"whatsapp"}
        lay_over(core, core / skill, patched.manifest(skill))
    types = patched.trial.tool("tsc", cwd=core)
    assert types.code == 0, str(types)
    tests = own_tests_in(patched.trial, core)
    assert not tests.failed, tests.failed
    wanted = {MODULE_TEST, "src/channels/whatsapp.test.ts", "setup/service.test.ts"}
    assert wanted <= tests.files.keys()


def lay_over(core: Path, skill: Path, manifest: dict[str, Any]) -> None:
    for part, key in (("add", "adds"), ("modify", "modifies")):
        for path in manifest[key]:
            (core / path).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(skill / part / path, core / path)


def own_tests_in(trial: Trial, core: Path) -> harness.Tests:
    # The tests' paths are told from the host's folder.
    host = trial.host.rename(trial.work / "aside")
    core.rename(trial.host)
    try:
        return trial.own_tests(core.name)
    finally:
        trial.host.rename(core)
        host.rename(trial.host)


def test_a_second_time_nothing_changes_and_revert_is_exact(patched: Patched) -> None:
    again = patched.trial.skillgen("apply", "--only-skill-assets")
    assert again.code == 1, str(again)
    assert changed_paths(patched.after, tree(patched.trial.host)) == set()
    revert = patched.trial.skillgen("revert")
    assert revert.code == 0, str(revert)
    assert changed_paths(patched.before, tree(patched.trial.host)) == set()
    assert patched.trial.git_status() == []
