"""A codemod small enough to be understood at a glance, and the command line in-process.

It wants ``connect();`` to become ``turn(); connect();`` in every ``*.bot.ts``, adds
``src/added.ts`` where one is found, hands off ``odd();``, and cannot read merge markers.
"""

from __future__ import annotations

import re
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from skill import cli
from skill.edit import Addition, Edit, Patch
from skill.errors import UnreadableSource
from skill.finding import Finding, Note
from skill.host import Host
from skill.options import Options

ADDED = b"// skillgen 0.1.0\nexport const turn = 1;\n"


def examine(host: Host, options: Options) -> Patch:
    patch = Patch()
    for file in host.with_suffix(".bot.ts"):
        content = host.read(file.path)
        lines = content.split(b"\n")
        for number, line in enumerate(lines, 1):
            if line.startswith(b"<<<<<<<"):
                raise UnreadableSource(file.path, number, "merge markers")
            if line.strip() == b"odd();":
                patch.findings.append(
                    Finding(
                        file.path, number, 1, "stacked-timers", "odd", reason="odd", accept="even"
                    )
                )
        for match in re.finditer(rb"(?<!turn\(\); )connect\(\);", content):
            line = content.count(b"\n", 0, match.start()) + 1
            message = "dials at once"
            patch.findings.append(Finding(file.path, line, 1, "flat-retry", message, "waits"))
            patch.add_edits(
                file.path, [Edit(match.start(), match.start(), b"turn(); ", "flat-retry")]
            )
        if b"connect();" in content:
            patch.notes.append(Note(file.path, 1, "right", "sound"))
            patch.additions["src/added.ts"] = Addition("src/added.ts", ADDED, ("flat-retry",))
    return patch


def module_identity(text: str) -> tuple[str, bool] | None:
    match = re.match(r"// skillgen (\S+)\n", text)
    return (match[1], text.encode() == ADDED) if match else None


@pytest.fixture(autouse=True)
def small_codemod(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("modify.examine", examine)
    monkeypatch.setattr("modify.verify", lambda *_arguments: None, raising=False)
    monkeypatch.setattr("skill.render.typescript.module_identity", module_identity, raising=False)


@pytest.fixture
def host(tmp_path: Path) -> Path:
    root = tmp_path / "my host"
    (root / "src").mkdir(parents=True)
    (root / "src/whats app.bot.ts").write_bytes("// ünï\r\n\tconnect();\r\n// end".encode())
    (root / "src/whats app.bot.ts").chmod(0o755)
    (root / "README.md").write_text("a host\n")
    return root


@dataclass(frozen=True)
class Outcome:
    code: int
    out: str
    err: str


Skillgen = Callable[..., Outcome]


@pytest.fixture
def skillgen(capfd: pytest.CaptureFixture[str]) -> Skillgen:
    """Run a command line in this process; what it prints is captured."""

    def call(*arguments: object) -> Outcome:
        code = cli.run([str(argument) for argument in arguments])
        out, err = capfd.readouterr()
        return Outcome(code, out, err)

    return call


def content_of(root: Path) -> dict[str, tuple[bytes, int]]:
    """Every file below ``root``, the state folder included."""
    return {
        path.relative_to(root).as_posix(): (path.read_bytes(), path.stat().st_mode)
        for path in sorted(root.rglob("*"))
        if path.is_file() and not path.is_symlink()
    }


def committed(host: Path) -> None:
    """The host as a git repository with all of it in one commit."""
    author = ("-c", "user.name=t", "-c", "user.email=t@localhost")
    for words in (("init", "-q"), ("add", "-A"), (*author, "commit", "-qm", "all")):
        subprocess.run(["git", *words], cwd=host, check=True)
