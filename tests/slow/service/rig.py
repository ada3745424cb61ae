"""A bot that counts its starts under a real ``systemd --user``, and skillgen beside the manager."""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.conftest import CHECKOUT
from tests.quick.rules.service_cases.harness import make_host
from tests.slow.supervisors.systemd import Manager

PROGRAM = """\
const { appendFileSync } = require('node:fs');
const own = Object.keys(require.cache).filter((path) => path.endsWith('guard.cjs'));
appendFileSync(process.env.BOT_STARTS, `${process.pid} ${own}\\n`);
setTimeout(() => process.exit(Number(process.env.BOT_STATUS)), Number(process.env.BOT_LIFE_MS));
"""
FOREVER = 600_000


@dataclass(frozen=True)
class Said:
    code: int
    out: str
    err: str

    @property
    def row(self) -> dict[str, Any]:
        [row] = json.loads(self.out)["hosts"]
        assert isinstance(row, dict)
        return row

    @property
    def service(self) -> dict[str, Any]:
        """The one service of the host."""
        [service] = [each for each in self.row["services"] if each["starts"] != "other"]
        assert isinstance(service, dict)
        return service


@dataclass(frozen=True)
class Rig:
    """systemd: with a journal. bot: the host's folder."""

    systemd: Manager
    bot: Path

    @property
    def units(self) -> Path:
        return self.systemd.home / ".config" / "systemd" / "user"

    @property
    def counted(self) -> list[str]:
        """A line of each start of the bot: its process, and the guard if it has loaded one."""
        file = self.systemd.home / "starts"
        return file.read_text().splitlines() if file.exists() else []

    def skillgen(self, *words: object) -> Said:
        """``skillgen service`` on the bot."""
        program = CHECKOUT / "skill" / "__main__.py"
        command = (sys.executable, "-I", program, "service", self.bot)
        done = self.systemd.started(*command, *(str(word) for word in words))
        assert "Traceback" not in done.stderr and "defect" not in done.stderr, done.stderr
        return Said(done.returncode, done.stdout, done.stderr)

    def look(self, *words: object) -> Said:
        return self.skillgen("--format", "json", *words)

    def unit(self, name: str, text: str, *, status: int = 1, life_ms: int = 0) -> str:
        """Install a unit that starts the bot; ``{bot}`` in the text is its folder."""
        settings = {
            "BOT_STARTS": self.systemd.home / "starts",
            "BOT_STATUS": status,
            "BOT_LIFE_MS": life_ms,
        }
        lines = "".join(f"Environment={key}={value}\n" for key, value in settings.items())
        (self.units / name).write_text(text.format(bot=self.bot) + lines)
        self.systemd.systemctl("daemon-reload")
        return name

    def files(self) -> dict[str, bytes]:
        """Every file of the user's units, and the host's own."""
        return {
            str(path): path.read_bytes()
            for root in (self.units, self.bot)
            for path in sorted(root.rglob("*"))
            if path.is_file() and ".skillgen" not in path.parts
        }


def make_bot(folder: Path) -> Path:
    make_host(folder, {"dist/index.js": PROGRAM})
    return folder
