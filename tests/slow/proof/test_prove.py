"""``skillgen apply --prove`` as a user meets it, and what it does with a patch that fails."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from skill import cli, transaction
from skill.host import Host
from skill.options import Options
from skill.plan import Plan, make_plan
from skill.proof import prove as proving
from skill.proof.prove import changes_units, prove
from skill.proof.spread import BAILEYS
from skill.proof.verdict import Proven
from skill.storm import fence
from skill.storm.host import tools
from tests.slow.e2e.harness import tree
from tests.slow.proof.mutants import MUTANTS, Mutant, root_of

Apply = Callable[..., dict[str, Any]]


@pytest.fixture(autouse=True)
def own_cache(
    tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch, node_tools: Path
) -> Path:
    """Where proofs are remembered while a test runs."""
    folder = tmp_path_factory.mktemp("cache")
    monkeypatch.setenv("XDG_CACHE_HOME", str(folder))
    monkeypatch.setattr(tools, "CHECKOUT_TOOLS", node_tools)
    return folder


def copied(name: str, target: Path) -> Path:
    leave = shutil.ignore_patterns("node_modules", "fixture.toml", ".skillgen")
    shutil.copytree(root_of(name), target, ignore=leave)
    return target


@pytest.fixture
def host(tmp_path: Path) -> Path:
    return copied("v1-class", tmp_path / "host")


@pytest.fixture
def briefly(monkeypatch: pytest.MonkeyPatch) -> None:
    """Three scenarios instead of twelve, where it is not the proof that is asked about."""
    monkeypatch.setattr(proving, "SPREAD", frozenset(("healthy", "refused", "revoked")))


@pytest.fixture
def apply(capfd: pytest.CaptureFixture[str]) -> Apply:
    """The host's part of the JSON of ``apply --prove``."""

    def call(root: Path, *words: str) -> dict[str, Any]:
        cli.run(["apply", "--prove", "--format", "json", str(root), *words])
        row: dict[str, Any] = json.loads(capfd.readouterr().out)["hosts"][0]
        return row

    return call


