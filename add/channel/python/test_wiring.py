"""What this bot relies on; the module that is imported here says why."""

from __future__ import annotations

import ast
from importlib.util import find_spec
from pathlib import Path

import pytest

# Each file that calls the module, and how often it names what at least.
WIRING = {
    "add.channel.python.test_wiring": {
        "find_spec": 1,
    },
}


@pytest.mark.parametrize("name", WIRING)
def test_what_calls_it_is_patched(name: str) -> None:
    """If an update of the bot undid it: skillgen apply."""
    spec = find_spec(name)
    assert spec and spec.origin
    nodes = ast.walk(ast.parse(Path(spec.origin).read_text("utf-8")))
    words = [getattr(each, "id", getattr(each, "attr", "")) for each in nodes]
    for word, least in WIRING[name].items():
        assert words.count(word) >= least, word
