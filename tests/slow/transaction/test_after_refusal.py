"""A merge by git that cannot clean up after itself is a merge."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from typing import Any

import pytest

from skill.transaction.merge import merge
from tests.quick.transaction.test_after_refusal import refused


def test_a_merge_that_cannot_clean_up_is_a_merge(monkeypatch: pytest.MonkeyPatch) -> None:
    git = shutil.which("git")
    assert git
    real = os.open

    def no_folders(path: Any, flags: int, *arguments: Any, **named: Any) -> int:
        if "skillgen-merge-" in str(path) and not flags & os.O_CREAT:
            refused()
        return real(path, flags, *arguments, **named)

    def look() -> Iterator[Any]:
        with monkeypatch.context() as patch:
            patch.setattr(os, "open", no_folders)
            yield merge(git, b"a\nb\nmine\n", b"theirs\nb\nc\n", b"a\nb\nc\n", "x")

    (merged,) = look()
    assert merged is not None
