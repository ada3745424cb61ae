"""A host that ends its process under a condition of its own ends it under no other."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.quick.rewrite.harness import IMPORTS, patched


def channel(ending: str, start: str = "this.open(resolve).catch(reject);") -> str:
    return f"""\
{IMPORTS}
export class Channel {{
  private sock: any;

  constructor(private primary: boolean) {{}}

  async connect(): Promise<void> {{
    return new Promise<void>((resolve, reject) => {{
      {start}
    }});
  }}

  private async open(up?: () => void, failed?: (error: Error) => void): Promise<void> {{
    const {{ state }} = await useMultiFileAuthState('auth');
    this.sock = makeWASocket({{ auth: state }});
    this.sock.ev.on('connection.update', ({{ connection, lastDisconnect, qr }}) => {{
      if (qr) failed?.(new Error('not linked'));
      if (connection === 'close') {{
        const code = lastDisconnect?.error?.output?.statusCode;
        const again = code !== DisconnectReason.loggedOut;
        if (again) {{
          this.open(up);
        }} else {{
          {ending}
        }}
      }}
      if (connection === 'open') up?.();
    }});
  }}
}}
"""


ALWAYS = "        stopped: () => process.exit(0),\n"
ASKED = "          resolve();\n          if (this.primary) process.exit(0);\n"
NEVER = "        stopped: () => resolve(),\n"


@pytest.mark.parametrize(
    ("ending", "elsewhere"),
    [
        ("process.exit(0);", ALWAYS),
        ("if (code === 401) process.exit(0);", ALWAYS),
        ("this.gone = true;\n          if (!this.gone) process.exit(0);", ALWAYS),
        ("if (this.primary) process.exit(0);", ASKED),
        ("if (this.primary) {\n            process.exit(0);\n          }", ASKED),
        ("if (this.sock.user && alone()) process.exit(0);", NEVER),
        ("if (this.primary) this.sock = null;\n          else process.exit(0);", NEVER),
    ],
    ids=[
        "always",
        "by the code",
        "unless it stops",
        "guarded",
        "in a block",
        "not to be told",
        "the other way",
    ],
)
def test_the_process_ends_elsewhere_under_the_same_condition(
    tmp_path: Path, ending: str, elsewhere: str
) -> None:
    made = patched(tmp_path, {"bot.ts": channel(ending)}).files["bot.ts"]
    assert elsewhere in made


@pytest.mark.parametrize(
    ("start", "names"),
    [
        ("this.open(resolve).catch(reject);", "(resolve)"),
        ("this.open(resolve, reject).catch(reject);", "(resolve, reject)"),
    ],
)
def test_a_reject_that_the_connect_function_takes_stays(
    tmp_path: Path, start: str, names: str
) -> None:
    made = patched(tmp_path, {"bot.ts": channel("process.exit(0);", start)}).files["bot.ts"]
    assert f"new Promise<void>({names} => {{" in made


def test_a_method_that_gives_something_back_throws_before_there_is_a_socket(
    tmp_path: Path,
) -> None:
    """A bare ``return`` would be taken for what it gives."""
    methods = """\
  async group(): Promise<string> {
    const made = await this.sock.groupCreate('name', []);
    return made.id;
  }

  async typing(): Promise<void> {
    await this.sock.sendPresenceUpdate('composing');
  }
}
"""
    text = channel("if (this.primary) process.exit(0);").removesuffix("}\n") + "\n" + methods
    made = patched(tmp_path, {"bot.ts": text}).files["bot.ts"]
    error = "if (!this.sock) throw new Error('WhatsApp is not connected yet');"
    assert f"  async group(): Promise<string> {{\n    {error}\n" in made
    assert "  async typing(): Promise<void> {\n    if (!this.sock) return;\n" in made
