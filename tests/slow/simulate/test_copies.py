"""Before and after, as copies: what is in them, and what must not be."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from skill import transaction
from skill.host import Host
from skill.options import Options
from skill.plan import make_plan
from skill.storm.host.channels import channels_of
from skill.storm.host.copies import copies, laid_out
from tests.slow.e2e.harness import tree

CHANNEL = "src/channels/whatsapp.ts"


@pytest.fixture
def host(checkout: Path, tmp_path: Path) -> Path:
    root = tmp_path / "bot"
    leave = shutil.ignore_patterns("node_modules", "fixture.toml", ".skillgen")
    shutil.copytree(checkout / "tests/hosts/v1-class", root, ignore=leave)
    return root


def test_sides_and_an_untouched_host(host: Path) -> None:
    before = tree(host)
    with copies(Host(host), Options()) as made:
        assert made.before is not None
        assert tree(made.before) == before
        plan = make_plan(Host(host), Options())
        for change in plan.changes:
            assert (made.after / change.path).read_bytes() == change.after
        places = (made.before, made.after)
    assert tree(host) == before
    assert not any(place.exists() for place in places)


def test_no_credentials_leave_the_host(host: Path) -> None:
    for path in ("store/auth/creds.json", "store/auth/session-1.json", ".env", ".env.local"):
        (host / path).parent.mkdir(parents=True, exist_ok=True)
        (host / path).write_text("secret", "utf-8")
    with copies(Host(host), Options()) as made:
        assert made.before is not None
        for side in (made.before, made.after):
            assert "secret" not in {file.read_text("utf-8") for file in side.rglob("*.json")}
            assert not list(side.glob(".env*"))
            assert (side / CHANNEL).exists()


def test_patched_host_is_taken_back_in_the_copy(host: Path) -> None:
    unpatched = (host / CHANNEL).read_bytes()
    transaction.apply(make_plan(Host(host), Options()))
    patched = tree(host)
    with copies(Host(host), Options()) as made:
        assert made.before is not None
        assert (made.before / CHANNEL).read_bytes() == unpatched
        assert (made.after / CHANNEL).read_bytes() == patched[CHANNEL][1]
    assert tree(host) == patched
    assert transaction.applied(host) is not None


def test_fresh_clone_of_a_patched_host_has_no_before(host: Path) -> None:
    transaction.apply(make_plan(Host(host), Options()))
    shutil.rmtree(host / ".skillgen")
    with copies(Host(host), Options()) as made:
        assert made.before is None
        assert "no record" in made.why


def test_edited_beyond_a_merge_has_no_before(host: Path) -> None:
    transaction.apply(make_plan(Host(host), Options()))
    channel = host / CHANNEL
    channel.write_text(channel.read_text("utf-8").replace("reconnect", "redial"), "utf-8")
    with copies(Host(host), Options()) as made:
        assert made.before is None
        assert "edited since" in made.why


def test_skill_s_channel_runs_with_the_skill_applied(host: Path) -> None:
    asset = host / ".claude/skills/add-whatsapp/add/src/channels/whatsapp.ts"
    asset.parent.mkdir(parents=True)
    (host / CHANNEL).rename(asset)
    known = Host(host)
    [channel] = channels_of(known).run
    assert channel.path == asset.relative_to(host).as_posix()
    assert channel.ways[0].entry == CHANNEL
    with copies(known, Options()) as made:
        laid = laid_out(made.after, channel.path)
        assert (laid / CHANNEL).exists() and not (made.after / CHANNEL).exists()
        assert (laid / "src/channels/whatsapp-reconnect.ts").exists()
