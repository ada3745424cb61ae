"""Promise 1: whatever the files and their names, ``git apply`` makes of a diff what we do."""

from __future__ import annotations

import difflib
import subprocess
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from skill.plan import Change
from skill.report.diff import diff_of

NAMES = [
    "plain.ts",
    "two words/a b.ts",
    "ünï/cödé.ts",
    'quo"te.ts',
    "back\\slash.ts",
    "tab\there.ts",
    "line\nfeed.ts",
    "-dash",
    "a/b/c/d.ts",
]
LINES = st.lists(
    st.sampled_from(
        [b"a\n", b"b\n", b"\n", b"\r\n", b"c\r\n", b"\xff\xfe\n", b" x\x0c\x85y\n", b"a\rb\n"]
    ),
    max_size=30,
)
CONTENT = st.builds(lambda lines, end: b"".join(lines) + end, LINES, st.sampled_from([b"", b"end"]))


def applied_by_git(folder: Path, changes: list[Change]) -> dict[str, tuple[bytes, bool]]:
    subprocess.run(["rm", "-rf", folder], check=True)
    folder.mkdir()
    for change in changes:
        if change.before is not None:
            file = folder / change.path
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(change.before)
            file.chmod(change.mode)
    done = subprocess.run(
        ["git", "apply", "--whitespace=nowarn", "-"],
        cwd=folder,
        input=b"text before\n\n" + diff_of(changes) + b"text after\n",
        capture_output=True,
        check=False,
        env={"GIT_CEILING_DIRECTORIES": str(folder.parent), "PATH": "/usr/bin:/bin:/usr/local/bin"},
    )
    assert done.returncode == 0, (done.stderr, diff_of(changes))
    return {
        path.relative_to(folder).as_posix(): (path.read_bytes(), bool(path.stat().st_mode & 0o100))
        for path in folder.rglob("*")
        if path.is_file()
    }


CODE = [
    line
    for number in range(20)
    for line in (b"def part%d():\n" % number, b"    a()\n", b"    b()\n", b"\n", b"\n")
]


@pytest.mark.parametrize(("place", "added"), [(40, 5), (50, 3), (51, 1), (60, 12), (97, 2), (2, 2)])
@pytest.mark.parametrize("removed", [0, 1, 6])
def test_lines_far_from_a_change_do_not_matter(place: int, added: int, removed: int) -> None:
    """Hunks begin where difflib alone begins them, also where a change repeats its neighbours."""
    new = [*CODE[:place], *CODE[place - added : place], *CODE[place + removed :]]
    change = Change("a.py", b"".join(CODE), b"".join(new), 0o644)
    expected = difflib.diff_bytes(difflib.unified_diff, CODE, new, b"a/a.py", b"b/a.py")
    hunks = diff_of([change]).split(b"+++ b/a.py\n")[1]
    assert hunks == b"".join([*expected][2:])


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("mode", [0o644, 0o755])
def test_every_kind_of_name(tmp_path: Path, name: str, mode: int) -> None:
    changes = [
        Change(f"new/{name}", None, b"x\n", mode),
        Change(f"old/{name}", b"a\nb\n", b"a\nc", mode),
        Change(f"gone/{name}", b"a\n", None, mode),
        Change(f"empty/{name}", None, b"", mode),
    ]
    assert applied_by_git(tmp_path / "host", changes) == {
        f"new/{name}": (b"x\n", mode == 0o755),
        f"old/{name}": (b"a\nc", mode == 0o755),
        f"empty/{name}": (b"", mode == 0o755),
    }


@settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(before=CONTENT, after=CONTENT)
def test_every_kind_of_content(tmp_path: Path, before: bytes, after: bytes) -> None:
    if before == after:
        return
    change = Change("a b.ts", before, after, 0o644)
    assert applied_by_git(tmp_path / "host", [change]) == {"a b.ts": (after, False)}
