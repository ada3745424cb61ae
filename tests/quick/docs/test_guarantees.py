"""docs/guarantees.md and SECURITY.md name tests, files, options and commands that exist."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import click
import pytest

from tests.quick.docs import pages

TEST = re.compile(r"`(tests/[\w/]+\.py)::(\w+)`( \(\*system\*)?")
PAGES = ("docs/guarantees.md", "SECURITY.md")


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
    for file, name, needs_root in named:
        tree = ast.parse((checkout / file).read_bytes())
        assert name in names_in(tree), f"{file}::{name}"
        assert is_of_system(tree, name) is bool(needs_root), f"{file}::{name}"


def test_every_promise_has_its_tests(guarantees: str) -> None:
    sections = re.split(r"^## (\d+)\. ", guarantees, flags=re.M)[1:]
    numbers, texts = sections[::2], sections[1::2]
    assert numbers == [str(number) for number in range(1, len(numbers) + 1)]
    assert len(numbers) >= 12
    for number, text in zip(numbers, texts, strict=True):
        assert TEST.search(text), number


@pytest.mark.parametrize("path", PAGES)
def test_what_a_page_names_exists(path: str, checkout: Path) -> None:
    page = (checkout / path).read_text(encoding="utf-8")
    for link in pages.LINK.findall(page):
        assert (checkout / path).parent.joinpath(link).exists(), link
    for command in pages.skillgen_commands(page):
        try:
            pages.parse(command)
        except click.UsageError as error:
            pytest.fail(f"{command}: {error.format_message()}")
        except click.exceptions.Exit:  # --version
            pass
    makefile = (checkout / "Makefile").read_text()
    for target in re.findall(r"`make ([a-z-]+)`", page):
        assert f"\n{target}:" in makefile, target
