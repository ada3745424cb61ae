"""What a person sees before anything else: the help, and a summary whatever the options are."""

from __future__ import annotations

from pathlib import Path

from skill import cli
from tests.quick.cli.conftest import Skillgen


def test_alone_it_shows_its_help(skillgen: Skillgen) -> None:
    alone, asked = skillgen(), skillgen("--help")
    assert (alone.code, alone.err) == (0, "") and alone.out == asked.out


def test_no_sentence_of_the_help_is_cut(skillgen: Skillgen) -> None:
    words = " ".join(skillgen("--help").out.split())
    assert "..." not in words.replace("[ARGS]...", "")
    for name, command in cli.main.commands.items():
        assert command.help is not None
        sentence = " ".join(command.help.split("\n\n")[0].split()).partition(". ")[0]
        assert f"{name} {sentence.removesuffix('.')}" in words


def test_quiet_keeps_the_summary(skillgen: Skillgen, host: Path) -> None:
    assert skillgen("inspect", host, "-q").out.splitlines()[-1].startswith("1 finding; 1 fixed by")
    dry = skillgen("apply", host, "--dry-run", "-q")
    assert "1 file would be changed, 1 file would be added" in dry.out.splitlines()[-1]
    assert "1 file changed, 1 file added" in skillgen("apply", host, "-q").out.splitlines()[-1]
    assert (
        skillgen("check", host, "-q").out
        == "nothing to do: src/whats app.bot.ts is right already\n"
    )


def test_a_folder_without_a_project_is_no_success(skillgen: Skillgen, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    said = skillgen("inspect", tmp_path / "empty")
    assert said.code == 2 and "no project here" in said.err
