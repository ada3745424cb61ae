"""Log lines that name a flat wait say nothing wrong once it grows."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.quick.rewrite.harness import host_text, patched


@pytest.mark.parametrize(
    ("line", "after"),
    [
        ("console.log('Reconnecting in 5 seconds...');", "console.log('Reconnecting...');"),
        ("console.log('Reconectando em 5 segundos');", "console.log('Reconectando');"),
        ("logger.info({ code }, `again in 5s`);", "logger.info({ code }, `again`);"),
        ("console.log('again after 5000 ms: ok');", "console.log('again: ok');"),
        ("console.log(`${code}, again in 5s.`);", "console.log(`${code}, again.`);"),
        (
            "logWarn(chalk.red(`closed (${code}). Again in 5s...`));",
            "logWarn(chalk.red(`closed (${code}). Again...`));",
        ),
        ("addLog('again in 5s');", "addLog('again');"),
        ("login('again in 5s');", None),
        ("console.log('5秒后重连');", ""),
        ("console.log('closed with 15 errors, in 5.5 s');", None),
        ("console.log('closed in 2 rooms');", None),
        ("console.log(`closed: ${code}, 5`);", None),
    ],
)
def test_a_line_above_a_timer(tmp_path: Path, line: str, after: str | None) -> None:
    close = f"      {line}\n      setTimeout(connect, 5000);"
    text = patched(tmp_path, {"bot.ts": host_text(close)}).files["bot.ts"]
    left = line if after is None else after
    assert f"      {left}\n      reconnect.dial(connect);\n    }}".lstrip() in text
    assert left == line or line not in text


def test_lines_of_a_test_above_it(tmp_path: Path) -> None:
    close = """\
      if (code === 515) {
        console.log('restart (515), again in 1s');
      } else {
        console.log(`closed (${code}). Again in 3s...`);
      }
      setTimeout(connect, code === 515 ? 1000 : 3000);"""
    text = patched(tmp_path, {"bot.ts": host_text(close)}).files["bot.ts"]
    assert "console.log('restart (515), again');" in text
    assert "console.log(`closed (${code}). Again...`);" in text


def test_a_line_above_something_else_is_the_host_s(tmp_path: Path) -> None:
    own = "      console.log('cleaning in 5 seconds');\n      clean();\n"
    close = f"{own}      setTimeout(connect, 5000);"
    assert own in patched(tmp_path, {"bot.ts": host_text(close)}).files["bot.ts"]
