"""Every page of this repository names only what is there: links, files, modules, commands."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from modify.kit.python.tree import statements
from skill.host import Host
from skill.options import Options
from skill.plan import make_plan
from tests.conftest import CHECKOUT
from tests.quick.docs import names, pages

PAGES = sorted(
    file.relative_to(CHECKOUT).as_posix()
    for file in (*CHECKOUT.glob("*.md"), *CHECKOUT.glob("docs/**/*.md"))
)


def text(path: str) -> str:
    return (CHECKOUT / path).read_text(encoding="utf-8")


def broken(path: str, page: str) -> Iterator[str]:
    """What the page names and is not there."""
    for link in pages.LINK.findall(page):
        target, _hash, section = link.partition("#")
        file = (CHECKOUT / path).parent / target if target else CHECKOUT / path
        if link.startswith("https://"):
            continue
        if not file.exists() or (section and section not in names.sections(file.read_text())):
            yield link
    yield from (one for one in names.paths(page) if not names.is_there(CHECKOUT, one))
    yield from (one for one in names.modules(page) if not names.is_module(CHECKOUT, one))
    makefile = text("Makefile")
    for target, variables in names.make_commands(page):
        if f"\n{target}:" not in makefile:
            yield f"make {target}"
        for name in variables:
            if not re.search(rf"\$\(({name}|if \$\({name})\)|\$\$\{{{name}", makefile):
                yield f"make {target} {name}="


def test_the_pages_are_those_that_people_meet() -> None:
    assert {"README.md", "SKILL.md", "CONTRIBUTING.md", "CHANGELOG.md", "SECURITY.md"} < set(PAGES)
    assert {"docs/architecture.md", "docs/guarantees.md"} < set(PAGES)


@pytest.mark.parametrize("path", PAGES)
def test_what_a_page_names_is_there(path: str) -> None:
    assert set(broken(path, text(path))) == set()


@pytest.mark.parametrize("path", PAGES)
def test_every_command_of_a_page_is_taken(path: str) -> None:
    for command in pages.skillgen_commands(text(path)):
        try:
            pages.parse(command)
        except click.UsageError as error:
            pytest.fail(f"{command}: {error.format_message()}")
        except click.exceptions.Exit:  # --version
            pass


def test_what_a_docstring_or_a_comment_names_is_there() -> None:
    """Readers follow these, too; a module that moves leaves them behind."""
    missing = []
    for top in ("skill", "add", "modify", "tests"):
        for file in sorted((CHECKOUT / top).rglob("*.py")):
            path = file.relative_to(CHECKOUT)
            if not path.as_posix().startswith(("tests/hosts", "tests/snapshots")):
                words = "\n".join(prose(file))
                named = [*names.paths(words)], [*names.modules(words)]
                missing += [(path, one) for one in named[0] if not names.is_there(CHECKOUT, one)]
                missing += [(path, one) for one in named[1] if not names.is_module(CHECKOUT, one)]
    assert missing == []


def prose(file: Path) -> Iterator[str]:
    """The docstrings of a Python file, and its lines that are comments."""
    code = file.read_text(encoding="utf-8")
    tree = ast.parse(code)
    for node in (tree, *statements(tree)):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            yield ast.get_docstring(node) or ""
    yield from re.findall(r"^\s*#.*", code, re.M)


def test_every_page_is_reached_from_the_readme() -> None:
    reached, waiting = set(), ["README.md"]
    while waiting:
        path = waiting.pop()
        if path not in reached:
            reached.add(path)
            folder = (CHECKOUT / path).parent
            for link in pages.LINK.findall(text(path)):
                target = (folder / link.partition("#")[0]).resolve()
                if target.suffix == ".md" and target.is_relative_to(CHECKOUT):
                    waiting.append(target.relative_to(CHECKOUT).as_posix())
    assert reached | {"SKILL.md"} == set(PAGES)


def test_every_room_and_every_decision_has_its_place() -> None:
    """A new folder of the program needs a line, and a decision is read in a docstring."""
    page = text("docs/architecture.md")
    rooms = page.partition("\n## Rooms\n")[2].partition("\n## ")[0]
    named = set(re.findall(r"^\| `([a-z_/]+)/` \|", rooms, re.M))
    there = {
        folder.relative_to(CHECKOUT).as_posix()
        for top in ("skill", "modify", "add")
        for folder in CHECKOUT.glob(f"{top}/*/")
        if any(file.is_file() and file.suffix != ".pyc" for file in folder.rglob("*"))
    }
    assert named == there | {"skill", "tests"}
    decisions = page.partition("\n## Decisions")[2]
    for path in re.findall(r"`([\w/]+\.py)`", decisions):
        docstring = ast.get_docstring(ast.parse((CHECKOUT / path).read_bytes()))
        assert docstring, f"{path} does not say why"


def test_the_walk_counts_right() -> None:
    walk = " ".join(text("docs/architecture.md").split())
    plan = make_plan(Host(CHECKOUT / "tests/hosts/v1-class"), Options())
    new = [change for change in plan.changes if change.is_addition]
    channel = [one for one in plan.findings if one.path == "src/channels/whatsapp.ts"]
    counted = (len(channel), len(plan.changes), len(new), len(plan.changes) - len(new))
    words = ("ten faults", "seven changes: ", "two new files, ", "five edited ones")
    assert counted == (10, 7, 2, 5)
    assert [word for word in words if word not in walk] == []


@pytest.mark.parametrize(
    "page",
    [
        "[a page](docs/nowhere.md)",
        "[a section](README.md#no-such-section)",
        "it lies in `modify/nowhere.py`",
        "```text\nmodify/nowhere/ what is not there\n```",
        "`tests/quick/docs/test_names.py::test_nothing`",
        "see `skill.nowhere`",
        "see `skill.host.Nothing`",
        "see `skill.host.Host.nothing`",
        "`make nothing`",
        "```sh\nmake test NOTHING=1\n```",
    ],
)
def test_what_is_not_there_is_seen(page: str) -> None:
    assert len(set(broken("README.md", page))) == 1


def test_what_is_there_is_taken() -> None:
    page = """[it](docs/guarantees.md#1-a-dry-run-is-what-apply-does) `skill.host.Host.read`
    `skill.transaction` `tests/quick/docs/test_names.py::broken` `modify/rules/channels/ID.py`
    `make test TESTS=tests/quick/docs`, `make golden ACCEPT=1`, `make fuzz FUZZ_FACTOR=3`"""
    assert set(broken("README.md", page)) == set()
