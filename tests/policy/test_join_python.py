"""How the files of add/channel/python become one, and what a host does not get."""

from __future__ import annotations

import ast

import pytest

from skill.join_python import joined, parse
from skill.render_python import ROOTS, Profile, render_python_module

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
    below, root = parse(BELOW), parse(ROOT)
    assert joined("Doc.", [below, root], [root], "here") == JOINED


def test_imports_of_the_host_s_own_module_come_last() -> None:
    text = joined("Doc.", [parse(ROOT)], [parse(ROOT)], "here", "bot.added")
    assert "Callable\n\nfrom bot.added import LIMIT, helper\n\n\ndef" in text


def test_one_name_for_two_things_is_an_error() -> None:
    with pytest.raises(ValueError, match="LIMIT is defined twice"):
        joined("", [parse("LIMIT = 5\n"), parse("LIMIT = 6\n")], [], "here")


def test_a_file_that_does_something_on_import_is_an_error() -> None:
    with pytest.raises(ValueError, match="line 1: neither an import nor a definition"):
        parse("if True:\n    LIMIT = 5\n")


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
