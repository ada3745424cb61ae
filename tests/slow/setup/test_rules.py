"""The rules: cheap to import, and new ones as the house wants them."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.quick.rules.new_rule import files_of

RUFF = (sys.executable, "-m", "ruff")


def test_the_rules_import_no_parser() -> None:
    """A TypeScript host never imports libcst, and a list of the rules imports no ast-grep."""
    code = "import sys; from modify.rules import by_id, rule_ids; [by_id(i) for i in rule_ids()]\n"
    code += "print(sorted({'libcst', 'ast_grep_py', 'yaml'} & set(sys.modules)))"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60
    )
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize("kind", ["baileys-channel", "systemd"])
def test_it_passes_lint(kind: str, checkout: Path) -> None:
    for path, text in files_of("some-new-rule", kind).items():
        for command in (["check"], ["format", "--check"]):
            # A module that is not there yet is taken for a library's.
            ours = "lint.isort.known-first-party = ['modify', 'skill', 'tests']"
            done = subprocess.run(
                [*RUFF, *command, "--config", ours, "--stdin-filename", path, "-"],
                input=text,
                cwd=checkout,
                capture_output=True,
                text=True,
                timeout=60,
            )
            assert done.returncode == 0, done.stdout + done.stderr
