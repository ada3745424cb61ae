"""What would leave a bot down that ends with 0 to be started again."""

from __future__ import annotations

from pathlib import Path

import pytest

from modify.rules import Sight, ends_clean_restarts, ids
from skill.edit import Edit
from skill.finding import Finding
from skill.host import Host
from skill.service.clean_exit import edits_of, held_back, restarts_itself
from tests.conftest import CHECKOUT
from tests.quick.rules.service_cases.harness import make_host

RESTART = "export function restart() {\n  process.exit(0);\n}\n"


def finding(rule: str) -> Finding:
    return Finding("/etc/bot", 1, 1, rule, "m", "a fix")


@pytest.mark.parametrize("rule", sorted(ends_clean_restarts()))
def test_its_setting_stays_and_is_handed_off(tmp_path: Path, rule: str) -> None:
    host = make_host(tmp_path, {"src/admin.ts": RESTART})
    [found] = held_back([finding(rule)], host)
    assert found.is_hand_off and "src/admin.ts:2" in found.reason and found.accept
    plain = make_host(tmp_path / "plain", {})
    assert held_back([finding(rule)], plain) == [finding(rule)]


def test_a_limit_does_it_no_harm(tmp_path: Path) -> None:
    host = make_host(tmp_path, {"src/admin.ts": RESTART})
    limit = finding(ids.SYSTEMD_START_LIMIT)
    assert held_back([limit], host) == [limit]


def test_its_edits_are_left_out(tmp_path: Path) -> None:
    host = make_host(tmp_path, {"src/admin.ts": RESTART})
    edits = [Edit(0, 1, b"x", rule) for rule in (ids.PM2_AUTORESTART, ids.SYSTEMD_START_LIMIT)]
    sights = [Sight(finding(edit.rule), (edit,)) for edit in edits]
    assert edits_of(sights, host) == edits[1:]


def test_an_end_of_a_session_that_is_over_is_no_restart() -> None:
    """Nor are the copies in a skill what runs."""
    assert restarts_itself(Host(CHECKOUT / "tests/hosts/v1-class")) == ""
    assert restarts_itself(Host(CHECKOUT / "tests/hosts/skill-assets")) == ""


def test_a_source_that_cannot_be_read_is_said(tmp_path: Path) -> None:
    host = Host(CHECKOUT / "tests/hosts/unparsable")
    assert restarts_itself(host).startswith("cannot tell whether the bot restarts itself")
