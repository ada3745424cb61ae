"""Connect functions that turn a caller away while there is a link."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.quick.rewrite.harness import IMPORTS, patched


def channel(first: str, socket: str = "this.sock = makeWASocket({ auth: state });") -> str:
    return f"""\
{IMPORTS}import {{ EventEmitter }} from 'node:events';

export class Channel extends EventEmitter {{
  private stopping = false;
  private connecting = false;
  private connected = false;
  private sock: any = null;

  async connect(): Promise<void> {{
{first}
    {socket}
    this.sock.ev.on('connection.update', ({{ connection, qr }}) => {{
      if (qr) this.emit('qr', qr);
      if (connection === 'open') this.connected = true;
      if (connection === 'close') {{
        this.connecting = this.connected = false;
        this.sock = null;
        setTimeout(() => this.connect(), 1000);
      }}
    }});
  }}

  halt() {{
    this.stopping = true;
  }}
}}
"""


LOAD = "    const { state } = await useMultiFileAuthState('auth');"


@pytest.mark.parametrize(
    "guards",
    [
        "    if (this.connected) return;\n",
        "    if (this.stopping) return;\n    if (this.connected) return;\n",
        "    if (this.sock) {\n      if (this.connected) return;\n      this.sock = null;\n    }\n",
    ],
    ids=["open", "both", "inside another test"],
)
def test_guards_of_the_link_stay_as_they_are(tmp_path: Path, guards: str) -> None:
    """``dial()`` asks them while there is a link: it neither waits nor ends one."""
    made = patched(tmp_path, {"bot.ts": channel(guards + LOAD)}).files["bot.ts"]
    assert "await this.reconnect.dial(() => this.openSocket());" in made
    assert f"openSocket(): Promise<void> {{\n{guards}{LOAD}" in made
    assert "this.sock = this.reconnect.socket(makeWASocket, { auth: state });" in made


def test_a_socket_that_only_events_take_away_leaves_the_loop_to_the_host(tmp_path: Path) -> None:
    made = patched(tmp_path, {"bot.ts": channel(f"    if (this.sock) return;\n{LOAD}")})
    assert "setTimeout(() => this.connect(), 1000)" in made.files["bot.ts"]
    assert any("this.sock" in why for why in made.held)


def test_an_empty_constructor_is_filled_on_lines_of_its_own(tmp_path: Path) -> None:
    text = (
        channel("    const { state } = await useMultiFileAuthState(this.folder());")
        .replace(" extends EventEmitter", "")
        .replace("this.emit('qr', qr)", "this.id = qr")
        .replace("  halt() {", "  folder() {\n    return `auth-${this.id}`;\n  }\n\n  halt() {")
        .replace(
            "  async connect(",
            "  constructor(\n    private id: string,\n    readonly name: string\n  ) {}\n\n"
            "  async connect(",
        )
    )
    made = patched(tmp_path, {"bot.ts": text})
    assert (
        "  ) {\n    this.reconnect = new Reconnect({\n"
        "      authDir: () => this.folder(),\n      logger: console,\n    });\n  }\n"
    ) in made.files["bot.ts"]
