"""Imports of our own modules: no cycle, and inside a function for a reason that stands there."""

from __future__ import annotations

from tests.slow.setup.imports import Import, cycles, imports, modules


def test_no_module_of_the_program_imports_itself_by_others() -> None:
    found = imports(modules())
    assert len(found) > 300, "all of them are seen"
    assert cycles(found) == []


def test_a_cycle_is_seen() -> None:
    found = [
        Import(one, 1, other, inside, "")
        for one, other, inside in (
            ("a", "b", False),
            ("b", "c", True),
            ("c", "a", False),
            ("d", "a", False),
            ("e", "e", True),
        )
    ]
    assert cycles(found) == [["a", "b", "c"], ["e"]]


def test_an_import_inside_a_function_says_why() -> None:
    """Start-up time is the reason, or a package that may be missing."""
    found = [one for one in imports(modules()) if one.inside]
    assert found, "the command line imports what examines a host when it is asked to"
    assert [str(one) for one in found if not one.why.startswith("Lazy: ")] == []
