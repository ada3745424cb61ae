"""systemd-start-limit: no-op cases first."""

from __future__ import annotations

from pathlib import Path

import pytest

from modify.rules.units.systemd_start_limit import rule
from skill.edit import apply_edits
from skill.host import Host
from tests.quick.rules.service_cases.harness import (
    NODE_START,
    RESTARTS_WELL,
    SOUND,
    UNIT,
    check_noop,
    check_transformed,
    grown,
    look,
    parse_unit,
    unit,
    verify_with_systemd,
)

NOOP = {
    "the policy's own limit": unit(),
    "another limit that trips": unit(limit="StartLimitIntervalSec=15min\nStartLimitBurst=10\n"),
    "burst by default": unit(limit="StartLimitIntervalSec=120\n"),
    "an interval without an end": unit(limit="StartLimitIntervalSec=infinity\nStartLimitBurst=3\n"),
    "no restart, no limit": unit("", ""),
    "Restart=no": unit("Restart=no\n", ""),
    "on-abort": unit("Restart=on-abort\n", ""),
    "oneshot": unit("Type=oneshot\nRestart=on-failure\n", ""),
    "a pause without an end": unit("Restart=on-failure\nRestartSec=infinity\n", ""),
    "a foreign program": unit("Restart=always\n", "", "ExecStart=/usr/bin/redis-server"),
    "a timer": "[Unit]\nDescription=Backup\n[Timer]\nOnCalendar=daily\n"
    "[Install]\nWantedBy=timers.target\n",
}


@pytest.mark.parametrize("text", NOOP.values(), ids=NOOP.keys())
def test_left_as_it_is(tmp_path: Path, text: str) -> None:
    hand_offs, _ = check_noop(tmp_path, {UNIT: text})
    assert not hand_offs


WELL = RESTARTS_WELL
CHANGED = {
    "no limit": (unit(WELL, ""), unit(WELL, SOUND)),
    "only the limit, an explicit pause stays": (
        unit("Restart=on-failure\nRestartSec=5\n", ""),
        unit("Restart=on-failure\nRestartSec=5\n", SOUND),
    ),
    "a pause where there is none": (
        unit("Restart=on-failure\n", ""),
        unit("Restart=on-failure\nRestartSec=10\n", SOUND),
    ),
    "in [Service], the policy's values": (unit(WELL + SOUND, ""), unit(WELL, SOUND)),
    "in [Service], own values that trip": (
        unit(WELL + "StartLimitBurst=3\nStartLimitIntervalSec=10min\n", ""),
        grown(unit(WELL, "StartLimitIntervalSec=10min\nStartLimitBurst=3\n")).replace("s=4", "s=1"),
    ),
    "in [Service], first of the section": (
        unit(WELL, "", SOUND + NODE_START),
        unit(WELL, SOUND),
    ),
    "the legacy name in [Service]": (
        unit("StartLimitInterval=300\nStartLimitBurst=5\n" + WELL, ""),
        unit(WELL, SOUND),
    ),
    "the legacy name in [Unit]": (
        unit(limit="StartLimitInterval=300\nStartLimitBurst=5\n"),
        unit(),
    ),
    "an action moves along": (
        unit(WELL + "StartLimitInterval=300\nStartLimitBurst=5\nStartLimitAction=reboot\n", ""),
        unit(WELL, SOUND + "StartLimitAction=reboot\n"),
    ),
    "switched off": (unit(limit="StartLimitIntervalSec=0\n"), unit()),
    "switched off in [Service]": (unit(WELL + "StartLimitIntervalSec=0\n", ""), unit()),
    "switched off by the burst": (
        unit(limit="StartLimitIntervalSec=300\nStartLimitBurst=0\n"),
        unit(),
    ),
    "outlasted by the pauses": (
        unit(limit="StartLimitIntervalSec=60\nStartLimitBurst=10\n"),
        unit(),
    ),
    "a burst with the default interval": (
        unit(limit="StartLimitBurst=4\n"),
        grown(unit(limit="StartLimitBurst=4\nStartLimitIntervalSec=300\n")).replace("s=4", "s=3"),
    ),
    "twice in [Unit]": (
        unit(limit="StartLimitIntervalSec=0\nStartLimitIntervalSec=300\nStartLimitBurst=5\n"),
        unit(),
    ),
    "in both sections": (unit(WELL + SOUND), unit()),
    "a long pause needs a longer interval": (
        unit("Restart=on-failure\nRestartSec=2min\n", ""),
        unit(
            "Restart=on-failure\nRestartSec=2min\n",
            "StartLimitIntervalSec=800\nStartLimitBurst=5\n",
        ),
    ),
    "no [Unit] section": (
        f"# how to install\n\n[Service]\n{NODE_START}\n{WELL}",
        f"# how to install\n\n[Unit]\n{SOUND}\n[Service]\n{NODE_START}\n{WELL}",
    ),
    "[Unit] behind [Service]": (
        f"[Service]\n{NODE_START}\n{WELL}\n[Unit]\nDescription=Bot\n",
        f"[Service]\n{NODE_START}\n{WELL}\n[Unit]\nDescription=Bot\n{SOUND}",
    ),
    "an empty [Unit]": (
        f"[Unit]\n[Service]\n{NODE_START}\n{WELL}",
        f"[Unit]\n{SOUND}[Service]\n{NODE_START}\n{WELL}",
    ),
    "behind a continued line": (
        unit(WELL, "After=a.target \\\n      b.target\n"),
        unit(WELL, "After=a.target \\\n      b.target\n" + SOUND),
    ),
    "behind the end of the file": (
        f"[Unit]\nDescription=Bot\n[Service]\n{NODE_START}\n{WELL}{SOUND}".rstrip("\n"),
        f"[Unit]\nDescription=Bot\n{SOUND}[Service]\n{NODE_START}\n{grown(WELL)}".rstrip("\n"),
    ),
}


