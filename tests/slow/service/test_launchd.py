"""launchd by plistlib, and a stand-in for ``launchctl`` that records its calls."""

from __future__ import annotations

import os
import plistlib
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.slow.service.rig import Said

Skillgen = Callable[..., Said]
StandIn = Callable[[str, str], Path]
LABEL = "com.example.line"
LIST = """\
<?xml version="1.0" encoding="UTF-8"?>
<plist version="1.0">
<dict>
\t<key>Label</key>
\t<string>com.example.line</string>
\t<!-- the owner's own -->
\t<key>ProgramArguments</key>
\t<array>
\t\t<string>/usr/local/bin/node</string>
\t\t<string>{bot}/dist/index.js</string>
\t</array>
\t<key>KeepAlive</key>
\t<true/>
\t<key>ThrottleInterval</key>
\t<integer>5</integer>
</dict>
</plist>
"""
RUNNING = """\
case "$1" in
  print) cat <<'END'
gui/501/com.example.line = {{
\tstate = running
\truns = 12345
\tlast exit code = 1
\tproperties = {properties}
}}
END
  ;;
  {fails}) echo 'Boot-out failed: 3: No such process' >&2; exit 3;;
esac
"""


@pytest.fixture
def agent(home: Path, bot: Path) -> Path:
    path = home / "Library" / "LaunchAgents" / f"{LABEL}.plist"
    path.parent.mkdir(parents=True)
    path.write_text(LIST.format(bot=bot))
    (path.parent / "com.example.line2.plist").write_text(LIST.format(bot="/opt/bot"))
    return path


def running(tools: StandIn, properties: str = "keepalive | runatload", fails: str = "none") -> Path:
    return tools("launchctl", RUNNING.format(properties=properties, fails=fails))


def test_an_agent_is_found_by_what_it_executes(
    skillgen: Skillgen, agent: Path, tools: StandIn
) -> None:
    running(tools)
    said = skillgen("--format", "json")
    assert said.code == 1
    service = said.service
    assert (service["name"], service["path"]) == (LABEL, str(agent))
    assert service["state"] == "active (running), last exit code 1"
    assert service["started"]["restarts"] == 12_344 and service["started"]["hour"] is None
    assert (service["policy"]["restart"], service["policy"]["starts_per_hour"]) == ("always", 720)
    assert [(each["rule"], each["line"]) for each in service["findings"]] == [
        ("launchd-keep-alive", 12),
        ("launchd-keep-alive", 14),
    ]


def test_the_keys_concerned_are_edited_and_given_back(
    skillgen: Skillgen, agent: Path, tools: StandIn
) -> None:
    calls = running(tools)
    before = {path: path.read_bytes() for path in agent.parent.iterdir()}
    assert skillgen("--apply", "--dry-run").code == 0
    assert {path: path.read_bytes() for path in agent.parent.iterdir()} == before
    said = skillgen("--apply")
    assert said.code == 0, said
    found = plistlib.loads(agent.read_bytes())
    assert found.pop("KeepAlive") == {"SuccessfulExit": False}
    assert found.pop("ThrottleInterval") == 10
    known = plistlib.loads(before[agent])
    assert found == {key: value for key, value in known.items() if key in found}
    assert b"<!-- the owner's own -->" in agent.read_bytes()
    # It is not loaded again, as that would stop the bot.
    assert not [call for call in calls.read_text().splitlines() if not call.startswith("print")]
    assert f"launchctl bootstrap gui/$(id -u) {agent}" in said.out
    running(tools, "runatload")
    assert "nothing to do" in skillgen("--apply").out
    assert skillgen("--revert").code == 0
    assert {path: path.read_bytes() for path in agent.parent.iterdir()} == before
    assert "nothing to take back" in skillgen("--revert").out


def test_a_restart_loads_it_again(skillgen: Skillgen, agent: Path, tools: StandIn) -> None:
    """Also one that was not loaded."""
    calls = running(tools, fails="bootout")
    said = skillgen("--apply", "--restart")
    assert said.code == 0, said
    made = [call for call in calls.read_text().splitlines() if not call.startswith("print")]
    domain = f"gui/{os.getuid()}"
    assert made == [f"bootout {domain}/{LABEL}", f"bootstrap {domain} {agent}"]
    assert "restarted: " in skillgen("--apply", "--restart").out, "also where nothing is to write"


def test_the_guard_comes_along(skillgen: Skillgen, agent: Path, tools: StandIn, home: Path) -> None:
    running(tools)
    before = agent.read_bytes()
    assert skillgen("--apply").code == 0
    said = skillgen("--apply", "--guard")
    assert said.code == 0, said
    guard = home / ".local/share/skillgen/guard.cjs"
    found = plistlib.loads(agent.read_bytes())
    assert found["KeepAlive"] == {"SuccessfulExit": False}
    assert found["EnvironmentVariables"]["NODE_OPTIONS"] == f"--require={guard}"
    assert guard.exists()
    assert skillgen("--format", "json").service["guarded"] is True
    assert skillgen("--revert").code == 0
    assert agent.read_bytes() == before, "both are taken back"


def test_what_its_owner_edits_meanwhile_survives(
    skillgen: Skillgen, agent: Path, tools: StandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    running(tools)
    monkeypatch.setenv("PATH", f"{os.environ['PATH']}:/usr/bin:/bin")
    before = agent.read_text()
    assert skillgen("--apply").code == 0
    label = "\t<string>com.example.line</string>\n"
    edit = f"{label}\t<key>Nice</key>\n\t<integer>5</integer>\n"
    agent.write_text(agent.read_text().replace(label, edit))
    assert skillgen("--revert").code == 0
    assert agent.read_text() == before.replace(label, edit)


def test_an_edit_of_the_same_keys_is_left_and_named(
    skillgen: Skillgen, agent: Path, tools: StandIn
) -> None:
    running(tools)
    assert skillgen("--apply").code == 0
    edited = agent.read_text().replace("SuccessfulExit", "Crashed")
    agent.write_text(edited)
    said = skillgen("--revert")
    assert said.code == 1 and "was edited since" in said.out
    assert agent.read_text() == edited


def test_what_was_loaded_before_is_still_in_force(
    skillgen: Skillgen, agent: Path, tools: StandIn
) -> None:
    running(tools)
    assert skillgen("--apply").code == 0
    assert any("still in force" in note for note in skillgen("--format", "json").service["notes"])
    assert "launchctl bootstrap" in skillgen("--apply").out
    running(tools, "runatload")
    assert skillgen("--format", "json").service["notes"] == []


def test_a_list_that_cannot_be_read_as_text_is_left(
    skillgen: Skillgen, agent: Path, tools: StandIn
) -> None:
    running(tools)
    agent.write_bytes(plistlib.dumps(plistlib.loads(agent.read_bytes()), fmt=plistlib.FMT_BINARY))
    before = agent.read_bytes()
    said = skillgen("--format", "json")
    assert said.code == 1 and "plutil -convert xml1" in said.service["obstacles"][0]
    assert skillgen("--apply").code == 1
    assert agent.read_bytes() == before


def test_without_launchctl_the_lists_are_read(
    skillgen: Skillgen, agent: Path, tools: StandIn
) -> None:
    said = skillgen("--format", "json")
    assert said.code == 1 and said.service["name"] == LABEL
    looked = {each["manager"]: each for each in said.row["looked"]}
    assert looked["launchd"]["state"] == "failed"
