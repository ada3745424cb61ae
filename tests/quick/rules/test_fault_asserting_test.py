"""fault-asserting-test: the host's own tests of its unit follow the unit."""

from __future__ import annotations

from pathlib import Path

import pytest

from modify.rules.units.fault_asserting_test import rule
from skill.edit import apply_edits
from skill.host import Host
from tests.quick.rules.service_cases.harness import check_noop, check_transformed, grown, look

GENERATOR = "setup/service.ts"
TEST = "setup/service.test.ts"
UNIT_BEFORE = (
    "[Unit]\nDescription=Bot\n\n[Service]\nExecStart=${node} ${root}/dist/index.js\n"
    "Restart=always\nRestartSec=5\n\n[Install]\nWantedBy=${user ? 'default' : 'multi-user'}.target"
)
UNIT_AFTER = grown(
    UNIT_BEFORE.replace("=Bot\n", "=Bot\nStartLimitIntervalSec=300\nStartLimitBurst=5\n").replace(
        "always\nRestartSec=5", "on-failure\nRestartSec=10"
    )
)
PLIST_BEFORE = (
    '<?xml version="1.0"?>\n<plist version="1.0">\n<dict>\n    <key>Label</key>\n'
    "    <string>${label}</string>\n    <key>ProgramArguments</key>\n    <array>\n"
    "        <string>${node}</string>\n        <string>${root}/dist/index.js</string>\n"
    "    </array>\n    <key>KeepAlive</key>\n    <true/>\n</dict>\n</plist>"
)
DICT = "<dict>\n        <key>SuccessfulExit</key>\n        <false/>\n    </dict>"
PLIST_AFTER = PLIST_BEFORE.replace("<true/>", DICT)
SIDE = "[Unit]\nDescription=Logs\n\n[Service]\nExecStart=/usr/sbin/logrotate\nRestart=always\n"


def generator(unit: str = UNIT_BEFORE, plist: str = PLIST_BEFORE, side: str = "") -> str:
    text = (
        f"export function makeUnit(node: string, root: string, user: boolean) {{\n"
        f"  return `{unit}`;\n}}\n\n"
        f"export function makePlist(label: string, node: string, root: string) {{\n"
        f"  return `{plist}`;\n}}\n"
    )
    return text + (f"\nexport const makeSide = () => `{side}`;\n" if side else "")


def test_file(
    body: str, copies: str = "import { makeUnit, makePlist } from './service.js';\n"
) -> str:
    return f"import {{ expect, it }} from 'vitest';\n{copies}\n{body}"


test_file.__test__ = False  # type: ignore[attr-defined]

NOOP = {
    "another setting": "it('x', () => {\n  expect(makeUnit()).toContain('Type=simple');\n});\n",
    "a negated assertion": (
        "it('x', () => {\n  expect(makeUnit()).not.toContain('Restart=always');\n});\n"
    ),
    "an assertion that already holds": (
        "it('x', () => {\n  expect(makeUnit()).toContain('Restart=on-failure');\n});\n"
    ),
    "the words in a comment": "// Restart=always\nit('x', () => expect(1).toBe(1));\n",
    "the words as data": "const words = ['Restart=always'];\nit('x', () => use(words));\n",
    "a unit of another program": (
        "const side = () => `" + SIDE + "`;\n"
        "it('x', () => {\n  expect(side()).toContain('Restart=always');\n});\n"
    ),
}


@pytest.mark.parametrize("body", NOOP.values(), ids=NOOP.keys())
def test_left_as_it_is(tmp_path: Path, body: str) -> None:
    patch = look(tmp_path, {GENERATOR: generator(), TEST: test_file(body)})
    assert TEST not in patch.edits
    assert not [finding for finding in patch.findings if finding.path == TEST]


def assertion(line: str, title: str = "restarts") -> str:
    return f"it('{title}', () => {{\n  const unit = makeUnit('n', '/r', true);\n  {line}\n}});\n"


