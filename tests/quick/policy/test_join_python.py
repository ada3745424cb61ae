"""How the files of add/channel/python become one, and what a host does not get."""

from __future__ import annotations

import ast

import pytest

from skill.render.join_python import joined, kept, parse
from skill.render.python import ROOTS, Profile, render_python_module, render_python_test
from skill.render.python_parameters import keywords, without

ROOT = '''"""What it is for."""

import json
from collections.abc import Callable

from here.below import LIMIT, helper


def public(then: Callable[[], int]) -> int:
    return helper(LIMIT) + then()
'''
BELOW = """import json
import os

LIMIT = 5
# Why that many.
UNUSED = 6


def helper(limit: int) -> int:
    return limit + len(os.sep)


def other() -> str:
    return json.dumps(UNUSED)
"""
JOINED = '''"""Doc."""

from __future__ import annotations

import os
from collections.abc import Callable

LIMIT = 5


def helper(limit: int) -> int:
    return limit + len(os.sep)


def public(then: Callable[[], int]) -> int:
    return helper(LIMIT) + then()
'''


def test_what_nothing_uses_is_left_out() -> None:
    modules = [parse(BELOW), parse(ROOT)]
    assert joined("Doc.", modules, kept(modules, modules[1:]), "here") == JOINED


def test_imports_of_the_host_s_own_module_come_last() -> None:
    root = [parse(ROOT)]
    text = joined("Doc.", root, kept(root, root), "here", "bot.added")
    assert "Callable\n\nfrom bot.added import LIMIT, helper\n\n\ndef" in text


def test_one_name_for_two_things_is_an_error() -> None:
    with pytest.raises(ValueError, match="LIMIT is defined twice"):
        kept([parse("LIMIT = 5\n"), parse("LIMIT = 6\n")], [])


def test_a_file_that_does_something_on_import_is_an_error() -> None:
    with pytest.raises(ValueError, match="line 1: neither an import nor a definition"):
        parse("if True:\n    LIMIT = 5\n")


CLASS = '''class Gate:
    """Why."""

    def __init__(self) -> None:
        self.level = LIMIT

    # Why not.
    @property
    def last(self) -> int:
        return self._shown()

    def wait(self) -> int:
        return self.level

    def _shown(self) -> int:
        return self.level
'''


@pytest.mark.parametrize("calls", [{"wait"}, {"last"}, {"last", "wait"}])
def test_of_a_class_what_is_called_stays(calls: set[str]) -> None:
    """In its order, with what stands above it, and with what it calls itself."""
    module = parse("LIMIT = 5\nOTHER = 6\n\n\n" + CLASS)
    text = joined("", [module], kept([module], [], calls | {"Gate"}), "here")
    expected = CLASS
    if "wait" not in calls:
        expected = expected.replace(
            expected[expected.index("    def wait") : expected.index("    def _s")], ""
        )
    if "last" not in calls:
        expected = expected[: expected.index("    def _shown")].rstrip() + "\n"
        expected = expected.replace(
            expected[expected.index("    # Why") : expected.index("    def wait")], ""
        )
    assert text.endswith(f"import annotations\n\n\nLIMIT = 5\n\n\n{expected}")


@pytest.mark.parametrize("profile", ROOTS)
def test_nothing_in_a_host_s_module_is_unused(profile: Profile) -> None:
    """But for what the host itself calls: the public names of the profile's own files."""
    tree = ast.parse(render_python_module("1", profile))
    used = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
    unused = {
        name
        for node in tree.body
        for name in (
            [node.name]
            if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef)
            else [target.id for target in node.targets if isinstance(target, ast.Name)]
            if isinstance(node, ast.Assign)
            else []
        )
        if name not in used
    }
    called = {
        "bridge": {"link_of"},
        "full": {"Reconnect"},
        "neonize": {
            *("dial", "dial_sync", "disconnected", "end_of", "hang_up", "hear"),
            *("next_turn", "next_turn_sync", "ready", "serve"),
        },
    }
    called["both"] = called["bridge"] | called["neonize"]
    called["all"] = called["both"] | called["full"]
    assert unused == called[profile]


BRIDGE = {"link_of", "start", "opened", "stop"}
HOSTS: list[tuple[Profile, set[str], set[str]]] = [
    ("bridge", BRIDGE | {"turn", "logout", "terminal"}, {"turn_sync", "delay", "on_open"}),
    ("bridge", BRIDGE | {"turn_sync", "delay"}, {"turn", "_pause", "logout", "on_open"}),
    ("bridge", {"BridgeLink", "start", "turn_sync", "on_open"}, {"link_of", "stop", "logout"}),
    ("neonize", {"session_of", "turn", "hear", "heard"}, {"turn_sync", "dial", "serve", "keep"}),
    ("neonize", {"hear", "heard", "dial_sync", "hang_up"}, {"turn", "dial", "end_of", "_pause"}),
    ("neonize", {"hear", "heard", "dial", "serve"}, {"turn_sync", "dial_sync", "next_turn"}),
]


@pytest.mark.parametrize(("profile", "calls", "without"), HOSTS)
def test_a_host_gets_what_it_calls(profile: Profile, calls: set[str], without: set[str]) -> None:
    tree = ast.parse(render_python_module("1", profile, calls=calls))
    defined = {
        node.name
        for node in ast.walk(tree)
        if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef)
    }
    inside = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
    inside |= {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
    assert calls <= defined | inside
    assert {name for name in defined if not name.startswith("__")} <= calls | inside
    assert not without & defined


@pytest.mark.parametrize(("profile", "calls", "without"), HOSTS)
def test_so_does_its_test(profile: Profile, calls: set[str], without: set[str]) -> None:
    text = render_python_test("1", profile, calls=calls)
    asked = {node.attr for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Attribute)}
    assert "\ndef test_" in text
    assert not (without - {"turn", "terminal"}) & asked


def test_a_host_that_calls_nothing_of_it_gets_no_test() -> None:
    assert render_python_test("1", "bridge", calls={"BridgeLink"}) == ""


GIVEN = '''class Gate:
    async def turn(self, *, going: Callable[[], object] | None = None) -> int:
        """Wait.

        A false ``going()`` ends it.
        """
        if going and not going():
            return 0
        return await (going() if going else self.pause(1, (2, 3)))

    def other(self, first: int, *, going: int = 5, more: str | None = None) -> str:
        return str(more or going)
'''
PLAIN = '''class Gate:
    async def turn(self) -> int:
        """Wait."""
        return await self.pause(1, (2, 3))

    def other(self, first: int, *, going: int = 5, more: str | None = None) -> str:
        return str(more or going)
'''


def test_a_parameter_that_no_call_gives_is_left_out() -> None:
    """Where what is left of the function can be seen."""
    assert keywords(GIVEN) == {"going"}
    assert without(GIVEN, {"going", "more"}) == PLAIN
    assert keywords(GIVEN + "\n\nGate().turn(going=None)\n") == frozenset()


def test_a_host_that_gives_a_parameter_has_it() -> None:
    calls = {"link_of", "start", "opened", "turn"}
    assert "going" not in render_python_module("1", "bridge", calls=calls)
    assert "going()" in render_python_module("1", "bridge", calls=calls | {"going"})
    assert "going" not in render_python_test("1", "bridge", calls=calls)
    assert "going=" in render_python_test("1", "bridge", calls=calls | {"going"})