def test_it_says_what_it_proved(host: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert cli.run(["apply", "--prove", str(host)]) == 0
    out, err = capfd.readouterr()
    number = len(BAILEYS)
    assert f"src/channels/whatsapp.ts:38 rewritten, proven in {number} scenarios by new" in out
    assert f"settled, proven in {number} scenarios\n" in out
    assert "runs the bot's own code" in err
    assert transaction.applied(host) is not None


def test_without_it_the_summary_says_how(host: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert cli.run(["apply", "--dry-run", str(host)]) == 0
    assert "; not proven (--prove runs the patched bot through storms first)\n" in (
        capfd.readouterr().out
    )


@pytest.mark.usefixtures("briefly")
def test_a_dry_run_writes_nothing(host: Path, apply: Apply) -> None:
    before = tree(host)
    row = apply(host, "--dry-run")
    assert row["proof"]["holds"] and not row["written"]
    assert tree(host) == before


def test_the_pull_request_has_a_table(host: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert cli.run(["apply", "--prove", "--dry-run", "--format", "markdown", str(host)]) == 0
    text = capfd.readouterr().out
    assert "**Proven** on the bot's own code" in text and len(text.splitlines()) <= 40
    assert "| session revoked (401) | more than 100 | 1 |" in text


@pytest.mark.usefixtures("briefly")
def test_what_was_proven_is_remembered_for_these_bytes(host: Path, apply: Apply) -> None:
    assert not apply(host, "--dry-run")["proof"]["remembered"]
    again = apply(host, "--dry-run")
    assert again["proof"]["remembered"] and again["proof"]["holds"]
    (host / "src/config.ts").write_text((host / "src/config.ts").read_text() + "\n// more\n")
    assert not apply(host, "--dry-run")["proof"]["remembered"]


@pytest.mark.usefixtures("briefly")
def test_a_memory_that_is_not_the_user_s_own_proves_nothing(
    host: Path, apply: Apply, own_cache: Path
) -> None:
    apply(host, "--dry-run")
    (file,) = (own_cache / "skillgen" / "proofs").iterdir()
    file.write_text(file.read_text().replace("more than 100", "1"))
    assert not apply(host, "--dry-run")["proof"]["remembered"]


def test_what_cannot_be_run_is_not_written(
    host: Path, apply: Apply, capfd: pytest.CaptureFixture[str]
) -> None:
    channel = host / "src/channels/whatsapp.ts"
    channel.write_text("process.exit(0);\n" + channel.read_text())
    before = tree(host)
    row = apply(host)
    assert row["exit"] == 2 and not row["written"]
    assert row["error"].startswith("src/channels/whatsapp.ts: not proven: ")
    assert row["error"].endswith(f"nothing was written (unproven: skillgen apply {host})")
    assert tree(host) == before
    assert cli.run(["apply", str(host)]) == 0
    assert "not proven" in capfd.readouterr().out


def mutant(name: str) -> Mutant:
    return next(one for one in MUTANTS if one.id == name)


def proven(root: Path, wrong: Plan, node_tools: Path) -> Proven:
    return prove(Host(root), wrong, node_tools=lambda: ("node", node_tools), fence=fence.find())


def test_a_rewrite_that_fails_is_held_and_proven_again(host: Path, node_tools: Path) -> None:
    right = make_plan(Host(host), Options())
    wrong = mutant("v1-class: no redial").plan(host, right)
    found = proven(host, wrong, node_tools)
    assert [(one.change, one.verdict) for one in found.proofs] == [("held", "proven")]
    first, second = found.failed
    assert (first.change, first.scenario) == ("rewritten", "refused")
    assert first.trace[0] == "0.0 s start" and "0.0 s attempt" in first.trace
    reason = "patched, it failed its proof: no attempt after the fault's end"
    assert [note.kind for note in found.plan.notes if reason in note.message] == ["held"]
    # Held, it ends with status 1 while it is offline: a start limit would be its end.
    assert (second.change, second.scenario) == ("held", "offline-hour")
    assert not changes_units(found.plan)
    left = [one.rule for one in found.plan.hand_offs if "failed its proof" in (one.reason or "")]
    assert "systemd-start-limit" in left


@pytest.mark.usefixtures("briefly")
def test_a_hold_that_fails_is_left_to_the_guard(
    tmp_path: Path, node_tools: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = copied("session-map", tmp_path / "host")
    wrong = mutant("session-map: no wait between attempts").plan(
        root, make_plan(Host(root), Options())
    )
    found = proven(root, wrong, node_tools)
    assert [(one.change, one.scenario) for one in found.failed] == [("held", "refused")]
    assert found.plan.changes == () and found.proofs[0].change == "unchanged"
    for finding in found.plan.hand_offs:
        assert (finding.reason or "").startswith("patched, it failed its proof: 2001 attempts")
        assert "skillgen guard" in (finding.accept or "")
    assert found.plan.hand_offs


def test_a_python_channel_that_fails_is_handed_off(tmp_path: Path, node_tools: Path) -> None:
    root = copied("s1-link", tmp_path / "host")
    right = make_plan(Host(root), Options())
    found = proven(root, mutant("s1-link: no wait at all").plan(root, right), node_tools)
    assert [one.scenario for one in found.failed] == ["bridge-refuses"]
    assert not [one for one in found.plan.changes if one.path.endswith("whatsapp.py")]
    assert any("failed its proof" in (one.reason or "") for one in found.plan.hand_offs)


@pytest.mark.usefixtures("briefly")
def test_a_saved_plan_keeps_what_failed(
    host: Path, apply: Apply, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its options say what is not to be made, so that the very plan can be applied later."""
    wrong = mutant("v1-class: no redial")

    def make(opened: Host, options: Options) -> Plan:
        plan = make_plan(opened, options)
        return plan if options.not_rewritten else wrong.plan(host, plan)

    monkeypatch.setattr("skill.commands.hosts.make_plan", make)
    assert proving.make_plan is make_plan
    saved = tmp_path / "plan.json"
    row = apply(host, "--dry-run", "--save-plan", str(saved))
    assert row["proof"]["failed"] and row["proof"]["holds"]
    monkeypatch.undo()
    assert cli.run(["apply", "--plan", str(saved), str(host)]) in (0, 1)
    assert b"reconnect.socket(" in (host / "src/channels/whatsapp.ts").read_bytes()


def test_nothing_to_change_needs_no_proof(tmp_path: Path, node_tools: Path) -> None:
    root = copied("pairing-script", tmp_path / "host")
    plan = replace(make_plan(Host(root), Options()), changes=())
    assert proven(root, plan, node_tools).holds
