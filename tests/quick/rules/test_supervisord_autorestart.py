"""supervisord-autorestart: no-op cases first."""

from __future__ import annotations

import configparser
from pathlib import Path

import pytest

from modify.rules.units.supervisord_autorestart import rule
from tests.quick.rules.service_cases.harness import check_noop, check_transformed

FILE = "deploy/supervisord.conf"


def program(settings: str, command: str = "node dist/index.js") -> str:
    return (
        "[supervisord]\nnodaemon=true\n\n[program:bot]\n"
        f"command={command}\ndirectory=/opt/bot\n{settings}\n"
        "[program:redis]\ncommand=redis-server\nautorestart=true\n"
    )


NOOP = {
    "unexpected": program("autorestart=unexpected\n"),
    "false": program("autorestart=false\n"),
    "the default": program(""),
    "a clean exit among others": program("autorestart=unexpected\nexitcodes=0, 2\n"),
    "computed codes": program("exitcodes=%(ENV_CODES)s\n"),
    "never again, whatever the codes": program("autorestart=false\nexitcodes=2\n"),
    "a comment": program("; autorestart=true\n#autorestart=true\n"),
    "another program": program("autorestart=true\n", "/usr/bin/node dist/dashboard.js"),
    "a continued value": program("environment=A=1,\n autorestart=true\n"),
}


@pytest.mark.parametrize("text", NOOP.values(), ids=NOOP.keys())
def test_left_as_it_is(tmp_path: Path, text: str) -> None:
    hand_offs, _ = check_noop(tmp_path, {FILE: text})
    assert not hand_offs


CHANGED = {
    "plain": ("autorestart=true\n", "autorestart=unexpected\nexitcodes=0\nstartsecs=0\n"),
    "blanks and a comment": (
        "autorestart = true ; forever\n",
        "autorestart = unexpected ; forever\nexitcodes = 0\nstartsecs = 0\n",
    ),
    "settings that are there": (
        "startsecs=10\nautorestart=true\nexitcodes=1,2\n",
        "startsecs=0\nautorestart=unexpected\nexitcodes=0\n",
    ),
}


@pytest.mark.parametrize(("before", "after"), CHANGED.values(), ids=CHANGED.keys())
@pytest.mark.parametrize("path", [FILE, "supervisor/bot.conf", "etc/supervisor.d/bot.ini"])
def test_changed(tmp_path: Path, before: str, after: str, path: str) -> None:
    patch = check_transformed(tmp_path, path, program(before), program(after))
    assert [finding.rule for finding in patch.findings] == [rule.id]
    parser = configparser.RawConfigParser(inline_comment_prefixes=(";",))
    parser.read_string(program(after))
    assert dict(parser["program:bot"]) == {
        "command": "node dist/index.js",
        "directory": "/opt/bot",
        "autorestart": "unexpected",
        "exitcodes": "0",
        "startsecs": "0",
    }


@pytest.mark.parametrize("policy", ["", "autorestart=unexpected\n"])
def test_a_clean_exit_that_is_not_expected(tmp_path: Path, policy: str) -> None:
    before, after = f"{policy}exitcodes=2,3 ; ours\n", f"{policy}exitcodes=0,2,3 ; ours\n"
    patch = check_transformed(tmp_path, FILE, program(before), program(after))
    assert [finding.rule for finding in patch.findings] == [rule.id]


def test_crlf(tmp_path: Path) -> None:
    before, after = (text.replace("\n", "\r\n") for text in rule.examples[0][1:3])
    check_transformed(tmp_path, FILE, before, after)


def test_a_program_that_is_not_known(tmp_path: Path) -> None:
    hand_offs, _ = check_noop(tmp_path, {FILE: program("autorestart=true\n", "$BOT run")})
    assert [finding.rule for finding in hand_offs] == [rule.id]
    assert "cannot tell" in hand_offs[0].reason
