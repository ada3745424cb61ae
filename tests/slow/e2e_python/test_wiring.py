"""The test that a Python host gains goes red where a file is not the patched one any more."""

from __future__ import annotations

import ast
import re

import pytest

from tests.slow.e2e.harness import Tree, tree
from tests.slow.e2e_python.harness import Trial

RED = re.compile(r"^FAILED \S+::test_what_calls_it_is_patched\[(\S+)\]", re.MULTILINE)
HOSTS = {
    "s1-link": {"harbor/channels/whatsapp.py": "harbor.channels.whatsapp"},
    "s8-split": {
        "parlour/events.py": "parlour.events",
        "parlour/sessions.py": "parlour.sessions",
    },
}


@pytest.fixture(scope="module", params=HOSTS)
def trial(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Trial:
    return Trial(str(request.param), tmp_path_factory.mktemp("wiring"))


@pytest.fixture(scope="module")
def before(trial: Trial) -> Tree:
    """The host before it was patched, as it is from here on."""
    trial.clone()
    unpatched = tree(trial.host)
    trial.skillgen("apply")
    return unpatched


def red(trial: Trial) -> set[str]:
    """The modules whose wiring is missed."""
    return set(RED.findall(trial.own_tests().text))


def test_a_file_that_is_copied_anew(trial: Trial, before: Tree) -> None:
    assert red(trial) == set()
    for path, name in HOSTS[trial.name].items():
        file = trial.host / path
        patched = file.read_bytes()
        file.write_bytes(before[path][1])
        assert red(trial) == {name}
        file.write_bytes(patched)


@pytest.mark.parametrize("trial", ["s1-link"], indirect=True)
def test_a_loop_that_no_longer_waits_for_its_turn(trial: Trial, before: Tree) -> None:
    [(path, name)] = HOSTS[trial.name].items()
    file = trial.host / path
    patched = file.read_text()
    assert ".turn(" in patched
    file.write_text(patched.replace(".turn(", ".waits("))
    assert red(trial) == {name}
    file.write_text(patched)


def test_another_layout_is_the_same_wiring(trial: Trial, before: Tree) -> None:
    """The same trees without a remark, printed anew."""
    for path in HOSTS[trial.name]:
        file = trial.host / path
        patched = file.read_text()
        file.write_text(ast.unparse(ast.parse(patched)))
    assert red(trial) == set()
