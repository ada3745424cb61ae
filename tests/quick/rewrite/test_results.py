"""A connect function whose socket its callers use: ``dial`` never takes its place there."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.quick.rewrite.harness import host_text, patched

RETURNS = "  return sock;\n"


@pytest.mark.parametrize(
    "start",
    [
        "const sock = await connect();\nsock.sendMessage('a', {});",
        "connect().then((sock) => sock.sendMessage('a', {}));",
        "export const started = connect();",
        "(await connect()).sendMessage('a', {});",
        "keep(await connect());",
    ],
)
def test_a_start_that_uses_the_socket_stays(tmp_path: Path, start: str) -> None:
    close = "      if (code !== 401) connect();"
    made = patched(tmp_path, {"bot.ts": host_text(close, RETURNS, start)})
    assert start in made.files["bot.ts"]
    assert "if (!reconnect.terminal) reconnect.dial(connect);" in made.files["bot.ts"]
    assert made.reasons == {"what it returns is used here"}
    assert [finding.contained for finding in made.left] == [True]


@pytest.mark.parametrize(
    "start",
    [
        "connect();",
        "await connect();",
        "void connect();",
        "connect().then(() => {});",
        "bus.on('lost', () => connect());",
        "setTimeout(() => connect(), 9);",
    ],
)
def test_a_start_that_does_not_is_dialled(tmp_path: Path, start: str) -> None:
    close = "      if (code !== 401) connect();"
    made = patched(tmp_path, {"bot.ts": host_text(close, RETURNS, start)})
    assert made.files["bot.ts"].endswith(
        start.replace("connect()", "reconnect.dial(connect)") + "\n"
    )
    assert made.left == ()


def test_an_assignment_is_tried_again_as_a_whole(tmp_path: Path) -> None:
    close = "      if (code !== 401) {\n        current = await connect();\n      }"
    made = patched(tmp_path, {"bot.ts": host_text(close, RETURNS, head="let current;\n")})
    assert """\
        reconnect.dial(async () => {
          current = await connect();
        });
""" in made.files["bot.ts"]
    assert made.left == ()


def test_a_channel_with_any_other_use_in_the_close_branch_is_held(tmp_path: Path) -> None:
    close = "      if (code !== 401) connect().then((next) => use(next));"
    made = patched(tmp_path, {"bot.ts": host_text(close, RETURNS)})
    assert (made.held, made.left) == (("the close branch uses what connect() returns",), ())
    assert close in made.files["bot.ts"]
