"""A host's test that wants exit 1 on a QR code, however it mocks process.exit."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.quick.rewrite.harness import IMPORTS, patched

CHANNEL = f"""\
{IMPORTS}
export async function connect() {{
  const {{ state }} = await useMultiFileAuthState('auth');
  const sock = makeWASocket({{ auth: state }});
  sock.ev.on('connection.update', (update) => {{
    const {{ connection, lastDisconnect, qr }} = update;
    if (qr) setTimeout(() => process.exit(1), 1000);
    if (connection === 'close') {{
      const code = lastDisconnect?.error?.output?.statusCode;
      if (code !== DisconnectReason.loggedOut) connect();
      else process.exit(0);
    }}
  }});
}}

connect();
"""
SPY = "vi.spyOn(process, 'exit').mockReturnValue(undefined as never)"
MOCKS = {
    "in the test": ("", f"const exit = {SPY};"),
    "a function": (f"function mockExit() {{\n  return {SPY};\n}}\n", "const exit = mockExit();"),
    "an arrow": (f"const mockExit = () => {SPY};\n", "const exit = mockExit();"),
}
CASE = """\
%s
it('ends with 1', () => {
  %s
  bus.emit('connection.update', { qr: '2@x' });
  expect(exit).toHaveBeenCalledWith(1);
});
"""


@pytest.mark.parametrize(("helper", "mock"), MOCKS.values(), ids=MOCKS)
def test_wants_exit_0_afterwards(tmp_path: Path, helper: str, mock: str) -> None:
    head = "import { connect } from './whatsapp.js';\n"
    text = head + CASE % (helper, mock)
    made = patched(tmp_path, {"src/whatsapp.ts": CHANNEL, "src/whatsapp.test.ts": text})
    wanted = text.replace("CalledWith(1)", "CalledWith(0)")
    assert made.files["src/whatsapp.test.ts"] == wanted


def test_another_mock_stays(tmp_path: Path) -> None:
    helper = "function mockCode() {\n  return vi.fn();\n}\n"
    text = "import { connect } from './whatsapp.js';\n" + CASE % (
        helper,
        "const exit = mockCode();",
    )
    made = patched(tmp_path, {"src/whatsapp.ts": CHANNEL, "src/whatsapp.test.ts": text})
    assert made.files["src/whatsapp.test.ts"] == text
