"""Every promise of docs/guarantees.md has tests, and each test that it names exists."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

TEST = re.compile(r"`(tests/[\w/]+\.py)::(\w+)`( \(\*system\*)?")


@pytest.fixture(scope="module")
def guarantees() -> str:
    return Path(__file__).parents[3].joinpath("docs/guarantees.md").read_text(encoding="utf-8")


def names_in(tree: ast.Module) -> set[str]:
    return {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}


def is_of_system(tree: ast.Module, name: str) -> bool:
    """Whether the test is marked so, or its whole file is."""
    marks = [node for node in tree.body if isinstance(node, ast.Assign)]
    whole = [ast.unparse(mark) for mark in marks if "pytestmark" in ast.unparse(mark.targets[0])]
    function = next(n for n in tree.body if isinstance(n, ast.FunctionDef) and n.name == name)
    own = [ast.unparse(decorator) for decorator in function.decorator_list]
    return any("mark.system" in mark for mark in (*whole, *own))


def test_every_test_named_exists(guarantees: str, checkout: Path) -> None:
    named = TEST.findall(guarantees)
    assert len(named) > 60
    assert len({(file, name) for file, name, _ in named}) == len(named), "one is named twice"
    assert guarantees.count("::") == len(named), "a test is named in another form"
    trees = {file: ast.parse((checkout / file).read_bytes()) for file, _, _ in named}
    for file, name, needs_root in named:
        tree = trees[file]
        assert name in names_in(tree), f"{file}::{name}"
        assert is_of_system(tree, name) is bool(needs_root), f"{file}::{name}"


def test_every_promise_has_its_tests(guarantees: str) -> None:
    sections = re.split(r"^## (\d+)\. ", guarantees, flags=re.M)[1:]
    numbers, texts = sections[::2], sections[1::2]
    assert numbers == [str(number) for number in range(1, len(numbers) + 1)]
    assert len(numbers) >= 12
    for number, text in zip(numbers, texts, strict=True):
        assert TEST.search(text), number
