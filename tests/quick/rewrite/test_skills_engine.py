"""NanoClaw's skills engine keeps a snapshot of the tree: it is left alone, and said to be stale."""

from __future__ import annotations

from pathlib import Path

from modify.baileys.codemod import examine
from skill.host import Host
from skill.options import Options
from tests.quick.rewrite.harness import host_text, patched

CHANNEL = host_text("      setTimeout(connect, 1000);")
BASE = ".nanoclaw/base/src/whatsapp.ts"


def test_the_snapshot_stays_and_is_named_until_it_is_made_anew(tmp_path: Path) -> None:
    made = patched(tmp_path, {"src/whatsapp.ts": CHANNEL, BASE: CHANNEL})
    assert made.files[BASE] == CHANNEL
    assert "reconnect.socket(makeWASocket, " in made.files["src/whatsapp.ts"]
    assert [(finding.path, finding.rule) for finding in made.left] == [(BASE, "stale-skill-copy")]
    (tmp_path / BASE).write_text(made.files["src/whatsapp.ts"], encoding="utf-8")
    assert examine(Host(tmp_path), Options()).findings == []


def test_a_link_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "whatsapp.ts").write_text(CHANNEL, encoding="utf-8")
    (tmp_path / "host" / ".nanoclaw" / "base").mkdir(parents=True)
    (tmp_path / "host" / ".nanoclaw" / "base" / "src").symlink_to(tmp_path / "elsewhere")
    assert patched(tmp_path / "host", {"src/whatsapp.ts": CHANNEL}).left == ()
