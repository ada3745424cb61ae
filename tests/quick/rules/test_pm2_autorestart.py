"""pm2-autorestart: no-op cases first."""

from __future__ import annotations

from pathlib import Path

import pytest

from modify.rules.units.pm2_autorestart import rule
from tests.quick.rules.service_cases.harness import check_noop, check_transformed

FILE = "ecosystem.config.cjs"


def apps(*lines: str, others: str = "") -> str:
    body = "".join(f"      {line}\n" for line in lines)
    return f"module.exports = {{\n  apps: [\n    {{\n{body}    }},\n{others}  ],\n}};\n"


NAME = "name: 'bot',"
SCRIPT = "script: './dist/index.js',"
RIGHT = ("stop_exit_codes: [0],", "exp_backoff_restart_delay: 5000,")

NOOP = {
    "right already": apps(NAME, SCRIPT, *RIGHT),
    "another pace that grows": apps(NAME, SCRIPT, RIGHT[0], "exp_backoff_restart_delay: 100"),
    "a long pause": apps(NAME, SCRIPT, "stop_exit_codes: [0, 143],", "restart_delay: 10_000,"),
    "no restart": apps(NAME, SCRIPT, "autorestart: false,"),
    "one code": apps(NAME, SCRIPT, "stop_exit_codes: 0,", "restart_delay: 5000,"),
    "another program": apps("name: 'web',", "script: 'dist/dashboard.js',"),
    "a program from elsewhere": apps("name: 'x',", "script: 'redis-server',"),
    "a comment": "// script: 'dist/index.js', name: 'bot'\nmodule.exports = {};\n",
}


@pytest.mark.parametrize("text", NOOP.values(), ids=NOOP.keys())
def test_left_as_it_is(tmp_path: Path, text: str) -> None:
    hand_offs, _ = check_noop(tmp_path, {FILE: text})
    assert not hand_offs


def test_a_script_that_is_no_ecosystem(tmp_path: Path) -> None:
    hand_offs, _ = check_noop(tmp_path, {"src/apps.ts": apps(NAME, SCRIPT)})
    assert not hand_offs


OTHER = "    { name: 'web', script: 'dist/dashboard.js' },\n"
CHANGED = {
    "plain": (apps(NAME, SCRIPT), apps(NAME, SCRIPT, *RIGHT)),
    "beside another": (apps(NAME, SCRIPT, others=OTHER), apps(NAME, SCRIPT, *RIGHT, others=OTHER)),
    "with autorestart": (
        apps(NAME, SCRIPT, "watch: false,", "autorestart: true,", "time: true,"),
        apps(NAME, SCRIPT, "watch: false,", "autorestart: true,", *RIGHT, "time: true,"),
    ),
    "a comment behind": (
        apps(NAME, SCRIPT + " // the entry", "time: true,"),
        apps(NAME, SCRIPT + " // the entry", *RIGHT, "time: true,"),
    ),
    "no comma": (
        apps(NAME, SCRIPT[:-1]),
        apps(NAME, SCRIPT, RIGHT[0], RIGHT[1][:-1]),
    ),
    "no comma, a comment behind": (
        apps(NAME, SCRIPT[:-1] + " // the entry"),
        apps(NAME, SCRIPT + " // the entry", RIGHT[0], RIGHT[1][:-1]),
    ),
    "only the pause": (
        apps(NAME, SCRIPT, "restart_delay: 1000,", RIGHT[0]),
        apps(NAME, SCRIPT, RIGHT[1], "restart_delay: 1000,", RIGHT[0]),
    ),
    "only the codes": (
        apps(NAME, SCRIPT, "restart_delay: 5000,"),
        apps(NAME, SCRIPT, RIGHT[0], "restart_delay: 5000,"),
    ),
    "other codes": (
        apps(NAME, SCRIPT, "stop_exit_codes: [143],", RIGHT[1]),
        apps(NAME, SCRIPT, "stop_exit_codes: [0, 143],", RIGHT[1]),
    ),
    "arguments in an array": (
        apps(NAME, "script: 'node',", "args: ['dist/index.js'],", "interpreter: 'none',"),
        apps(NAME, "script: 'node',", *RIGHT, "args: ['dist/index.js'],", "interpreter: 'none',"),
    ),
    "npm": (
        apps(NAME, "script: 'npm',", "args: 'run start',"),
        apps(NAME, "script: 'npm',", *RIGHT, "args: 'run start',"),
    ),
    "a joined path": (
        apps(NAME, "script: path.join(__dirname, 'dist', 'index.js'),"),
        apps(NAME, "script: path.join(__dirname, 'dist', 'index.js'),", *RIGHT),
    ),
    "on one line": (
        "module.exports = { apps: [{ name: 'bot', script: 'dist/index.js' }] };\n",
        "module.exports = { apps: [{ name: 'bot', script: 'dist/index.js', "
        "stop_exit_codes: [0], exp_backoff_restart_delay: 5000 }] };\n",
    ),
}


@pytest.mark.parametrize(("before", "after"), CHANGED.values(), ids=CHANGED.keys())
@pytest.mark.parametrize("line_break", ["\n", "\r\n"])
def test_changed(tmp_path: Path, before: str, after: str, line_break: str) -> None:
    patch = check_transformed(
        tmp_path, FILE, before.replace("\n", line_break), after.replace("\n", line_break)
    )
    assert [finding.rule for finding in patch.findings] == [rule.id]


def test_json(tmp_path: Path) -> None:
    before = (
        '{\n  "apps": [\n    {\n      "name": "bot",\n'
        '      "script": "dist/index.js"\n    }\n  ]\n}\n'
    )
    after = before.replace(
        'index.js"',
        'index.js",\n      "stop_exit_codes": [0],\n      "exp_backoff_restart_delay": 5000',
    )
    check_transformed(tmp_path, "ecosystem.json", before, after)


HAND_OFFS = {
    "computed codes": (apps(NAME, SCRIPT, "stop_exit_codes: codes,"), "computed"),
    "a computed script": (apps(NAME, "script: entry,"), "cannot tell"),
}


@pytest.mark.parametrize(("text", "reason"), HAND_OFFS.values(), ids=HAND_OFFS.keys())
def test_handed_off(tmp_path: Path, text: str, reason: str) -> None:
    hand_offs, _ = check_noop(tmp_path, {FILE: text})
    assert [finding.rule for finding in hand_offs] == [rule.id]
    assert reason in hand_offs[0].reason
