"""A small host whose program does nothing but count its starts and end as it is told."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from modify.units.codemod import examine
from skill.edit import apply_edits
from skill.host import Host
from skill.options import Options
from tests.quick.rules.service_cases.harness import make_host

PROGRAM = """const { appendFileSync } = require('node:fs');
appendFileSync(process.env.BOT_STARTS, `${process.pid}\\n`);
setTimeout(() => process.exit(Number(process.env.BOT_STATUS)), Number(process.env.BOT_LIFE_MS));
"""


@dataclass(frozen=True)
class Counting:
    """The host's folder, outside of which the starts are counted."""

    folder: Path
    counted: Path
    status: int
    life_ms: int

    @property
    def starts(self) -> int:
        return len(self.counted.read_text().splitlines()) if self.counted.exists() else 0

    @property
    def environment(self) -> dict[str, str]:
        """The environment that the supervisor hands on to the program."""
        return {
            "BOT_STARTS": str(self.counted),
            "BOT_STATUS": str(self.status),
            "BOT_LIFE_MS": str(self.life_ms),
        }


def counting(
    work: Path, files: dict[str, str | bytes], *, status: int, life_ms: int = 0
) -> Counting:
    folder = work / "bot"
    make_host(folder, {"dist/index.js": PROGRAM, **files})
    return Counting(folder, work / "starts", status, life_ms)


def patch(bot: Counting, **options: Any) -> None:
    """Patch the units of the host as ``apply`` does."""
    host = Host(bot.folder)
    patch = examine(host, Options(**options))
    assert patch.edits or patch.additions
    for path, edits in patch.edits.items():
        (bot.folder / path).write_bytes(apply_edits(host.read(path), edits))
    for path, addition in patch.additions.items():
        (bot.folder / path).parent.mkdir(exist_ok=True)
        (bot.folder / path).write_bytes(addition.content)
