"""A host that ends its process under a condition of its own ends it under no other."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.rewrite.harness import IMPORTS, patched


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


@pytest.mark.parametrize(
    ("ending", "elsewhere"),
    [
        ("process.exit(0);", True),
        ("if (code === 401) process.exit(0);", True),
        ("if (this.primary) process.exit(0);", False),
        ("if (this.primary) {\n            process.exit(0);\n          }", False),
    ],
    ids=["always", "by the code", "guarded", "guarded in a block"],
)
def test_the_process_ends_elsewhere_only_if_it_always_ends(
    tmp_path: Path, ending: str, elsewhere: bool
) -> None:
    made = patched(tmp_path, {"bot.ts": channel(ending)}).files["bot.ts"]
    assert ("stopped: () => process.exit(0)" in made) == elsewhere
    assert ("stopped: () => resolve()" in made) != elsewhere


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
