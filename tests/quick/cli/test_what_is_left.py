"""What status and revert say of what is still built, installed, gone or waited for."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from tests.quick.cli.conftest import Skillgen

NOW = 1_800_000_000_000
MEMORY = {"version": 1, "attempts": {}, "notBefore": 0}


def remember(host: Path, **more: object) -> None:
    (host / "store").mkdir(exist_ok=True)
    text = json.dumps({**MEMORY, **more})
    (host / "store/auth-reconnect.json").write_text(text)


@pytest.mark.parametrize("code", ["401", "411", "logout", "qr", "unlinked"])
def test_a_link_that_is_gone_wants_no_reset(skillgen: Skillgen, host: Path, code: str) -> None:
    """A reset would spend a login on a dead session; a new link clears the verdict."""
    remember(host, verdict={"code": code, "identity": "x", "at": NOW})
    said = skillgen("status", host).out
    assert f"stopped by {code} (" in said
    assert ("no reset is needed" in said) is (code != "411")
    assert ("skillgen reset" in said) is (code == "411")


def test_a_block_is_lifted_on_the_phone_and_then_reset(skillgen: Skillgen, host: Path) -> None:
    remember(host, verdict={"code": "403", "identity": "x", "at": NOW})
    said = skillgen("status", host).out
    assert "look at WhatsApp on the phone first" in said
    assert f"clear it with: skillgen reset '{host}'" in said


def built(host: Path) -> None:
    package = {"name": "bot", "main": "dist/index.js", "scripts": {"build": "tsc"}}
    (host / "package.json").write_text(json.dumps(package))
    (host / "dist").mkdir()
    (host / "dist/index.js").write_text("connect();\n")
    os.utime(host / "dist/index.js", (1_000_000_000, 1_000_000_000))


@pytest.mark.parametrize("command", ["status", "check"])
def test_a_stale_build_is_said(skillgen: Skillgen, host: Path, command: str) -> None:
    built(host)
    skillgen("apply", host)
    assert "dist/ is older than the source: build" in skillgen(command, host).err


@pytest.mark.parametrize("name", ["vitest.config.mts", "src/types.d.ts", "src/line.spec.ts"])
def test_what_no_build_reads_makes_none_stale(skillgen: Skillgen, host: Path, name: str) -> None:
    for source in host.rglob("*.ts"):
        os.utime(source, (900_000_000, 900_000_000))
    built(host)
    (host / name).write_text("export default {};\n")
    assert "is older than the source" not in skillgen("status", host).err
    (host / "src/new.ts").write_text("export default {};\n")
    assert "is older than the source" in skillgen("status", host).err


def test_revert_says_what_is_still_built(skillgen: Skillgen, host: Path) -> None:
    built(host)
    skillgen("apply", host)
    outcome = skillgen("revert", host)
    assert outcome.code == 0
    steps = outcome.out.partition("\nNext, in ")[2]
    assert "npm run build" in steps and "restart the bot" in steps
    assert "dist/ is older than the source: build" in outcome.err
    nothing = skillgen("revert", host)
    assert "Next, in" not in nothing.out


def test_a_module_that_is_gone_is_in_the_status(skillgen: Skillgen, host: Path) -> None:
    """Also where nothing is recorded, as in a clone of a patch whose module was not committed."""
    (host / "src/line.ts").write_text(
        "import { Reconnect } from './whatsapp-reconnect.js';\nnew Reconnect({});\n"
    )
    outcome = skillgen("status", host)
    assert outcome.code == 1
    assert "src/line.ts:1: imports src/whatsapp-reconnect.ts, which skillgen added" in outcome.out
