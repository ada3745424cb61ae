"""What a host's files hold, or are called, is data: to be refused, quoted, or written out."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from skill.errors import SkillgenError
from skill.host import Host
from skill.report.file import DESCRIPTOR
from skill.report.printer import Printer
from tests.quick.cli.conftest import Skillgen, content_of

DEEP = '{"a":' * 200_000


def saved_plan(skillgen: Skillgen, host: Path, plan: Path) -> dict[str, Any]:
    assert skillgen("apply", "--dry-run", "--save-plan", plan, host).code == 0
    return dict(json.loads(plan.read_text()))


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("start_limit", "5\nExecStart=/bin/evil"),
        ("start_limit", 10**9),
        ("start_limit", True),
        ("on_auth_failure", "evil"),
        ("add_service", "../evil"),
        ("only_skill_assets", "yes"),
        ("select", [["flat-retry"]]),
        ("select", 5),
        ("ignore", {"a": []}),
        ("unheard", 1),
    ],
)
def test_options_that_no_command_line_gives(
    skillgen: Skillgen, host: Path, tmp_path: Path, option: str, value: object
) -> None:
    """A plan that the host brings: its options end up in units."""
    plan = tmp_path / "plan.json"
    digest = saved_plan(skillgen, host, plan)
    digest["options"][option] = value
    plan.write_text(json.dumps(digest))
    before = content_of(host)
    outcome = skillgen("apply", "--plan", plan, host)
    assert (outcome.code, outcome.err.count("\n")) == (2, 1)
    assert "is no saved plan" in outcome.err
    assert content_of(host) == before


@pytest.mark.parametrize("path", [["a"], {"a": 1}, None, 5])
def test_a_plan_with_paths_that_are_none(
    skillgen: Skillgen, host: Path, tmp_path: Path, path: object
) -> None:
    plan = tmp_path / "plan.json"
    digest = saved_plan(skillgen, host, plan)
    digest["files"][0]["path"] = path
    plan.write_text(json.dumps(digest))
    outcome = skillgen("apply", "--plan", plan, host)
    assert (outcome.code, outcome.err.count("\n")) == (2, 1)
    assert "is no saved plan" in outcome.err


@pytest.mark.parametrize("text", [DEEP, "[" * 200_000, "1" * 10_000, "\ud800"])
def test_a_plan_that_no_reader_takes(
    skillgen: Skillgen, host: Path, tmp_path: Path, text: str
) -> None:
    plan = tmp_path / "plan.json"
    plan.write_text(text, errors="surrogatepass")
    outcome = skillgen("apply", "--plan", plan, host)
    assert (outcome.code, outcome.err.count("\n")) == (2, 1)
    assert "is no saved plan" in outcome.err


def test_a_plan_is_not_saved_through_a_link(skillgen: Skillgen, host: Path, tmp_path: Path) -> None:
    victim = tmp_path / "victim"
    victim.write_text("mine\n")
    for link in (host / "plan.json", host / "new.json"):
        link.symlink_to(victim if link.name == "plan.json" else tmp_path / "none")
        outcome = skillgen("apply", "--dry-run", "--save-plan", link, host)
        assert outcome.code == 2
        assert "is a link" in outcome.err
    assert victim.read_text() == "mine\n"
    assert not (tmp_path / "none").exists()
    printed = skillgen("apply", "--dry-run", "-q", "--save-plan", "/dev/stdout", host)
    assert '"after": ' in printed.out


@pytest.mark.parametrize(
    ("path", "is_the_system_s"),
    [
        ("/dev/stdout", True),
        ("/dev/fd/1", True),
        ("/proc/self/fd/3", True),
        ("/dev/shm/host/plan.json", False),
        ("/dev/fd/../shm/host/1", False),
        ("/proc/self/cwd/plan.json", False),
    ],
)
def test_links_that_are_followed(path: str, is_the_system_s: bool) -> None:
    assert (DESCRIPTOR.fullmatch(path) is not None) is is_the_system_s


@pytest.mark.parametrize(
    "content",
    [
        DEEP,
        '{"version": 1, "attempts": {}, "notBefore": ' + DEEP,
        '{"version": 1, "attempts": {}, "notBefore": Infinity, "code": 5}',
        '{"version": 1, "attempts": {}, "notBefore": 1e300}',
        '{"version": 1, "attempts": {}, "notBefore": ' + "9" * 4000 + "}",
        '{"version": 1, "attempts": {}, "notBefore": NaN}',
        '{"version": 1, "attempts": {}, "notBefore": 4e12, "code": "\\u001b[2J"}',
        '{"version": 1, "attempts": {}, "notBefore": 4e12, "code": {"a": 1}}',
        '{"version": 1, "attempts": {}, "notBefore": 0, "verdict": {"code": "\\n\\u202e"}}',
        '{"version": 1, "attempts": [], "notBefore": 0}',
        "[]",
        "",
    ],
)
def test_a_memory_file_of_any_content(skillgen: Skillgen, host: Path, content: str) -> None:
    (host / "a-reconnect.json").write_text(content)
    for command in ("status", "reset", "status"):
        outcome = skillgen(command, host)
        assert (outcome.code, outcome.err) == (0, "")
        assert "\x1b" not in outcome.out
        assert "\u202e" not in outcome.out


def test_memory_files_that_are_none(skillgen: Skillgen, host: Path, tmp_path: Path) -> None:
    valid = '{"version": 1, "attempts": {}, "notBefore": 4000000000000, "verdict": null}'
    outside = tmp_path / "outside-reconnect.json"
    outside.write_text(valid)
    (host / "link-reconnect.json").symlink_to(outside)
    (host / "folder").symlink_to(tmp_path)
    os.mkfifo(host / "pipe-reconnect.json")
    with (host / "huge-reconnect.json").open("wb") as stream:
        stream.truncate(1 << 40)
    (host / ".git").mkdir()
    (host / ".git/a-reconnect.json").write_text(valid)
    outcome = skillgen("reset", host)
    assert outcome.code == 0
    assert "no memory file here" in outcome.out
    assert outside.read_text() == (host / ".git/a-reconnect.json").read_text() == valid


@pytest.mark.parametrize("name", ["package.json", ".prettierrc", "src/package.json"])
def test_json_nested_without_end(
    skillgen: Skillgen, host: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.undo()  # the real codemods
    (host / name).write_text(DEEP)
    (host / "src/a.ts").write_text(
        "import makeWASocket from '@whiskeysockets/baileys';\nmakeWASocket({});\n"
    )
    outcome = skillgen("inspect", host)
    assert "defect" not in outcome.err
    assert outcome.code in (0, 1)


@pytest.mark.parametrize("folder", [".GIT", "a/.Git", ".git ", "git~1", ".g\u200cit", ".SKILLGEN"])
def test_what_another_file_system_takes_for_git_is_no_source(
    skillgen: Skillgen, host: Path, folder: str
) -> None:
    (host / folder).mkdir(parents=True)
    (host / folder / "x.bot.ts").write_text("connect();\n")
    assert skillgen("apply", host).code == 0
    assert (host / folder / "x.bot.ts").read_text() == "connect();\n"


@pytest.mark.parametrize("main", ["../a/index.js", "/usr/index.js", "//usr/index.js", "link/a.js"])
def test_a_build_outside_of_the_host_is_not_looked_at(
    skillgen: Skillgen, host: Path, main: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    (host / "link").symlink_to("/usr")
    (host / "package.json").write_text(json.dumps({"main": main}))
    looked: list[Path] = []
    real = Path.rglob

    def rglob(folder: Path, pattern: str) -> Any:
        looked.append(folder)
        return real(folder, pattern)

    monkeypatch.setattr(Path, "rglob", rglob)
    assert skillgen("inspect", host).code == 1
    assert looked == []


def test_a_file_that_is_swapped_or_without_end_is_not_read(host: Path) -> None:
    opened = Host(host)
    (host / "package.json").touch()
    assert "package.json" in opened.files
    with (host / "package.json").open("wb") as stream:
        stream.truncate(1 << 42)
    with pytest.raises(SkillgenError, match="too large"):
        opened.read("package.json")
    (host / "package.json").unlink()
    os.mkfifo(host / "package.json")
    with pytest.raises(SkillgenError, match="not a regular file"):
        opened.read("package.json")
    (host / "package.json").unlink()
    (host / "package.json").symlink_to("/etc/hostname")
    with pytest.raises(SkillgenError, match="cannot be read"):
        opened.read("package.json")


def test_what_acts_on_a_terminal_is_written_out(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.stdout.isatty", lambda: True, raising=False)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.delenv("NO_COLOR", raising=False)
    printer = Printer()
    hostile = "a\x1b[2J\x1b]0;t\x07\x9b1m\u202eb\x1b[8m\udc9b"
    printer.out(f"{printer.paint('ours', 'rule')} {hostile}")
    printer.say(hostile)
    out, err = capfd.readouterr()
    shown = r"a\x1b[2J\x1b]0;t\x07\x9b1m\u202eb\x1b[8m\x9b"
    assert out == f"\x1b[36mours\x1b[0m {shown}\n"
    assert err == f"skillgen: {shown}\n"
