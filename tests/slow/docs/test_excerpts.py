"""The excerpts in the pages are what the commands print now."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.slow.docs import excerpts


@pytest.mark.parametrize("path", ["README.md", "docs/architecture.md", "docs/patch.md"])
def test_the_excerpts_are_real(
    path: str, checkout: Path, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    """To make them anew: pytest tests/slow/docs --snapshot-update."""
    text = (checkout / path).read_text(encoding="utf-8")
    assert len(excerpts.BLOCK.findall(text)) == text.count("<!-- real:") >= 1
    anew = excerpts.made_anew(text, tmp_path)
    if request.config.getoption("--snapshot-update"):
        (checkout / path).write_text(anew, encoding="utf-8")
    else:
        assert text == anew, "make them anew: pytest tests/slow/docs --snapshot-update"
