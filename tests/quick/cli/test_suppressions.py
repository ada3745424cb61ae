"""Comments by which a host's people accept a finding: ``skillgen: ignore[rule-id] reason``."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from skill.errors import SkillgenError
from skill.host import Host
from skill.suppressions import suppressions
from tests.conftest import CHECKOUT
from tests.quick.cli.conftest import Skillgen

CHANNEL, UNIT = "src/channels/whatsapp.ts", "setup/service.ts"


@pytest.fixture
def bot(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.undo()  # the real codemods
    return Path(shutil.copytree(CHECKOUT / "tests" / "hosts" / "v1-class", tmp_path / "bot"))


def comment(file: Path, place: str, text: str) -> None:
    """Put a comment at the end of the line that holds ``place``."""
    lines = file.read_text().split("\n")
    (number,) = (number for number, line in enumerate(lines) if place in line)
    lines[number] += f" {text}"
    file.write_text("\n".join(lines))


def above(file: Path, place: str, text: str) -> None:
    content = file.read_text()
    begin = content.rfind("\n", 0, content.index(place)) + 1
    file.write_text(f"{content[:begin]}{text}\n{content[begin:]}")


def test_an_exit_is_left_and_the_rest_rewritten(skillgen: Skillgen, bot: Path) -> None:
    before = skillgen("inspect", bot).out
    assert "qr-exit" in before
    comment(bot / CHANNEL, "process.exit(1)", "// skillgen: ignore[qr-exit] a test rig wants 1")
    seen = skillgen("inspect", bot)
    assert seen.code == 1 and "qr-exit" not in seen.out
    assert "1 finding is left as a comment asks: src/channels/whatsapp.ts:67" in seen.out
    assert "(accepted) qr-exit: a test rig wants 1" in skillgen("inspect", bot, "-v").out
    assert skillgen("apply", bot).code == 0
    text = (bot / CHANNEL).read_text()
    assert "process.exit(1), 1000); // skillgen: ignore[qr-exit]" in text
    assert "this.reconnect.socket(makeWASocket" in text and "this.reconnect.dial(" in text
    assert skillgen("check", bot).code == 0
    again = skillgen("apply", bot, "--dry-run", "--exit-code")
    assert again.code == 0, again.out


def test_a_loop_that_is_to_stay_is_held(skillgen: Skillgen, bot: Path) -> None:
    above(
        bot / CHANNEL,
        "this.connectInternal().catch((err) => {\n            logger.error({ err }, 'Dialling",
        "          // skillgen: ignore[flat-retry] the line below is tested elsewhere",
    )
    before = (bot / CHANNEL).read_text()
    loop = before[
        before.index("if (shouldReconnect) {") : before.index("} else {\n          logger")
    ]
    assert (
        "flat-retry at line 84 is to stay, as a comment there says" in skillgen("inspect", bot).out
    )
    assert skillgen("apply", bot).code == 1
    text = (bot / CHANNEL).read_text()
    assert loop in text, "the loop is not as it was"
    assert "reconnect.socket(makeWASocket" in text


def test_a_setting_of_one_unit(skillgen: Skillgen, bot: Path) -> None:
    unit = bot / "wa.service"
    text = "[Unit]\nDescription=x\n\n[Service]\nExecStart=/usr/bin/node dist/index.js\n{}\n"
    unit.write_text(
        text.format("# skillgen: ignore[systemd-restart-always] a watchdog\nRestart=always")
    )
    other = bot / "other.service"
    other.write_text(text.format("Restart=always"))
    said = skillgen("apply", bot)
    assert said.code == 0, said.out
    assert "Restart=always" in unit.read_text() and "StartLimitBurst=5" in unit.read_text()
    assert "Restart=on-failure" in other.read_text()
    assert skillgen("check", bot).code == 0


def test_one_that_no_finding_belongs_to_is_reported(skillgen: Skillgen, bot: Path) -> None:
    above(bot / CHANNEL, "async disconnect()", "  // skillgen: ignore[flat-retry] once was here")
    for options in ((), ("-q",)):
        out = skillgen("inspect", bot, *options).out
        assert "no finding here that ignore[flat-retry] could be about; take it out" in out


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("// skillgen: ignore[flat-rety] for now", "did you mean flat-retry"),
        ("// skillgen: ignore[flat-retry]", "say why, in the same comment"),
        ("// skillgen: ignore[] for now", "no rule is named ''"),
    ],
)
def test_a_comment_that_says_too_little(skillgen: Skillgen, bot: Path, text: str, why: str) -> None:
    before = (bot / CHANNEL).read_bytes()
    above(bot / CHANNEL, "async disconnect()", text)
    changed = (bot / CHANNEL).read_bytes()
    said = skillgen("apply", bot)
    assert said.code == 2 and why in said.err and f"{CHANNEL}:" in said.err
    assert len(said.err.splitlines()) == 1
    assert (bot / CHANNEL).read_bytes() == changed != before


def test_a_text_is_no_comment(skillgen: Skillgen, bot: Path) -> None:
    (bot / "src" / "words.ts").write_text("export const help = 'skillgen: ignore[nothing]';\n")
    said = skillgen("inspect", bot)
    assert said.code == 1 and "nothing" not in said.err


def test_a_file_that_cannot_be_read_has_none(bot: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    comment(bot / CHANNEL, "process.exit(1)", "// skillgen: ignore[qr-exit] a test rig wants 1")
    (bot / "secret.conf").write_text("key\n")
    read = Host.read

    def refuse(host: Host, path: str) -> bytes:
        if path == "secret.conf":
            raise SkillgenError("secret.conf: cannot be read (Permission denied)")
        return read(host, path)

    monkeypatch.setattr(Host, "read", refuse)
    assert [mark.path for mark in suppressions(Host(bot))] == [CHANNEL]
