"""make rule: both files as the house wants them, or one line why not."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path

import pytest

from modify.rules import KINDS
from tests.quick.rules.new_rule import THINGS, main

HANDED_TO_A_ROOM = {"unit-assertions"}


@pytest.mark.parametrize("kind", THINGS)
def test_what_it_makes_is_sound(kind: str, tmp_path: Path) -> None:
    assert main("some-new-rule", kind, tmp_path) == 0
    module, model, _ = THINGS[kind]
    assert hasattr(import_module(module), model)
    rule = tmp_path / "modify" / "rules" / KINDS[kind] / "some_new_rule.py"
    assert rule.is_file() and (tmp_path / "tests/quick/rules/test_some_new_rule.py").is_file()
    exec(compile(rule.read_text(), rule, "exec"), {"__name__": "modify.rules.x.some_new_rule"})


def test_every_kind_can_be_asked_for() -> None:
    assert set(THINGS) == set(KINDS) - HANDED_TO_A_ROOM


@pytest.mark.parametrize(
    ("name", "kind", "why"),
    [
        ("flat-retry", "baileys-channel", "there is a rule flat-retry already"),
        ("new-rule", "telegram", "KIND=telegram is not known"),
        ("New_Rule", "systemd", "NAME=New_Rule is no rule's id"),
        ("", "", "NAME= is no rule's id"),
    ],
)
def test_refuses_in_one_line(
    name: str, kind: str, why: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(name, kind, tmp_path) == 2
    said = capsys.readouterr().err
    assert why in said and said.count("\n") == 1
    assert not list(tmp_path.iterdir())
