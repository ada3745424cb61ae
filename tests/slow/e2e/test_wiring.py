"""The test that a host gains goes red where its channel is not the patched one any more."""

from __future__ import annotations

import re
import shutil
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.slow.e2e.harness import Tree, Trial, tree

HOSTS = ("v1-class", "js-cjs", "session-map", "monorepo")
WIRED = re.compile(r"whatsapp wiring (\S+) is patched")


@dataclass(frozen=True)
class Patched:
    trial: Trial
    before: Tree

    def write(self, path: str, text: bytes) -> None:
        (self.trial.host / path).write_bytes(text)

    def red(self) -> set[str]:
        """The files whose wiring is missed, from the folder of their test."""
        tests = self.trial.own_tests("now").files
        outcomes = {name: outcome for each in tests.values() for name, outcome in each.items()}
        wired = {found[1]: outcomes[name] for name in outcomes if (found := WIRED.search(name))}
        assert wired, outcomes
        return {path for path, outcome in wired.items() if outcome != "passed"}


@pytest.fixture(scope="module", params=HOSTS)
def patched(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, node_tools: Path
) -> Patched:
    trial = Trial(str(request.param), tmp_path_factory.mktemp("wiring"), node_tools)
    before = trial.before
    trial.skillgen("apply")
    return Patched(trial, before)


def channels(patched: Patched) -> dict[str, bytes]:
    """Each file that calls the module, patched."""
    after = tree(patched.trial.host)
    return {
        path: content
        for path, (_, content) in after.items()
        if b"econnect.socket(" in content and ".test." not in path
    }


def test_a_file_that_is_copied_anew(patched: Patched) -> None:
    for path, content in channels(patched).items():
        patched.write(path, patched.before[path][1])
        assert Path(path).name in patched.red()
        patched.write(path, content)
    assert not patched.red()


def test_another_layout_is_the_same_wiring(patched: Patched) -> None:
    found = channels(patched)
    patched.trial.tool("prettier", "--write", "--print-width=40", *found, cwd=patched.trial.host)
    assert found != channels(patched)
    assert not patched.red()
    for path, content in found.items():
        patched.write(path, content)


@pytest.mark.parametrize(
    ("patched", "old", "new"),
    [
        ("v1-class", b"this.reconnect.socket(makeWASocket, {", b"makeWASocket({"),
        ("v1-class", b"this.reconnect.dial(() => this.connectInternal(onFirstOpen))",
         b"void this.connectInternal(onFirstOpen)"),
        ("session-map", b"reconnect.socket(makeWASocket, {", b"makeWASocket({"),
    ],
    indirect=["patched"],
)  # fmt: skip
def test_one_call_that_is_not_the_patched_one(patched: Patched, old: bytes, new: bytes) -> None:
    [(path, content)] = [each for each in channels(patched).items() if old in each[1]]
    head, _, tail = content.rpartition(old)
    patched.write(path, head + new + tail)
    assert patched.red() == {Path(path).name}
    patched.write(path, content)


@pytest.mark.parametrize("patched", ["v1-class", "monorepo"], indirect=True)
def test_what_is_built_is_not_looked_at(patched: Patched) -> None:
    """Of a folder that holds JavaScript made of TypeScript, tests included."""
    tests = [path for path in tree(patched.trial.host) if path.endswith("reconnect.test.ts")]
    assert tests
    for path in tests:
        built = (patched.trial.host / path).parent / "built"
        built.mkdir()
        shutil.copy(patched.trial.host / path, built / "whatsapp-reconnect.test.ts")
        shutil.copy(
            patched.trial.host / path.replace(".test.ts", ".ts"), built / "whatsapp-reconnect.js"
        )
        assert not patched.red()
        shutil.rmtree(built)
