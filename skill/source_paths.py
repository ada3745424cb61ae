"""Which files are TypeScript or JavaScript, tests, or assets of a skill, by their paths."""

from __future__ import annotations

import re

TYPED = (".ts", ".mts", ".cts", ".tsx")
SCRIPTS = (*TYPED, ".js", ".mjs", ".cjs", ".jsx")
SKILL_ASSETS = ".claude/skills/"
SKILL_ASSET = re.compile(
    r"^(?P<skill>(?:.*/)?\.claude/skills/[^/]+)/(?P<part>add|modify)/(?P<rest>.+)$"
)
_TEST = re.compile(
    r"\.(test|spec)\.\w+$|(^|/)__(tests|mocks|snapshots)__/"
    r"|(^|/)(test_[^/]*|[^/]*_test|conftest)\.py$"
)
_TEST_FOLDER = re.compile(r"(^|/)(tests?|testing)/")
_TEST_SCRIPT = re.compile(r"\.(test|spec)\.\w+$")
_NO_PROGRAM = re.compile(r"\.(test|spec|e2e|stories)\.\w+$|\.d\.[cm]?ts$")


def is_test(path: str) -> bool:
    """Whether a file is a test by its own name, or by a folder that only test runners use.

    A bot that people keep in a folder ``test`` connects to WhatsApp all the same.
    """
    return _TEST.search(path) is not None


def is_test_script(path: str) -> bool:
    """Whether a script is a test by its own name, whatever folder it lies in."""
    return _TEST_SCRIPT.search(path) is not None


def is_no_program(path: str) -> bool:
    """Whether a script is a test, a page of a component or a declaration of types, by its name."""
    return _NO_PROGRAM.search(path) is not None


def is_among_tests(path: str) -> bool:
    """Whether a file is a test, or lies in a folder for tests."""
    return is_test(path) or _TEST_FOLDER.search(path) is not None
