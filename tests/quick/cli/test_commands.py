"""What the commands do, and their exit status (design: the command line)."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from tests.quick.cli.conftest import ADDED, Skillgen, content_of

CHANNEL = "src/whats app.bot.ts"


def test_inspect_lists_and_writes_nothing(skillgen: Skillgen, host: Path) -> None:
    before = content_of(host)
    outcome = skillgen("inspect", host)
    assert outcome.code == 1
    assert f"{CHANNEL}:2:1 flat-retry dials at once\n    fix: waits\n" in outcome.out
    assert content_of(host) == before
    assert not (host / ".skillgen").exists()


def test_the_life_of_a_host(skillgen: Skillgen, host: Path) -> None:
    before = content_of(host)
    assert skillgen("apply", host).code == 0
    patched = content_of(host)
    assert patched[CHANNEL][0] == "// ünï\r\n\tturn(); connect();\r\n// end".encode()
    assert patched[CHANNEL][1] == before[CHANNEL][1]
    assert patched["src/added.ts"][0] == ADDED
    assert skillgen("check", host).code == 0
    second = skillgen("apply", host)
    assert second.code == 0
    assert "nothing to do" in second.out
    assert content_of(host) == patched
    assert skillgen("status", host).code == 0
    assert skillgen("revert", host).code == 0
    assert content_of(host) == before
    assert not (host / ".skillgen").exists()
    again = skillgen("revert", host)
    assert (again.code, again.out) == (0, "nothing to take back\n")


def test_dry_run_exit_code(skillgen: Skillgen, host: Path) -> None:
    assert skillgen("apply", "--dry-run", "--exit-code", host).code == 1
    assert skillgen("apply", "--exit-code", host).code == 2


def test_hand_offs_say_what_to_do(skillgen: Skillgen, host: Path) -> None:
    (host / "src/b.bot.ts").write_text("odd();\n")
    assert skillgen("apply", "--dry-run", host).code == 1
    outcome = skillgen("apply", host)
    assert outcome.code == 1
    assert "src/b.bot.ts:1:1 stacked-timers odd\n    by hand: odd\n" in outcome.out
    assert "check accepts: even" in outcome.out
    assert b"turn()" in (host / CHANNEL).read_bytes(), "what can be done is done"
    assert skillgen("check", host).code == 1


def test_several_hosts_worst_status_wins(skillgen: Skillgen, host: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.mkdir()
    (other / "package.json").write_text("{}\n")
    outcome = skillgen("apply", tmp_path / "none", host, other)
    assert outcome.code == 1, "2 would say that nothing was written"
    assert "no such folder" in outcome.err
    assert b"turn()" in (host / CHANNEL).read_bytes(), "the others are done all the same"
    assert skillgen("apply", tmp_path / "none", host, other).code == 2
    assert skillgen("inspect", host, other).code == 0


def test_saved_plan(skillgen: Skillgen, host: Path, tmp_path: Path) -> None:
    plan = tmp_path / "plan.json"
    assert skillgen("apply", "--dry-run", "--save-plan", plan, host).code == 0
    saved = json.loads(plan.read_text())
    assert [row["path"] for row in saved["files"]] == ["src/added.ts", CHANNEL]
    assert saved["files"][1]["rules"] == ["flat-retry"]
    assert len(saved["files"][1]["before"]) == len(saved["files"][1]["after"]) == 64
    assert "connect" not in plan.read_text(), "no contents"
    before = content_of(host)

    (host / CHANNEL).write_bytes(before[CHANNEL][0] + b"\nconnect();")
    changed = content_of(host)
    refused = skillgen("apply", "--plan", plan, host)
    assert refused.code == 2
    assert refused.err.startswith(f"skillgen: {CHANNEL}: changed since the plan was saved")
    assert content_of(host) == changed

    (host / CHANNEL).write_bytes(before[CHANNEL][0])
    assert skillgen("apply", "--plan", plan, host).code == 0
    assert b"turn()" in (host / CHANNEL).read_bytes()


@pytest.mark.parametrize("text", ["", "[]", '{"format": 9}', '{"format": 1}', "\xff"])
def test_a_file_that_is_no_plan(skillgen: Skillgen, host: Path, tmp_path: Path, text: str) -> None:
    plan = tmp_path / "plan.json"
    plan.write_text(text, encoding="latin-1")
    outcome = skillgen("apply", "--plan", plan, host)
    assert outcome.code == 2
    assert outcome.err.count("\n") == 1
    assert not (host / ".skillgen").exists()


def test_json_of_a_failure(skillgen: Skillgen, tmp_path: Path) -> None:
    outcome = skillgen("inspect", "--format", "json", tmp_path / "none")
    assert outcome.code == 2
    [row] = json.loads(outcome.out)["hosts"]
    assert "no such folder" in row["error"]


def test_status_sees_drift(skillgen: Skillgen, host: Path) -> None:
    skillgen("apply", host)
    (host / CHANNEL).write_text("turn(); connect(); // mine\n")
    (host / "src/added.ts").unlink()
    status = skillgen("status", host)
    assert status.code == 1
    assert f"changed since: {CHANNEL}" in status.out
    assert "missing since: src/added.ts" in status.out


def test_next_commands(skillgen: Skillgen, host: Path) -> None:
    (host / "package.json").write_text(json.dumps({"scripts": {"build": "tsc", "test": "vitest"}}))
    (host / "pnpm-lock.yaml").write_text("")
    (host / "bot.service").write_text("[Install]\nWantedBy=default.target\n")
    (host / "dist").mkdir()
    (host / "dist/index.js").write_text("")
    outcome = skillgen("apply", host)
    assert "  pnpm run build  #" in outcome.out
    assert "  pnpm run test  #" in outcome.out
    assert "systemctl --user restart bot" in outcome.out
    assert "dist/ is older than the source" in outcome.err


def memory(**content: object) -> str:
    base = {"version": 1, "attempts": {"a": 1}, "level": 4, "notBefore": 0, "verdict": None}
    return json.dumps({**base, **content})


def test_reset_clears_waits_and_verdicts(skillgen: Skillgen, host: Path) -> None:
    store = host / "store"
    store.mkdir()
    stopped, waiting = store / "auth-reconnect.json", store / "two-reconnect.json"
    stopped.write_text(memory(verdict={"code": "401", "at": 5}, identity="me"))
    waiting.write_text(memory(notBefore=4e12, code="408"))
    other = store / "other-reconnect.json"
    other.write_text('{"version": 7}')
    status = skillgen("status", host)
    assert "store/auth-reconnect.json: stopped by 401" in status.out
    assert "store/two-reconnect.json: next attempt not before" in status.out
    outcome = skillgen("reset", host)
    assert outcome.code == 0
    for file in (stopped, waiting):
        now = json.loads(file.read_text())
        assert now["verdict"] is None
        assert now["notBefore"] == now["level"] == 0
        assert now["attempts"] == {"a": 1}, "the budget of the hour stays"
        assert now["cleared"] > 1e12
    assert json.loads(stopped.read_text())["identity"] == "me"
    assert other.read_text() == '{"version": 7}'
    assert "nothing to clear" in skillgen("reset", host).out


def test_rules_are_listed_and_explained(skillgen: Skillgen) -> None:
    listed = skillgen("rule")
    assert listed.code == 0
    assert "systemd-restart-always" in listed.out
    page = skillgen("rule", "systemd-restart-always")
    assert "Why it is bad" in page.out
    assert "Before, systemd:" in page.out


def test_unknown_rule_names_the_close_ones(skillgen: Skillgen, host: Path) -> None:
    for arguments in (
        ("rule", "systemd-restart"),
        ("inspect", "--select", "systemd-restart", host),
    ):
        outcome = skillgen(*arguments)
        assert outcome.code == 2
        assert "did you mean systemd-restart-always" in outcome.err


def test_demo_patches_a_copy(skillgen: Skillgen, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()  # the real codemods
    outcome = skillgen("demo")
    assert outcome.code == 0
    assert "+++ b/setup/service.ts" in outcome.out
    lines = outcome.out.splitlines()
    assert len(lines) <= 120, "more than two screens"
    assert any(
        re.fullmatch(r"\+ src/channels/whatsapp-reconnect.ts, \d+ lines .*", x) for x in lines
    )
    assert lines.index("and 11 more; 21 findings, 0 by hand") == lines.index("") + 11
    root = Path(outcome.out.rpartition("skillgen revert ")[2].strip())
    assert "Restart=on-failure" in (root / "setup/service.ts").read_text()
    assert skillgen("revert", root).code == 0
    assert "Restart=always" in (root / "setup/service.ts").read_text()
