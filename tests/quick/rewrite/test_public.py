"""A connect function that other files call: they get one that dials, however it is written."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.quick.rewrite.harness import IMPORTS, patched

BODY = """\
  const { state } = await useMultiFileAuthState('auth');
  const sock = makeWASocket({ auth: state });
  sock.ev.on('connection.update', ({ connection }) => {
    if (connection === 'close') AGAIN;
  });
"""
PLAIN = BODY.replace("AGAIN", "connect(log)")


@pytest.mark.parametrize(
    ("before", "public", "inner"),
    [
        (
            f"export async function connect(log) {{\n{PLAIN}}}\n",
            "export async function connect(log) {",
            "async function openSocket(log) {",
        ),
        (
            f"export const connect = async (log) => {{\n{PLAIN}}};\n",
            "export const connect = async (log) => {",
            "const openSocket = async (log) => {",
        ),
        (
            f"const connect = async (log) => {{\n{PLAIN}}};\n\nexport {{ connect }};\n",
            "const connect = async (log) => {",
            "const openSocket = async (log) => {",
        ),
    ],
    ids=["function", "arrow", "exported later"],
)
def test_its_callers_get_one_that_dials(
    tmp_path: Path, before: str, public: str, inner: str
) -> None:
    made = patched(tmp_path, {"bot.ts": f"{IMPORTS}\n{before}"})
    text = made.files["bot.ts"]
    dial = "  await reconnect.dial(() => openSocket(log));"
    assert f"{public}\n{dial}\n" in text
    assert f"{inner}\n" in text
    assert "if (connection === 'close') reconnect.dial(() => openSocket(log));" in text
    assert made.left == ()


@pytest.mark.parametrize("private", [False, True])
def test_a_member_that_holds_an_arrow(tmp_path: Path, private: bool) -> None:
    body = BODY.replace("AGAIN", "this.connect()").replace("\n", "\n  ").rstrip()
    word = "private " if private else ""
    start = "\n  start() {\n    this.connect();\n  }\n" if private else ""
    member = f"  {word}connect = async () => {{\n  {body}\n  }};\n{start}"
    text = patched(tmp_path, {"bot.ts": f"{IMPORTS}\nexport class Bot {{\n{member}}}\n"}).files[
        "bot.ts"
    ]
    if private:
        assert "openSocket" not in text
        assert "this.reconnect.dial(() => this.connect());\n  }\n" in text
    else:
        assert "await this.reconnect.dial(() => this.openSocket());\n  };\n" in text
        assert "  private openSocket = async () => {\n" in text