@pytest.mark.parametrize(("before", "after"), CHANGED.values(), ids=CHANGED.keys())
def test_changed(tmp_path: Path, before: str, after: str) -> None:
    if "RestartSteps" not in after:
        after = grown(after)
    patch = check_transformed(tmp_path, UNIT, before, after)
    assert [finding.rule for finding in patch.findings] == [rule.id]
    sections = parse_unit(after)
    assert "StartLimitIntervalSec" in sections["Unit"]
    assert not any(key.startswith("StartLimit") for key in sections["Service"])


@pytest.mark.system
@pytest.mark.parametrize(("_before", "after"), CHANGED.values(), ids=CHANGED.keys())
def test_systemd_accepts(tmp_path: Path, _before: str, after: str) -> None:
    verify_with_systemd(tmp_path, after)


@pytest.mark.system
def test_systemd_rejects_the_limit_in_service(tmp_path: Path) -> None:
    """The check bites: the lines where pull request 746 put them are not accepted."""
    with pytest.raises(AssertionError, match="Unknown key"):
        verify_with_systemd(tmp_path, unit(WELL + SOUND, ""))


def test_with_the_restart_rule(tmp_path: Path) -> None:
    patch = check_transformed(
        tmp_path,
        UNIT,
        unit("Restart=always\n" + SOUND, ""),
        grown(unit("Restart=on-failure\nRestartSec=10\n", SOUND)),
    )
    assert sorted(finding.rule for finding in patch.findings) == [
        "systemd-restart-always",
        "systemd-start-limit",
    ]


def test_limit_stays_when_always_is_mended(tmp_path: Path) -> None:
    before = unit("Restart=always\nRestartSec=10\n")
    check_transformed(tmp_path, UNIT, before, grown(unit(RESTARTS_WELL)))


@pytest.mark.parametrize(("starts", "interval"), [(3, 300), (8, 300), (40, 800)])
def test_start_limit_option(tmp_path: Path, starts: int, interval: int) -> None:
    patch = look(tmp_path, {UNIT: unit(WELL, "")}, start_limit=starts)
    result = apply_edits(Host(tmp_path).read(UNIT), patch.edits[UNIT]).decode()
    assert parse_unit(result)["Unit"]["StartLimitBurst"] == [str(starts)]
    assert parse_unit(result)["Unit"]["StartLimitIntervalSec"] == [str(interval)]
    assert starts * 10 < interval


def test_crlf(tmp_path: Path) -> None:
    before, after = unit(WELL + SOUND, ""), grown(unit(WELL, SOUND))
    check_transformed(tmp_path, UNIT, before.replace("\n", "\r\n"), after.replace("\n", "\r\n"))


def test_computed_limit_is_handed_off(tmp_path: Path) -> None:
    hand_offs, _ = check_noop(
        tmp_path, {"deploy/bot.service.in": unit(limit="StartLimitIntervalSec=@LIMIT@\n")}
    )
    assert [finding.rule for finding in hand_offs] == [rule.id]


def test_drop_in_inherits_the_limit_of_its_unit(tmp_path: Path) -> None:
    drop_in = "[Service]\nRestart=on-failure\nRestartSec=10\n"
    hand_offs, _ = check_noop(tmp_path, {UNIT: unit(), "deploy/bot.service.d/a.conf": drop_in})
    assert not hand_offs