CHANGED = {
    "toContain": (
        assertion("expect(unit).toContain('Restart=always');"),
        assertion("expect(unit).toContain('Restart=on-failure');"),
    ),
    "double quotes": (
        assertion('expect(unit).toContain("RestartSec=5");'),
        assertion('expect(unit).toContain("RestartSec=10");'),
    ),
    "a regular expression": (
        assertion("expect(unit).toMatch(/^Restart=always$/m);"),
        assertion("expect(unit).toMatch(/^Restart=on-failure$/m);"),
    ),
    "two settings in one text": (
        assertion("expect(unit).toContain('Restart=always\\nRestartSec=5');"),
        assertion("expect(unit).toContain('Restart=on-failure\\nRestartSec=10');"),
    ),
    "includes": (
        assertion("expect(unit.includes('Restart=always')).toBe(true);"),
        assertion("expect(unit.includes('Restart=on-failure')).toBe(true);"),
    ),
    "node:assert": (
        assertion("assert.match(unit, /Restart=always/);"),
        assertion("assert.match(unit, /Restart=on-failure/);"),
    ),
    "the title, too": (
        assertion("expect(unit).toContain('Restart=always');", "has Restart=always"),
        assertion("expect(unit).toContain('Restart=on-failure');", "has Restart=on-failure"),
    ),
    "KeepAlive": (
        assertion("expect(makePlist()).toContain('<key>KeepAlive</key>\\n    <true/>');"),
        assertion(
            "expect(makePlist()).toContain(\n    '<key>KeepAlive</key>\\n    "
            + DICT.replace("\n", "\\n")
            + "',\n  );"
        ),
    ),
    "KeepAlive as a regular expression": (
        assertion("expect(makePlist()).toMatch(/<key>KeepAlive<\\/key>\\s*<true\\/>/);"),
        assertion(
            "expect(makePlist()).toMatch(\n    /<key>KeepAlive<\\/key>\\s*"
            "<dict>\\s*<key>SuccessfulExit<\\/key>\\s*<false\\/>\\s*<\\/dict>/,\n  );"
        ),
    ),
}


@pytest.mark.parametrize(("before", "after"), CHANGED.values(), ids=CHANGED.keys())
def test_changed(tmp_path: Path, before: str, after: str) -> None:
    patch = check_transformed(
        tmp_path, TEST, test_file(before), test_file(after), others={GENERATOR: generator()}
    )
    assert rule.id in {finding.rule for finding in patch.findings if finding.path == TEST}
    assert (tmp_path / GENERATOR).read_text() == generator(UNIT_AFTER, PLIST_AFTER)


KEEP = "<key>KeepAlive</key>\\n    "
NEW = KEEP + DICT.replace("\n", "\\n")
WIDTHS = {
    "no trailing comma": (
        '{"trailingComma": "none"}',
        f"expect(makePlist()).toContain('{KEEP}<true/>');",
        f"expect(makePlist()).toContain(\n    '{NEW}'\n  );",
    ),
    "a wide host": (
        '{"printWidth": 160}',
        f"expect(makePlist()).toContain('{KEEP}<true/>');",
        f"expect(makePlist()).toContain('{NEW}');",
    ),
    "tabs": (
        '{"useTabs": true}',
        f"expect(makePlist()).toContain('{KEEP}<true/>')",
        f"expect(makePlist()).toContain(\n    '{NEW}',\n  )",
    ),
    "one column too many": (
        "{}",
        f"expect(makeUnit('{'n' * 28}')).toMatch(/Restart=always/);",
        f"expect(makeUnit('{'n' * 28}')).toMatch(\n    /Restart=on-failure/,\n  );",
    ),
    "it just fits": (
        "{}",
        f"expect(makeUnit('{'n' * 27}')).toMatch(/Restart=always/);",
        f"expect(makeUnit('{'n' * 27}')).toMatch(/Restart=on-failure/);",
    ),
    "too long as it was: not prettier's": (
        "{}",
        f"expect(makeUnit('{'n' * 50}')).toMatch(/Restart=always/);",
        f"expect(makeUnit('{'n' * 50}')).toMatch(/Restart=on-failure/);",
    ),
    "a line that is broken already": (
        "{}",
        f"expect(makePlist()).toContain(\n    '{KEEP}<true/>',\n  );",
        f"expect(makePlist()).toContain(\n    '{NEW}',\n  );",
    ),
    "not the last call": (
        "{}",
        f"expect(makePlist().includes('{KEEP}<true/>')).toBe(true);",
        f"expect(makePlist().includes('{NEW}')).toBe(true);",
    ),
}


@pytest.mark.parametrize(("style", "before", "after"), WIDTHS.values(), ids=WIDTHS.keys())
@pytest.mark.parametrize("line_break", ["\n", "\r\n"])
def test_line_width(tmp_path: Path, style: str, before: str, after: str, line_break: str) -> None:
    """An assertion that grows too long is broken as prettier does it (see tests/slow/e2e)."""
    others: dict[str, str | bytes] = {GENERATOR: generator(), ".prettierrc": style}
    check_transformed(
        tmp_path,
        TEST,
        test_file(assertion(before)).replace("\n", line_break),
        test_file(assertion(after)).replace("\n", line_break),
        others=others,
    )


def test_copy_of_the_unit_and_its_assertions(tmp_path: Path) -> None:
    """The shape of NanoClaw's setup/service.test.ts: a copy of the generator, and assertions."""
    body = assertion("expect(unit).toContain('Restart=always');")
    check_transformed(
        tmp_path,
        TEST,
        test_file(body, generator()),
        test_file(body.replace("always", "on-failure"), generator(UNIT_AFTER, PLIST_AFTER)),
        others={GENERATOR: generator()},
    )


