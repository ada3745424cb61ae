"""Codemods amend each other's edits by what these do."""

from __future__ import annotations

from modify.effects import AsksTerminal, EndsProcess, effects, has_effect, with_status
from skill.edit import Edit, Patch

ENDS = Edit(4, 9, b"if (x) process.exit(0);", "auth-failure-exit", (EndsProcess(((20, 21),)),))


def test_the_exit_status_stands_where_the_effect_says() -> None:
    assert with_status(ENDS, 42).text == b"if (x) process.exit(42);"
    plain = Edit(0, 0, b"process.exit(0);")
    assert with_status(plain, 42) == plain


def test_effects_make_no_difference_between_two_edits() -> None:
    asks = Edit(0, 0, b"x", "r", (AsksTerminal("this.reconnect"),))
    assert asks == Edit(0, 0, b"x", "r") and len({asks, Edit(0, 0, b"x", "r")}) == 1
    assert effects(asks, AsksTerminal) == [AsksTerminal("this.reconnect")]
    assert not has_effect(asks, EndsProcess)


def test_an_amended_edit_takes_the_place_of_the_planned_one() -> None:
    patch = Patch(edits={"a.ts": [ENDS], "b.ts": [ENDS]})
    patch.merge(Patch(amended={"a.ts": {ENDS: with_status(ENDS, 42)}}))
    assert [edit.text for edit in patch.edits["a.ts"]] == [b"if (x) process.exit(42);"]
    assert patch.edits["b.ts"] == [ENDS]


def test_an_amendment_waits_for_its_edit() -> None:
    """A codemod's own patch holds only the amendment; the planned edit is in the whole one."""
    own = Patch()
    own.merge(Patch(amended={"a.ts": {ENDS: with_status(ENDS, 42)}}))
    whole = Patch(edits={"a.ts": [ENDS]})
    whole.merge(own)
    assert [edit.text for edit in whole.edits["a.ts"]] == [b"if (x) process.exit(42);"]
