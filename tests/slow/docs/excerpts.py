"""Excerpts in a page: marked with the command that printed them, so they can be made again.

    <!-- real: apply --dry-run | from "TEXT" to "TEXT" -->
    ```diff
    …
    ```

is what the command prints on a copy of the demo host, from the first line that holds the
one text to the next that holds the other.
"""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
import sys
from functools import cache
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parents[3]
DEMO = CHECKOUT / "tests" / "hosts" / "v1-class"
BLOCK = re.compile(
    r'^<!-- real: (?P<command>.+?) \| from "(?P<first>.+?)" to "(?P<last>.+?)" -->\n'
    r"(?P<fence>```\w+\n)(?P<text>.*?)```$",
    re.M | re.S,
)


def made_anew(page: str, folder: Path) -> str:
    """The page with every excerpt as the commands print it now; ``folder`` is scratch space."""
    host = folder / "bot"
    if not host.exists():
        shutil.copytree(DEMO, host, ignore=shutil.ignore_patterns("node_modules", "fixture.toml"))

    def again(block: re.Match[str]) -> str:
        printed = output_of(host, block["command"])
        text = between(printed, block["first"], block["last"])
        return block[0].replace(f"{block['fence']}{block['text']}```", f"{block['fence']}{text}```")

    return BLOCK.sub(again, page)


@cache
def output_of(host: Path, command: str) -> str:
    program = [sys.executable, "-I", str(CHECKOUT / "skill" / "__main__.py")]
    done = subprocess.run(
        [*program, *shlex.split(command)], cwd=host, capture_output=True, text=True, check=False
    )
    assert done.returncode < 2, done.stderr
    return done.stdout


def between(printed: str, first: str, last: str) -> str:
    lines = printed.splitlines()
    start = next((n for n, line in enumerate(lines) if first in line), None)
    assert start is not None, f"no line with {first!r} is printed any more"
    end = next((n for n, line in enumerate(lines) if n >= start and last in line), None)
    assert end is not None, f"no line with {last!r} follows the one with {first!r}"
    return "".join(f"{line}\n" for line in lines[start : end + 1])
