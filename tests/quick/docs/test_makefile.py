"""What ``make`` runs is there."""

from __future__ import annotations

import re
from importlib.util import find_spec
from pathlib import Path


def test_every_module_of_the_tests_that_make_runs(checkout: Path) -> None:
    text = (checkout / "Makefile").read_text(encoding="utf-8")
    names = re.findall(r"\$\(PYTHON\) -m (tests\.[\w.]+)", text)
    assert names
    assert [name for name in names if find_spec(name) is None] == []
