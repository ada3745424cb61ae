"""Which channels of a host are run, and the ways to start each."""

from __future__ import annotations

from pathlib import Path

import pytest

from skill.host import Host
from skill.storm.host.channels import channels_of

FIXTURES = {
    "v1-class": ("src/channels/whatsapp.ts", "by new WhatsAppChannel().connect()"),
    "v1-registry": ("src/channels/whatsapp.ts", "by new WhatsAppChannel().connect()"),
    "v2-factory": ("src/channels/whatsapp.ts", "by its factory"),
    "module-functions": ("src/index.ts", "by running src/index.ts"),
    "js-cjs": ("lib/bot.js", "by running lib/index.js"),
    "monorepo": ("packages/bot/src/bot.ts", "by its factory createBell()"),
}


@pytest.mark.parametrize("name", FIXTURES)
def test_first_way(checkout: Path, name: str) -> None:
    [channel] = channels_of(Host(checkout / "tests/hosts" / name)).run
    assert (channel.path, channel.ways[0].text) == FIXTURES[name]


def test_what_is_left_out_says_why(checkout: Path) -> None:
    found = channels_of(Host(checkout / "tests/hosts/monorepo"))
    assert found.left_out == [
        ("_legacy/src/whatsapp.ts", "not part of what the program starts"),
    ]
    found = channels_of(Host(checkout / "tests/hosts/pairing-script"))
    assert found.run == []
    assert found.left_out[0][0] == "src/whatsapp-auth.ts"


def test_named_files_only(checkout: Path) -> None:
    host = Host(checkout / "tests/hosts/monorepo")
    [channel] = channels_of(host, ("_legacy/src/whatsapp.ts",)).run
    assert channel.path == "_legacy/src/whatsapp.ts"


def test_way_in_is_public_and_outermost(tmp_path: Path) -> None:
    (tmp_path / "line.ts").write_text(
        """import makeWASocket from 'baileys';
export class Line {
  private async dial(): Promise<void> {
    const sock = makeWASocket({});
    sock.ev.on('connection.update', ({ connection }) => {
      if (connection === 'close') void this.dial();
    });
    sock.ev.on('messages.upsert', () => {});
  }
  private async prepare(): Promise<void> { await this.dial(); }
  async begin(): Promise<void> { await this.prepare(); }
}
""",
        "utf-8",
    )
    [channel] = channels_of(Host(tmp_path)).run
    assert channel.ways[0].text == "by new Line().begin()"


def test_file_that_starts_its_own_bot_is_run(checkout: Path) -> None:
    """A call on another object would be a second bot, with twice the attempts."""
    [channel] = channels_of(Host(checkout / "tests/hosts/database-credentials")).run
    assert channel.ways[0].text == "by running src/index.js"


def test_python_channel_is_there_and_says_what_runs_it(checkout: Path) -> None:
    root = checkout / "tests/hosts_python"
    host = next(path for path in sorted(root.iterdir()) if "s1" in path.name)
    assert [channel.language for channel in channels_of(Host(host)).run] == ["python"]
