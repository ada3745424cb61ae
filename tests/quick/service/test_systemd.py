"""What systemd says and what its files say, as a restart policy; what a drop-in has to set."""

from __future__ import annotations

from pathlib import Path

import pytest

from skill.host import Host
from skill.service import drop_in, restarts, systemd
from skill.service.units import Files, Piece, command_words, drop_ins
from tests.quick.rules.service_cases.harness import SOUND, make_host, unit

MAIN = Path("/etc/systemd/system/bot.service")
FAULTY = unit("Restart=always\nRestartSec=5\n", "")


@pytest.fixture
def host(tmp_path: Path) -> Host:
    return make_host(tmp_path / "bot", {})


def files(text: str, **more: str) -> Files:
    """A unit and its drop-ins, by their names without the suffix."""
    pieces = [Piece(MAIN, text.encode())]
    for name, content in more.items():
        pieces.append(Piece(MAIN.parent / f"bot.service.d/{name}.conf", content.encode()))
    return Files(tuple(pieces))


def shown(**properties: str) -> dict[str, str]:
    plain = {"Restart": "always", "RestartUSec": "5s", "StartLimitIntervalUSec": "10s"}
    return {**plain, "StartLimitBurst": "5", "Id": "bot.service", **properties}


@pytest.mark.parametrize(
    ("properties", "is_limited", "an_hour"),
    [
        ({}, False, 720),
        ({"RestartUSec": "100ms"}, True, 5),
        ({"RestartUSec": "10s", "StartLimitIntervalUSec": "5min"}, True, 5),
        ({"StartLimitIntervalUSec": "0"}, False, 720),
        ({"StartLimitBurst": "0"}, False, 720),
        ({"RestartUSec": "1min 1s", "StartLimitIntervalUSec": "5min"}, False, 60),
        ({"Restart": "no"}, None, 1),
        (
            {
                "RestartUSec": "10s",
                "RestartSteps": "4",
                "RestartMaxDelayUSec": "5min",
                "StartLimitIntervalUSec": "5min",
            },
            False,
            16,
        ),
    ],
)
def test_what_is_in_force(properties: dict[str, str], is_limited: bool, an_hour: int) -> None:
    policy = restarts.policy_of(shown(**properties))
    assert (policy.is_limited, policy.starts_per_hour) == (is_limited, an_hour)


def settings(host: Host, found: Files, version: int = 252) -> list[str]:
    return [f"{name}={value}" for _, name, value in drop_in.settings_of(found, version, host)]


POLICY = ["StartLimitIntervalSec=300", "StartLimitBurst=5", "Restart=on-failure", "RestartSec=10"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (FAULTY, POLICY),
        (unit("Restart=always\n", ""), POLICY),
        (unit(), []),
        (unit("Restart=no\n", ""), []),
        # What the owner has chosen better stays.
        (unit("Restart=always\nRestartSec=30\n", SOUND), ["Restart=on-failure"]),
        (unit("Restart=always\nRestartSec=30\n", ""), POLICY[:3]),
        (
            unit("Restart=on-failure\nRestartSec=10\nStartLimitIntervalSec=600\n", ""),
            ["StartLimitIntervalSec=600", "StartLimitBurst=5"],
        ),
    ],
)
def test_the_settings_of_a_drop_in(host: Host, text: str, expected: list[str]) -> None:
    assert settings(host, files(text)) == expected


def test_from_254_on_restarts_spread(host: Host) -> None:
    spread = ["RestartSteps=4", "RestartMaxDelaySec=300"]
    assert settings(host, files(FAULTY), 254) == [*POLICY, *spread]
    assert settings(host, files(FAULTY), 253) == POLICY
    own = unit("Restart=always\nRestartSec=5\nRestartSteps=9\nRestartMaxDelaySec=600\n", "")
    assert settings(host, files(own), 257) == POLICY
    slow = unit("Restart=always\nRestartSec=400\n", "")
    assert not set(spread) & set(settings(host, files(slow), 257))


def test_a_drop_in_that_mends_the_unit_leaves_nothing_to_do(host: Host) -> None:
    mended = "[Unit]\n" + SOUND + "[Service]\nRestart=on-failure\nRestartSec=10\n"
    assert settings(host, files(FAULTY, override=mended)) == []


def test_what_wins_over_the_drop_in_is_named(host: Host) -> None:
    early = "[Service]\nRestart=always\n"
    late = "[Service]\n\nRestart=always\nRestartSec=10\n"
    found = files(FAULTY, **{"10-own": early, "90-own": late})
    chosen = list(drop_in.settings_of(found, 252, host))
    [line] = drop_in.overridden(found, chosen)
    assert "/90-own.conf:3: Restart=always is read after" in line


def test_findings_name_the_file_that_sets_it(host: Host) -> None:
    found = files(unit(), override="[Service]\n\nRestart=always\n")
    [finding] = systemd.findings_of(shown(StartLimitIntervalUSec="5min"), found, 252, host)
    assert finding.path.endswith("/bot.service.d/override.conf")
    assert (finding.line, finding.rule) == (3, "systemd-restart-always")


def test_a_default_of_the_manager_counts(host: Host) -> None:
    """DefaultStartLimitIntervalSec= of system.conf: no file of the unit has it."""
    text = unit("Restart=on-failure\nRestartSec=10\n", "")
    properties = shown(Restart="on-failure", RestartUSec="10s", StartLimitIntervalUSec="10min")
    assert systemd.findings_of(properties, files(text), 252, host) == []
    properties["StartLimitIntervalUSec"] = "10s"
    [finding] = systemd.findings_of(properties, files(text), 252, host)
    assert finding.rule == "systemd-start-limit"


def test_words_are_those_of_the_unit_where_systemd_shows_the_same() -> None:
    merged = files('[Service]\nExecStart=/usr/bin/node "/srv/my bot/index.js" 100%%\n').merged
    words = ["/usr/bin/node", "/srv/my bot/index.js", "100%"]
    assert command_words(merged, "/usr/bin/node /srv/my bot/index.js 100%") == words
    assert command_words(merged, "/bin/other /x") == ["/bin/other", "/x"]


def test_drop_ins_are_read_in_the_order_of_their_names(tmp_path: Path) -> None:
    first, second = tmp_path / "a", tmp_path / "b"
    for folder, name in ((first, "50-x"), (second, "10-y"), (second, "50-x"), (first, "z")):
        place = folder / "bot.service.d"
        place.mkdir(parents=True, exist_ok=True)
        (place / f"{name}.conf").write_text("")
    found = drop_ins("bot.service", [first, second])
    assert [path.relative_to(tmp_path).as_posix() for path in found] == [
        "b/bot.service.d/10-y.conf",
        "a/bot.service.d/50-x.conf",
        "a/bot.service.d/z.conf",
    ]


def test_a_file_without_an_end_of_line_joins_nothing() -> None:
    found = files("[Service]\nRestart=always\\", more="[Service]\nRestart=no")
    assert found.merged.restart is not None and found.merged.restart.value == "no"
    assert found.last("Service", "Restart") == (
        MAIN.parent / "bot.service.d/more.conf",
        2,
        "no",
    )


def test_a_drop_in_knows_whether_it_was_edited(host: Host) -> None:
    content = drop_in.text(
        host, [("Service", "Restart", "on-failure")], ["# Guard by skillgen 1: x"]
    )
    assert drop_in.is_intact(content)
    assert not drop_in.is_intact(content.replace(b"on-failure", b"always"))
    assert drop_in.kept_lines(content) == ["# Guard by skillgen 1: x"]
