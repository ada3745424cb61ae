"""``install`` in a NanoClaw fork: a patch skill in its own form, taken back byte for byte."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest
from skills_ref import validate

from modify.nanoclaw.directives import destination, directives
from skill.commands import install
from skill.commands.install import LAUNCHER, PAGE
from tests.quick.install.conftest import Skillgen, content_of
from tests.quick.install.nanoclaw import (
    ADDING,
    BARREL,
    CHANNEL,
    FIXTURE,
    MODULE,
    PAGES,
    PROSE,
    TEST,
    fork,
)

FOLDER = ".claude/skills/add-whatsapp-reconnect"
LINE = "import './whatsapp-reconnect.js';"
NAMES = (f"add/{MODULE}", f"add/{TEST}", "channel.patch", "apply.sh", "REMOVE.md", "SKILL.md")
FILES = [f"{FOLDER}/{name}" for name in NAMES]


@pytest.fixture
def patched(skillgen: Skillgen, tmp_path: Path) -> Path:
    host = fork(tmp_path)
    assert skillgen("apply", host).code == 0
    return host


def test_what_it_lays(skillgen: Skillgen, patched: Path) -> None:
    outcome = skillgen("install", patched)
    assert outcome.code == 0
    assert outcome.out.splitlines() == [
        *(f"added {path}" for path in (PAGE, LAUNCHER, *FILES)),
        f"changed {BARREL}",
    ]
    assert validate(patched / FOLDER) == []
    for path in (MODULE, TEST):
        assert (patched / FOLDER / "add" / path).read_bytes() == (patched / path).read_bytes()
    assert skillgen("install", patched).out == "nothing to do: it is there\n"
    assert skillgen("status", patched).code == 0
    assert skillgen("check", patched).code == 0


def test_its_steps_are_those_of_the_host_s_own_form(skillgen: Skillgen, patched: Path) -> None:
    skillgen("install", patched)
    steps = directives((patched / FOLDER / "SKILL.md").read_text())
    kinds = [(step.kind, step.attributes.get("effect")) for step in steps]
    assert kinds == [("copy", None), ("append", None), ("run", "refresh"), ("run", "build"),
                     ("run", "test")]  # fmt: skip
    copy, append, refresh, build, test = steps
    assert [destination(line) for line in copy.body] == [MODULE, TEST]
    for line in copy.body:
        assert (patched / FOLDER / line.partition(" -> ")[0]).is_file()
    assert (append.attributes["to"], append.body) == (BARREL, (LINE,))
    assert (patched / BARREL).read_text().endswith(f"import './mailbox.js';\n{LINE}\n")
    assert refresh.body == (f"sh {FOLDER}/apply.sh",)
    assert build.body == ("npm run build",)
    assert test.body == (f"npx vitest run {TEST}",)


def test_its_prose_names_no_engine(skillgen: Skillgen, patched: Path) -> None:
    skillgen("install", patched)
    page = re.sub(r"```nc:.*?\n```\n", "", (patched / FOLDER / "SKILL.md").read_text(), flags=re.S)
    assert "nc:" not in page
    for told in (f"`{FOLDER}/channel.patch`", f"`{BARREL}`", f"`{MODULE}`", LAUNCHER):
        assert told in page


@pytest.mark.parametrize("undo", [("install", "--remove"), ("revert",)])
@pytest.mark.parametrize("end", [b"\n", b""])
def test_it_is_taken_back(
    skillgen: Skillgen, tmp_path: Path, undo: tuple[str, ...], end: bytes
) -> None:
    host = fork(tmp_path)
    (host / BARREL).write_bytes((host / BARREL).read_bytes().rstrip() + end)
    before = content_of(host)
    assert skillgen("apply", host).code == 0
    applied = {path: held for path, held in content_of(host).items() if ".skillgen" not in path}
    skillgen("install", host)
    assert skillgen(*undo, host).code == 0
    after = content_of(host)
    if undo == ("revert",):
        assert after == before
    else:
        assert {path: held for path, held in after.items() if ".skillgen" not in path} == applied
        assert skillgen("revert", host).code == 0
        assert content_of(host) == before


def test_another_channel_that_was_added_since_stays(skillgen: Skillgen, patched: Path) -> None:
    skillgen("install", patched)
    before = (patched / BARREL).read_text()
    (patched / BARREL).write_text(f"{before}import './pigeon.js';\n")
    assert skillgen("install", "--remove", patched).code == 0
    expected = before.replace(f"{LINE}\n", "") + "import './pigeon.js';\n"
    assert (patched / BARREL).read_text() == expected
    assert not (patched / FOLDER).exists()


def test_a_fresh_clone_has_no_record(skillgen: Skillgen, patched: Path) -> None:
    before = {path: held for path, held in content_of(patched).items() if ".skillgen" not in path}
    skillgen("install", patched)
    patch = (patched / FOLDER / "channel.patch").read_bytes()
    shutil.rmtree(patched / ".skillgen")
    assert skillgen("install", patched).out == "nothing to do: it is there\n"
    assert (patched / FOLDER / "channel.patch").read_bytes() == patch
    assert skillgen("install", "--remove", patched).code == 0
    assert content_of(patched) == before


def test_without_a_record_skillgen_itself_patches_again(skillgen: Skillgen, patched: Path) -> None:
    shutil.rmtree(patched / ".skillgen")
    assert skillgen("install", patched).code == 0
    assert not (patched / FOLDER / "channel.patch").exists()
    names = ("SKILL.md", "REMOVE.md", "apply.sh")
    texts = [(patched / FOLDER / name).read_text() for name in names]
    assert not [text for text in texts if "git apply" in text]
    assert f"\nskillgen={LAUNCHER}\n" in texts[2]


def test_a_later_version_brings_its_own(
    skillgen: Skillgen, patched: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as old:
        old.setattr(install, "__version__", "0.0.9")
        skillgen("install", patched)
    outcome = skillgen("install", patched)
    assert f"changed {FOLDER}/SKILL.md\n" in outcome.out
    assert "0.0.9" not in (patched / FOLDER / "SKILL.md").read_text()


def test_an_edited_page_is_kept(skillgen: Skillgen, patched: Path) -> None:
    skillgen("install", patched)
    page = patched / FOLDER / "SKILL.md"
    page.write_text(page.read_text() + "\nOurs.\n")
    assert skillgen("install", "--remove", patched).code == 1
    assert page.exists()


@pytest.mark.parametrize(
    ("adding", "why"),
    [
        (PROSE, "its updates do not apply skills"),
        (PAGES[ADDING].replace(CHANNEL, "src/channels/pigeon.ts"), "another channel"),
        (PAGES[ADDING].replace("./whatsapp.js", "./pigeon.js"), "another import"),
        (PAGES[ADDING].replace("nc:append", "nc:add"), "no import"),
        (PAGES[ADDING].replace(f"to:{BARREL}", "to:../outside/index.ts"), "out of the host"),
        ("```nc:copy from-branch:channels\n" + "```nc:\n" * 3, "an odd page"),
    ],
)
def test_a_host_of_another_model_gets_none(
    skillgen: Skillgen, tmp_path: Path, adding: str, why: str
) -> None:
    host = fork(tmp_path, adding)
    skillgen("apply", host)
    assert skillgen("install", host).out == f"added {PAGE}\nadded {LAUNCHER}\n", why


def test_an_unpatched_channel_gets_none(skillgen: Skillgen, tmp_path: Path) -> None:
    assert skillgen("install", fork(tmp_path)).out == f"added {PAGE}\nadded {LAUNCHER}\n"


def test_a_path_that_a_shell_would_run_gets_none(skillgen: Skillgen, tmp_path: Path) -> None:
    odd = "src/channels/$(touch x).ts"
    host = fork(tmp_path, PAGES[ADDING].replace(CHANNEL, odd))
    (host / CHANNEL).rename(host / odd)
    skillgen("apply", host)
    assert skillgen("install", host).out == f"added {PAGE}\nadded {LAUNCHER}\n"


def test_a_skill_of_that_name_that_is_not_ours(skillgen: Skillgen, patched: Path) -> None:
    (patched / FOLDER).mkdir()
    (patched / FOLDER / "SKILL.md").write_text("mine\n")
    before = content_of(patched)
    assert skillgen("install", patched).code == 2
    assert content_of(patched) == before


def test_apply_says_what_keeps_the_patch(skillgen: Skillgen, tmp_path: Path) -> None:
    host = fork(tmp_path)
    out = skillgen("apply", host).out
    assert f"  skillgen install  # /update-nanoclaw copies {CHANNEL} anew; this lays a skill" in out
    assert "skillgen install" not in skillgen("revert", host).out
    skillgen("apply", host)
    skillgen("install", host)
    (host / CHANNEL).write_bytes((FIXTURE / CHANNEL).read_bytes())
    assert "anew; this brings the skill along that patches it again" in skillgen("apply", host).out


def test_apply_says_what_puts_the_channel_back(skillgen: Skillgen, tmp_path: Path) -> None:
    host = fork(tmp_path, PROSE)
    told = f"  # /add-whatsapp puts {CHANNEL} back as it was; after that: skillgen apply\n"
    assert told in skillgen("apply", host).out
    base = host / ".nanoclaw/base" / CHANNEL
    base.parent.mkdir(parents=True)
    skillgen("revert", host)
    shutil.copy(host / CHANNEL, base)
    assert f"skills engine, with each skill it applies or removes, puts {CHANNEL} back" in (
        skillgen("apply", host).out
    )