def test_example(tmp_path: Path) -> None:
    before, after = rule.examples[0][1:3]
    copy = f"function generateSystemdUnit() {{\n  return `{UNIT_BEFORE}`;\n}}\n"
    check_transformed(
        tmp_path,
        TEST,
        test_file(before, copy),
        test_file(after, copy.replace(UNIT_BEFORE, UNIT_AFTER)),
        others={GENERATOR: generator()},
    )


def test_copy_with_values_filled_in(tmp_path: Path) -> None:
    filled = UNIT_BEFORE.replace("${node} ${root}", "/usr/bin/node /srv/bot")
    filled = filled.replace("${user ? 'default' : 'multi-user'}", "default")
    body = "it('is exactly', () => {\n  expect(makeUnit()).toBe(`" + filled + "`);\n});\n"
    new = filled.replace("=Bot\n", "=Bot\nStartLimitIntervalSec=300\nStartLimitBurst=5\n")
    new = grown(new.replace("always\nRestartSec=5", "on-failure\nRestartSec=10"))
    check_transformed(
        tmp_path,
        TEST,
        test_file(body),
        test_file(body.replace(filled, new)),
        others={GENERATOR: generator()},
    )


HAND_OFFS = {
    "one word": (assertion("expect(unit).toContain('always');"), "form of the assertion"),
    "a lookahead": (
        assertion("expect(unit).toMatch(/Restart\\s*=\\s*always/);"),
        "form of the assertion",
    ),
}


@pytest.mark.parametrize(("body", "reason"), HAND_OFFS.values(), ids=HAND_OFFS.keys())
def test_handed_off(tmp_path: Path, body: str, reason: str) -> None:
    text = test_file(body)
    patch = look(tmp_path, {GENERATOR: generator(), TEST: text})
    found = [finding for finding in patch.findings if finding.path == TEST]
    assert TEST not in patch.edits
    assert [finding.rule for finding in found] == [rule.id]
    assert reason in found[0].reason
    assert found[0].accept
    assert found[0].line == text[: text.index("always")].count("\n") + 1


def test_hand_off_stays_after_the_unit_is_mended(tmp_path: Path) -> None:
    """``check`` goes on finding it: the assertion fails until a person changes it."""
    text = test_file(assertion("expect(unit).toContain('always');"))
    hand_offs, _ = check_noop(tmp_path, {GENERATOR: generator(UNIT_AFTER, PLIST_AFTER), TEST: text})
    assert [finding.rule for finding in hand_offs] == [rule.id]


def test_subject_that_may_be_another_unit(tmp_path: Path) -> None:
    body = (
        "it('x', () => {\n  const text = String(write.mock.calls[0][1]);\n"
        "  expect(text).toContain('Restart=always');\n});\n"
    )
    imports = "import { makeUnit, makeSide } from './service.js';\n"
    patch = look(tmp_path, {GENERATOR: generator(side=SIDE), TEST: test_file(body, imports)})
    found = [finding for finding in patch.findings if finding.path == TEST]
    assert [finding.reason for finding in found] == ["it may mean another unit"]
    assert TEST not in patch.edits


def test_side_service_keeps_its_assertion(tmp_path: Path) -> None:
    body = "it('x', () => {\n  expect(makeSide()).toContain('Restart=always');\n});\n"
    imports = "import { makeUnit, makeSide } from './service.js';\n"
    patch = look(tmp_path, {GENERATOR: generator(side=SIDE), TEST: test_file(body, imports)})
    assert not [finding for finding in patch.findings if finding.path == TEST]


def test_snapshot_is_handed_off(tmp_path: Path) -> None:
    snapshot = "setup/__snapshots__/service.test.ts.snap"
    text = 'exports[`unit 1`] = `\n"[Service]\nRestart=always\n"\n`;\n'
    patch = look(tmp_path, {GENERATOR: generator(), snapshot: text})
    found = [finding for finding in patch.findings if finding.path == snapshot]
    assert [(finding.rule, finding.line) for finding in found] == [(rule.id, 3)]


def test_comes_along_with_one_selected_rule(tmp_path: Path) -> None:
    body = assertion("expect(unit).toContain('Restart=always');")
    selected = frozenset({"systemd-restart-always"})
    patch = look(tmp_path, {GENERATOR: generator(), TEST: test_file(body)}, select=selected)
    new = apply_edits(Host(tmp_path).read(TEST), patch.edits[TEST]).decode()
    assert "toContain('Restart=on-failure')" in new
