"""A caller that the connect function turns away does not reach the gate, and ends no link."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.quick.rewrite.harness import IMPORTS, patched

GATE = "const attempt = await this.reconnect.turn();"


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
    ("guards", "behind"),
    [
        ("    if (this.connected) return;\n", 1),
        ("    if (this.connecting || this.connected) {\n      return;\n    }\n", 1),
        ("    if (this.stopping) return;\n    if (this.connected) return;\n", 2),
        ("    if (this.stopping) return;\n", 0),
        (
            "    if (this.sock) {\n      if (this.connected) return;\n"
            "      this.sock = null;\n    }\n",
            1,
        ),
    ],
    ids=["open", "either", "both", "stop alone", "inside another test"],
)
def test_the_gate_stands_behind_the_guards_of_the_link(
    tmp_path: Path, guards: str, behind: int
) -> None:
    made = patched(tmp_path, {"bot.ts": channel(guards + LOAD)})
    head, gate, _ = made.files["bot.ts"].partition(GATE)
    ahead = head[head.rindex("Promise<void> {") :]
    assert gate, "no gate"
    assert "useMultiFileAuthState" not in ahead, "the credentials are loaded before it"
    assert ahead.count("\n    if (") == behind


def test_a_guard_inside_a_try_block(tmp_path: Path) -> None:
    first = (
        f"    if (this.stopping) return;\n    try {{\n      if (this.connected) return;\n  {LOAD}"
    )
    text = channel(first).replace(
        "    });\n  }\n\n  halt",
        "    });\n    } catch (error) {\n      throw error;\n    }\n  }\n\n  halt",
    )
    made = patched(tmp_path, {"bot.ts": text})
    assert f"      if (this.connected) return;\n      {GATE}\n" in made.files["bot.ts"]


@pytest.mark.parametrize("ending", ["", "process.exit(1);"], ids=["out of sight", "exits"])
def test_no_gate_inside_a_try_block_that_cannot_hold_it(tmp_path: Path, ending: str) -> None:
    """Where the handler would not see the attempt, or a refusal would end the process."""
    if ending:
        first = f"    try {{\n      if (this.connected) return;\n  {LOAD}"
        text = channel(first).replace(
            "    });\n  }\n\n  halt",
            f"    }});\n    }} catch {{\n      {ending}\n    }}\n  }}\n\n  halt",
        )
    else:
        first = f"    try {{\n      if (this.connected) return;\n  {LOAD}"
        made_in = (
            "this.sock = makeWASocket({ auth: state });\n"
            "    } catch (error) {\n      throw error;\n    }"
        )
        text = channel(first, made_in)
    made = patched(tmp_path, {"bot.ts": text})
    assert f"Promise<void> {{\n    {GATE}\n    try {{" in made.files["bot.ts"]


def test_a_guard_behind_the_credentials_is_too_late(tmp_path: Path) -> None:
    made = patched(tmp_path, {"bot.ts": channel(f"{LOAD}\n    if (this.connected) return;")})
    assert f"Promise<void> {{\n    {GATE}\n    const {{ state }}" in made.files["bot.ts"]


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
