"""SIGINT at any time, also while something is imported: one line, exit 130."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).resolve().parents[3]
# Sends itself the signal when a module is looked for.
PROGRAM = """\
import os, runpy, signal, sys
class Interrupts:
    def find_spec(self, name, path=None, target=None):
        if name == {module!r}:
            sys.meta_path.remove(self)
            os.kill(os.getpid(), signal.SIGINT)
sys.meta_path.insert(0, Interrupts())
sys.argv = ['skillgen', 'apply', '--dry-run', {host!r}]
runpy.run_path({entry!r}, run_name='__main__')
"""


@pytest.mark.parametrize(
    "module",
    [
        "skill.cli",
        "click",
        "skill.commands.hosts",
        "modify",
        "modify.kit.typescript.source",
        "ast_grep_py",
    ],
)
def test_an_import_that_is_interrupted(module: str) -> None:
    program = PROGRAM.format(
        module=module,
        host=str(CHECKOUT / "tests" / "hosts" / "v1-class"),
        entry=str(CHECKOUT / "skill" / "__main__.py"),
    )
    done = subprocess.run([sys.executable, "-I", "-c", program], capture_output=True, text=True)
    assert done.returncode == 130
    assert done.stderr.startswith("skillgen: stopped; ")
    assert len(done.stderr.splitlines()) == 1


def test_a_class_that_is_interrupted_while_it_is_made() -> None:
    """Python makes a RuntimeError of what ``__set_name__`` raises."""
    from skill.cli import is_interrupt

    class Interrupts:
        def __set_name__(self, owner: type, name: str) -> None:
            raise KeyboardInterrupt

    with pytest.raises((RuntimeError, KeyboardInterrupt)) as caught:
        type("Made", (), {"field": Interrupts()})
    assert is_interrupt(caught.value)
    assert not is_interrupt(ValueError())
