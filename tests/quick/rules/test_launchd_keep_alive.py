"""launchd-keep-alive: no-op cases first."""

from __future__ import annotations

from pathlib import Path

import pytest

from modify.rules.units.launchd_keep_alive import rule
from tests.quick.rules.service_cases.harness import (
    KEEP_ALIVE_RIGHT,
    PLIST,
    check_noop,
    check_transformed,
    parse_plist,
    plist,
)

TRUE = "    <key>KeepAlive</key>\n    <true/>\n"
NESTED = (
    "    <key>EnvironmentVariables</key>\n    <dict>\n"
    "        <key>KeepAlive</key>\n        <string>true</string>\n    </dict>\n"
)

NOOP = {
    "right already": plist(KEEP_ALIVE_RIGHT),
    "right with launchd's own pause": plist(
        KEEP_ALIVE_RIGHT + "    <key>ThrottleInterval</key>\n    <integer>10</integer>\n"
    ),
    "false": plist("    <key>KeepAlive</key>\n    <false/>\n"),
    "absent": plist("    <key>RunAtLoad</key>\n    <true/>\n"),
    "false with a short pause": plist(
        "    <key>KeepAlive</key>\n    <false/>\n"
        "    <key>ThrottleInterval</key>\n    <integer>5</integer>\n"
    ),
    "in a comment": plist("    <!-- <key>KeepAlive</key><true/> -->\n"),
    "in another dictionary": plist(NESTED),
    "another entry of the host": plist(TRUE, "/opt/bot/dist/dashboard.js"),
    "a foreign program": plist(TRUE, "x").replace("/usr/bin/node", "/opt/homebrew/bin/ollama"),
    "no job at all": plist("").replace("ProgramArguments", "CFBundleName"),
}


@pytest.mark.parametrize("text", NOOP.values(), ids=NOOP.keys())
def test_left_as_it_is(tmp_path: Path, text: str) -> None:
    hand_offs, _ = check_noop(tmp_path, {PLIST: text})
    assert not hand_offs


def keep(value: str) -> str:
    return f"    <key>KeepAlive</key>\n    {value}\n"


CHANGED = {
    "true": (TRUE, KEEP_ALIVE_RIGHT),
    "true, spelled out": (keep("<true></true>"), KEEP_ALIVE_RIGHT),
    "a dictionary": (
        keep("<dict>\n        <key>NetworkState</key>\n        <true/>\n    </dict>"),
        KEEP_ALIVE_RIGHT,
    ),
    "more keys beside the right one": (
        keep(
            "<dict>\n        <key>SuccessfulExit</key>\n        <false/>\n"
            "        <key>Crashed</key>\n        <true/>\n    </dict>"
        ),
        KEEP_ALIVE_RIGHT,
    ),
    "the wrong way round": (
        keep("<dict>\n        <key>SuccessfulExit</key>\n        <true/>\n    </dict>"),
        KEEP_ALIVE_RIGHT,
    ),
    "an empty dictionary": (keep("<dict/>"), KEEP_ALIVE_RIGHT),
    "a path that must exist": (
        keep("<dict><key>PathState</key><dict><key>/tmp/x</key><true/></dict></dict>"),
        KEEP_ALIVE_RIGHT,
    ),
    "key and value in one line": (
        "    <key>KeepAlive</key><true/>\n",
        "    <key>KeepAlive</key><dict><key>SuccessfulExit</key><false/></dict>\n",
    ),
    "a comment between": (
        "    <key>KeepAlive</key>\n    <!-- why -->\n    <true/>\n",
        KEEP_ALIVE_RIGHT.replace("    <dict>", "    <!-- why -->\n    <dict>", 1),
    ),
    "a comment in the value": (
        keep(
            "<dict>\n        <!-- why -->\n        <key>Crashed</key>\n        <true/>\n    </dict>"
        ),
        KEEP_ALIVE_RIGHT.replace("    <dict>\n", "    <dict>\n        <!-- why -->\n"),
    ),
    "nested keys stay": (NESTED + TRUE, NESTED + KEEP_ALIVE_RIGHT),
    "a short pause": (
        TRUE + "    <key>ThrottleInterval</key>\n    <integer>5</integer>\n",
        KEEP_ALIVE_RIGHT + "    <key>ThrottleInterval</key>\n    <integer>10</integer>\n",
    ),
    "only the pause is wrong": (
        KEEP_ALIVE_RIGHT + "    <key>ThrottleInterval</key>\n    <integer>1</integer>\n",
        KEEP_ALIVE_RIGHT + "    <key>ThrottleInterval</key>\n    <integer>10</integer>\n",
    ),
    "a longer pause stays": (
        TRUE + "    <key>ThrottleInterval</key>\n    <integer>60</integer>\n",
        KEEP_ALIVE_RIGHT + "    <key>ThrottleInterval</key>\n    <integer>60</integer>\n",
    ),
}


@pytest.mark.parametrize(("before", "after"), CHANGED.values(), ids=CHANGED.keys())
def test_changed(tmp_path: Path, before: str, after: str) -> None:
    patch = check_transformed(tmp_path, PLIST, plist(before), plist(after))
    assert {finding.rule for finding in patch.findings} == {rule.id}
    was, now = parse_plist(plist(before)), parse_plist(plist(after))
    assert now.pop("KeepAlive") == {"SuccessfulExit": False}
    assert now.pop("ThrottleInterval", 10) >= 10
    for key in ("KeepAlive", "ThrottleInterval"):
        was.pop(key, None)
    assert now == was, "no other key changes"


STYLES = {
    "tabs": lambda text: text.replace("    ", "\t"),
    "two blanks": lambda text: text.replace("    ", "  "),
    "crlf": lambda text: text.replace("\n", "\r\n"),
    "indented within plist": lambda text: text.replace("\n", "\n  "),
}


@pytest.mark.parametrize("style", STYLES.values(), ids=STYLES.keys())
def test_in_the_style_of_the_file(tmp_path: Path, style) -> None:  # type: ignore[no-untyped-def]
    check_transformed(tmp_path, PLIST, style(plist(TRUE)), style(plist(KEEP_ALIVE_RIGHT)))


@pytest.mark.parametrize(
    "program",
    ["{{PROJECT_ROOT}}/dist/index.js", "${projectRoot}/dist/index.js", "/a b/dist/index.js"],
)
def test_placeholders(tmp_path: Path, program: str) -> None:
    check_transformed(tmp_path, PLIST, plist(TRUE, program), plist(KEEP_ALIVE_RIGHT, program))


HAND_OFFS = {
    "no XML": (plist(TRUE).replace("com.bot", "<USER>"), "as a property list"),
    "an entity declared": (
        plist(TRUE).replace("<plist", '<!DOCTYPE plist [<!ENTITY a "b">]>\n<plist', 1),
        "as a property list",
    ),
    "a computed program": (
        plist(TRUE).replace("/usr/bin/node", "{{RUNNER}}"),
        "{{RUNNER}} is computed",
    ),
}


@pytest.mark.parametrize(("text", "reason"), HAND_OFFS.values(), ids=HAND_OFFS.keys())
def test_handed_off(tmp_path: Path, text: str, reason: str) -> None:
    hand_offs, _ = check_noop(tmp_path, {PLIST: text})
    assert [finding.rule for finding in hand_offs] == [rule.id]
    assert reason in hand_offs[0].reason


def test_binary_property_list_is_left(tmp_path: Path) -> None:
    hand_offs, _ = check_noop(tmp_path, {PLIST: b"bplist00\xd1\x01\x02YKeepAlive\t"})
    assert not hand_offs
