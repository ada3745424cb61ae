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
    heads = re.findall(r"^## (.+)$", text, re.M)
    assert heads == ["What was wrong", "What changes", "How to check it"]
    found = re.findall(r"^### (.+)$", text, re.M)
    assert found == sorted(set(found))
    assert set(found) <= set(rules())
    assert "16,302" in text.partition("### auth-failure-exit")[2].partition("###")[0]
    assert "- [ ] `npm run test`" in text
    assert "- [ ] `skillgen check`\n" in text
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


def test_every_figure_is_in_a_rule(checkout: Path, bot: Path) -> None:
    text = real(checkout, bot, "--dry-run").stdout.partition("## What changes")[0]
    known = " ".join(rule.page for rule in rules().values())
    figures = re.findall(r"\d{1,3}(?:,\d{3})+", text)
    assert len(figures) > 5
    assert all(figure in known for figure in figures)


def test_hand_offs_and_exit_status(skillgen: Skillgen, host: Path) -> None:
    with (host / CHANNEL).open("ab") as file:
        file.write(b"\nodd();\n")
    outcome = skillgen("apply", host, "--dry-run", "--format", "markdown")
    assert outcome.code == 1
    assert "## Left to you\n\n1 finding that a person or an agent has to settle:" in outcome.out
    assert f"- `{CHANNEL}:4` (`stacked-timers`): odd. By hand, because odd." in outcome.out
    assert "`skillgen check` accepts: even." in outcome.out
    assert "- [ ] `skillgen check` (status 1 until" in outcome.out
    assert f"| `{CHANNEL}` | +1 −1 | waits |" in outcome.out
    assert skillgen("apply", host, "--dry-run", "--exit-code", "--format", "markdown").code == 1


def test_an_error_prints_no_text(skillgen: Skillgen, host: Path) -> None:
    (host / CHANNEL).write_text("<<<<<<< ours\nconnect();\n")
    outcome = skillgen("apply", host, "--dry-run", "--format", "markdown")
    assert (outcome.code, outcome.out, outcome.err.count("\n")) == (2, "", 1)


def test_one_host_and_apply_only(skillgen: Skillgen, host: Path) -> None:
    assert skillgen("apply", host, host, "--dry-run", "--format", "markdown").code == 2
    assert skillgen("inspect", host, "--format", "markdown").code == 2


def test_text_of_the_host_is_no_markup() -> None:
    found = Finding("a`b|c.ts", 3, 1, "flat-retry", "dials <img> *now* | again", "a | b")
    change = Change("a`b|c.ts", b"-old\n", b"--new\n+more\n", 0o644, ("flat-retry",))
    plan = Plan(Path("/nowhere"), Options(), (change,), (found,))
    text = pull_request(plan, [NextStep("pm2 restart x", "restart"), NextStep(None, "act")])
    assert "- `` a`b|c.ts:3 ``: dials \\<img\\> \\*now\\* \\| again" in text
    assert "| `` a`b\\|c.ts `` | +2 −1 | a \\| b |" in text
    assert "1. `pm2 restart x`: restart\n2. act" in text
