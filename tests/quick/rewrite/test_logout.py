"""A close branch that logs the bot out: a person says whether a fault may cost the link."""

from __future__ import annotations

from pathlib import Path

from tests.quick.rewrite.harness import host_text, patched

CHAIN = """\
      if (code === DisconnectReason.badSession) {
        sock.logout();
      } else if (code === DisconnectReason.loggedOut) {
        sock.logout();
      } else {
        connect();
      }"""


def test_on_a_fault_it_is_handed_off(tmp_path: Path) -> None:
    made = patched(tmp_path, {"bot.ts": host_text(CHAIN)})
    text = made.files["bot.ts"]
    assert "reconnect.dial(connect);" in text
    assert text.count("sock.logout();") == 2
    assert [finding.rule for finding in made.left] == ["channel-gives-up"]
    [left] = made.left
    assert "logout()" in left.message
    assert host_text(CHAIN).splitlines()[left.line - 1].strip() == "sock.logout();"


def test_when_the_session_is_over_it_is_not(tmp_path: Path) -> None:
    chain = CHAIN.replace("sock.logout();", "connect();", 1)
    assert patched(tmp_path, {"bot.ts": host_text(chain)}).left == ()


HELPER = """\
function onClosed(sock, code) {
  switch (code) {
    case DisconnectReason.badSession:
      sock.logout();
      break;
    case DisconnectReason.loggedOut:
      sock.logout();
      break;
    default:
      console.log('once more');
      flush();
      connect();
  }
}
"""


def test_in_a_function_that_the_close_branch_calls(tmp_path: Path) -> None:
    text = host_text("      onClosed(sock, code);", head=HELPER)
    [left] = patched(tmp_path, {"bot.ts": text}).left
    assert "logout()" in left.message
    assert text.splitlines()[left.line - 2].strip() == "case DisconnectReason.badSession:"
