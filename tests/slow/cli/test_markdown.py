"""``apply --format markdown``: the text of a pull request, with nothing of this machine in it."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from skill.finding import Finding
from skill.options import Options
from skill.plan import Change, Plan
from skill.report.markdown import pull_request
from skill.report.next_steps import NextStep
from skill.rulebook import rules
from tests.quick.cli.conftest import Skillgen, content_of

CHANNEL = "src/whats app.bot.ts"


def real(checkout: Path, host: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """The whole program, without the small codemod of this folder."""
    program = [sys.executable, "-I", str(checkout / "skill/__main__.py"), "apply", str(host)]
    return subprocess.run(
        [*program, "--format", "markdown", *arguments], capture_output=True, text=True, check=False
    )


@pytest.fixture
def bot(checkout: Path, tmp_path: Path) -> Path:
    return shutil.copytree(checkout / "tests/hosts/v1-class", tmp_path / "secret place")


def test_the_text_for_a_real_host(checkout: Path, bot: Path) -> None:
    before = content_of(bot)
    done = real(checkout, bot, "--dry-run")
    assert (done.returncode, done.stderr) == (0, "")
    assert content_of(bot) == before
    text = done.stdout
    assert text.startswith("# Keep the bot from hammering WhatsApp\n\n")
    assert len(text.splitlines()) <= 40
    heads = re.findall(r"^\*\*(.+?)\*\*", text, re.M)
    assert heads == ["To know", "To check"]
    bullets = re.findall(r"^- \*\*(.+?)\*\*", text, re.M)
    assert bullets[0] == "Attempts wait for their turn" and bullets[-1] == "The service"
    assert "Until now: a closed connection is reconnected at once." in text
    assert "a process that ends there has status 0" in text and "no alert fires" in text
    assert "- [ ] `npm run build`, `npm run test`, `skillgen check`\n" in text
    for path in ("src/channels/whatsapp.ts", "setup/service.ts", "launchd/com.heron.plist"):
        assert re.search(rf"^\| `{path}` \| \+\d+ −\d+ \| \S.* \|$", text, re.M), path
    assert "secret place" not in text
    assert str(bot.parent) not in text
    assert str(Path.home()) not in text


def test_applying_prints_the_same_text(checkout: Path, bot: Path) -> None:
    dry = real(checkout, bot, "--dry-run").stdout
    assert real(checkout, bot).stdout == dry
    again = real(checkout, bot)
    assert (again.returncode, again.stdout.startswith("nothing to do: ")) == (0, True)


def test_it_speaks_of_the_host_alone(checkout: Path, bot: Path) -> None:
    """Neither of other libraries, nor of rules and functions that a maintainer has not met."""
    text = real(checkout, bot, "--dry-run").stdout
    words = text.partition("| file |")[0]
    assert not [name for name in rules() if name in words]
    assert not re.search(r"OpenWA|NanoClaw|pull request|dial\(\)|turn\(\)", text)


def test_a_channel_that_is_held_promises_no_more(tmp_path: Path) -> None:
    fix = "each attempt waits for its turn: at most 20 in any hour, across restarts"
    rows = [("qr-exit", "exit 1"), ("channel-gives-up", "given up"), ("ungated-connect", "no gate")]
    found = tuple(Finding("bot.js", 3, 1, rule, message, fix) for rule, message in rows)
    change = Change("bot.js", b"a\n", b"b\n", 0o644, ("ungated-connect",))
    text = pull_request(Plan(tmp_path, Options(), (change,), found), [])
    assert re.findall(r"^- \*\*(.+?)\*\*", text, re.M) == [
        "Attempts wait for their turn",
        "Once WhatsApp has ended the session",
    ]
    assert "status 0" not in text.partition("To check")[0]


def test_hand_offs_and_exit_status(skillgen: Skillgen, host: Path) -> None:
    with (host / CHANNEL).open("ab") as file:
        file.write(b"\nodd();\n")
    outcome = skillgen("apply", host, "--dry-run", "--format", "markdown")
    assert outcome.code == 1
    assert "**Left to you**: 1 finding to settle by hand\n" in outcome.out
    assert f"- `{CHANNEL}:4` (`stacked-timers`): odd. By hand: odd." in outcome.out
    assert "`skillgen check` accepts: even." in outcome.out
    assert "- [ ] `skillgen check`; status 1 until" in outcome.out
    assert f"| `{CHANNEL}` | +1 −1 | attempts to connect wait for their turn |" in outcome.out
    assert skillgen("apply", host, "--dry-run", "--exit-code", "--format", "markdown").code == 1


def test_an_error_prints_no_text(skillgen: Skillgen, host: Path) -> None:
    (host / CHANNEL).write_text("<<<<<<< ours\nconnect();\n")
    outcome = skillgen("apply", host, "--dry-run", "--format", "markdown")
    assert (outcome.code, outcome.out, outcome.err.count("\n")) == (2, "", 1)


def test_one_host_and_apply_only(skillgen: Skillgen, host: Path) -> None:
    assert skillgen("apply", host, host, "--dry-run", "--format", "markdown").code == 2
    assert skillgen("inspect", host, "--format", "markdown").code == 2


def test_text_of_the_host_is_no_markup() -> None:
    found = Finding("a`b|c.ts", 3, 1, "systemd-start-limit", "<img> *now* | again", "a | b")
    left = Finding("a`b|c.ts", 3, 1, "flat-retry", "dials <img> *now* | again", None, "a | b")
    change = Change("a`b|c.ts", b"-old\n", b"--new\n+more\n", 0o644, ("flat-retry",))
    plan = Plan(Path("/nowhere"), Options(), (change,), (found, left))
    text = pull_request(plan, [NextStep("pm2 restart x", "restart"), NextStep(None, "act")])
    assert "- `` a`b|c.ts:3 `` (`flat-retry`): dials \\<img\\> \\*now\\* \\| again" in text
    assert "| `` a`b\\|c.ts `` | +2 −1 | a \\| b |" in text
    assert "where the bot runs: `pm2 restart x`; act." in text
