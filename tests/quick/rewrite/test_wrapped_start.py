"""A connect function that other files call: what they get dials, whatever its form."""

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
HELPER = """
let tries = 0;

function retry() {
  tries += 1;
  setTimeout(() => {
    start().catch(() => retry());
  }, 1000 * 2 ** tries);
}
"""
FUNCTION = f"{IMPORTS}\nexport async function start() {{\n{BODY}}}\n"
ARROW = f"{IMPORTS}\nexport const start = async () => {{\n{BODY}}};\n"
WRAPPED_FUNCTION = """\
export async function start() {
  await reconnect.dial(openSocket);
}

async function openSocket() {
"""
WRAPPED_ARROW = """\
export const start = async () => {
  await reconnect.dial(openSocket);
};

const openSocket = async () => {
"""


@pytest.mark.parametrize(
    ("text", "wrapped"),
    [
        (FUNCTION.replace("AGAIN", "start()"), WRAPPED_FUNCTION),
        (ARROW.replace("AGAIN", "start()"), WRAPPED_ARROW),
        (FUNCTION.replace("AGAIN", "retry()") + HELPER, WRAPPED_FUNCTION),
        (ARROW.replace("AGAIN", "retry()") + HELPER, WRAPPED_ARROW),
    ],
    ids=["function", "arrow", "function with a helper", "arrow with a helper"],
)
def test_dials(tmp_path: Path, text: str, wrapped: str) -> None:
    made = patched(tmp_path, {"src/bot.ts": text})
    assert wrapped in made.files["src/bot.ts"]
    assert "if (connection === 'close') reconnect.dial(openSocket);" in made.files["src/bot.ts"]
    assert "retry" not in made.files["src/bot.ts"]
    assert made.left == ()


def test_an_arrow_that_a_closure_hands_out(tmp_path: Path) -> None:
    arrow = ARROW.replace("export ", "").replace("AGAIN", "start()").removeprefix(IMPORTS)
    text = f"{IMPORTS}\nexport function createBot() {{\n{arrow}\n  return {{ start }};\n}}\n"
    made = patched(tmp_path, {"src/bot.ts": text})
    assert "await reconnect.dial(openSocket);" in made.files["src/bot.ts"]
    assert "return { start };" in made.files["src/bot.ts"]


AFTER = "\nexport function answer() {\n  return 42;\n}\n"


@pytest.mark.parametrize("after", ["", AFTER], ids=["at the end", "before other code"])
def test_what_the_loop_leaves_goes_with_one_blank_line(tmp_path: Path, after: str) -> None:
    text = FUNCTION.replace("AGAIN", "retry()") + HELPER + after
    made = patched(tmp_path, {"src/bot.ts": text}).files["src/bot.ts"]
    assert made.endswith("  });\n}\n" + after)
