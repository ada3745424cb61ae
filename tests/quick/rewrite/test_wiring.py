"""What the added test asserts of the files that call the module."""

from __future__ import annotations

from pathlib import Path

import pytest

from modify.baileys.codemod import examine
from skill.host import Host
from skill.options import Options
from tests import harness
from tests.quick.rewrite.harness import IMPORTS, host_text

PACKAGE = '{ "type": "module", "devDependencies": { "vitest": "1" } }'
TEST = "whatsapp-reconnect.test.js"
HELD = f"{IMPORTS}export const start = (auth) => keep(makeWASocket({{ auth }}));\n"
LOOP = host_text("      connect();")


def added_test(root: Path, files: dict[str, str]) -> str:
    """The test that a host of these files gains."""
    harness.write(root, {"package.json": PACKAGE, **files})
    return examine(Host(root), Options()).additions[TEST].content.decode()


def asserted(test: str) -> list[str]:
    """The lines of its assertions on files."""
    wired = test.partition("whatsapp wiring")[2].splitlines()
    return [line.strip() for line in wired if "counter(" in line or "expect(" in line]


def test_a_rewritten_channel(tmp_path: Path) -> None:
    assert asserted(added_test(tmp_path, {"bot.js": LOOP})) == [
        "const times = counter('bot.js');",
        "expect(times('reconnect.socket(')).toBeGreaterThan(0);",
        "expect(times('reconnect.dial(')).toBeGreaterThan(1);",
        "expect(times('makeWASocket(')).toBe(0);",
    ]


def test_a_held_dial(tmp_path: Path) -> None:
    test = added_test(tmp_path, {"bot.js": HELD})
    assert "new Reconnect(" not in test
    assert asserted(test) == [
        "const times = counter('bot.js');",
        "expect(times('reconnect.socket(')).toBeGreaterThan(0);",
        "expect(times('makeWASocket(')).toBe(0);",
    ]


def test_files_that_share_a_module(tmp_path: Path) -> None:
    """index.js, too, a name that the module's own source has."""
    test = added_test(tmp_path, {"index.js": LOOP, "more.js": HELD, "wa/other.js": HELD})
    named = [line for line in asserted(test) if "counter" in line]
    assert named == [f"const times = counter('{path}');" for path in ("index.js", "more.js",
                                                                      "wa/other.js")]  # fmt: skip
    assert "from './whatsapp-reconnect.js';" in test


def test_a_file_that_was_patched_before_stays_in_it(tmp_path: Path) -> None:
    harness.write(tmp_path, {"package.json": PACKAGE, "bot.js": LOOP})
    made = harness.patched(tmp_path, {}, codemod=examine)
    harness.write(tmp_path, made.after)
    test = added_test(tmp_path, {"more.js": HELD})
    assert [line for line in asserted(test) if "counter" in line] == [
        "const times = counter('bot.js');",
        "const times = counter('more.js');",
    ]


@pytest.mark.parametrize(
    "remark", ["// makeWASocket() is what dials", "/* makeWASocket() */", " * makeWASocket()"]
)
def test_a_remark_is_no_call(tmp_path: Path, remark: str) -> None:
    block = f"/*\n{remark}\n*/" if remark.startswith(" *") else remark
    assert "expect(times('makeWASocket(')).toBe(0);" in asserted(
        added_test(tmp_path, {"bot.js": LOOP.replace("\nconnect();", f"\n{block}\nconnect();")})
    )


def test_nothing_is_asserted_that_is_not_so(tmp_path: Path) -> None:
    """A remark behind code, which the test does not tell from code."""
    text = LOOP.replace("\nconnect();", "\nconnect(); // makeWASocket() is what dials")
    assert asserted(added_test(tmp_path, {"bot.js": text})) == [
        "const times = counter('bot.js');",
        "expect(times('reconnect.socket(')).toBeGreaterThan(0);",
        "expect(times('reconnect.dial(')).toBeGreaterThan(1);",
    ]
