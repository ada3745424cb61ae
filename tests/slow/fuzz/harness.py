"""The command line in this process, on hosts that examples make, and what must hold."""

from __future__ import annotations

import contextlib
import io
import os
import shutil
import signal
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import FrameType

from hypothesis import HealthCheck, settings

from skill import cli
from tests.quick.transaction.conftest import Tree, tree_of, without_state

LONGEST = 20  # seconds; what takes so long hangs
MORE = int(os.environ.get("FUZZ_FACTOR", "1"))
PACKAGE = '{ "name": "bot", "type": "module" }\n'


def examples(number: int) -> settings:
    """So many examples; ``make fuzz`` draws a multiple of that, and new ones."""
    return settings(
        max_examples=number * MORE,
        deadline=None,
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
    )


@dataclass(frozen=True)
class Outcome:
    code: int
    out: str
    err: str


def skillgen(*arguments: object) -> Outcome:
    out, err = io.StringIO(), io.StringIO()
    with _limited(), contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        code = cli.run([str(argument) for argument in arguments])
    return Outcome(code, out.getvalue(), err.getvalue())


@contextlib.contextmanager
def _limited() -> Iterator[None]:
    def late(_number: int, _frame: FrameType | None) -> None:
        raise TimeoutError("it hangs")

    before = signal.signal(signal.SIGALRM, late)
    signal.alarm(LONGEST)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


def sound(*arguments: object) -> Outcome:
    """Run it; whatever the input, it ends as documented."""
    ran = skillgen(*arguments)
    said = f"{arguments}: {ran}"
    assert ran.code in (0, 1, 2), said
    assert "a defect of skillgen" not in ran.err, said
    assert "Traceback" not in ran.err, said
    lines = ran.err.split("\n")[:-1]
    assert all(line.startswith("skillgen: ") for line in lines), said
    if ran.code == 2:
        assert len(lines) == 1, said
    return ran


@contextlib.contextmanager
def host(files: Mapping[str, bytes | str]) -> Iterator[Path]:
    """A folder with these files, for one example."""
    folder = Path(tempfile.mkdtemp(dir=MEMORY))
    try:
        root = folder / "bot"
        for path, content in {"package.json": PACKAGE, **files}.items():
            (root / path).parent.mkdir(parents=True, exist_ok=True)
            data = content.encode() if isinstance(content, str) else content
            (root / path).write_bytes(data)
        yield root
    finally:
        shutil.rmtree(folder)


MEMORY = "/dev/shm" if Path("/dev/shm").is_dir() else None


def whole_life(root: Path) -> None:
    """Looked at, patched, patched again, taken back: the promises 2, 3 and 8, whatever it is."""
    before = tree_of(root)
    looked = sound("inspect", root)
    assert tree_of(root) == before, "a look writes"
    applied = sound("apply", root)
    patched = tree_of(root)
    if applied.code == 2:
        assert without_state(patched) == before, "exit 2 writes"
        return
    assert looked.code == 1 or without_state(patched) == before, "no finding, and it is patched"
    again = sound("apply", root)
    assert (again.code, without_state(tree_of(root))) == (applied.code, without_state(patched))
    checked = sound("check", root)
    assert checked.code == applied.code, f"apply {applied}\ncheck {checked}"
    reverted = sound("revert", root)
    assert reverted.code == 0, reverted
    assert tree_of(root) == before


def unchanged(before: Tree, root: Path) -> bool:
    return without_state(tree_of(root)) == without_state(before)
