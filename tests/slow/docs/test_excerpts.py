"""The excerpts in README.md are what the commands print now."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.slow.docs import excerpts


def test_the_excerpts_are_real(
    checkout: Path, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    """To make them anew: pytest tests/slow/docs --snapshot-update."""
    readme = (checkout / "README.md").read_text(encoding="utf-8")
    assert len(excerpts.BLOCK.findall(readme)) == readme.count("<!-- real:") >= 3
    anew = excerpts.made_anew(readme, tmp_path)
    if request.config.getoption("--snapshot-update"):
        (checkout / "README.md").write_text(anew, encoding="utf-8")
    else:
        assert readme == anew, "make them anew: pytest tests/slow/docs --snapshot-update"
