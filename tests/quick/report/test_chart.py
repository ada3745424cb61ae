"""The picture of ``skillgen simulate``: whose it is, what its scale is, and who is dead in it."""

from __future__ import annotations

import json
import xml.etree.ElementTree as ET
from dataclasses import replace
from pathlib import Path

import pytest

from skill import __version__
from skill.errors import SkillgenError
from skill.host import Host
from skill.report.chart import MOST_PANELS, PANEL_WIDTH, TITLE_LETTERS, bot_name, draw
from skill.storm.catalogue import EVERY, HEADLINE
from skill.storm.outcome import Outcome
from skill.storm.python.scenarios import TABLES
from skill.storm.scenarios import DAY, HOUR
from tests.quick.report.harness import outcome, simulation

SVG = "{http://www.w3.org/2000/svg}"
WELL = outcome("healthy", (0.0,), ready_s=1.0, up_at_end=True)


def words(element: ET.Element) -> list[str]:
    return ["".join(each.itertext()) for each in element.iter(f"{SVG}text")]


def panels(picture: str) -> list[ET.Element]:
    return list(ET.fromstring(picture).iter(f"{SVG}g"))


def test_it_names_the_bot_the_version_and_the_scale() -> None:
    picture = draw([simulation((WELL, WELL))], "heron")
    text = "\n".join(words(ET.fromstring(picture)))
    assert "heron: connection attempts" in text
    assert f"src/channels/whatsapp.ts; simulated by skillgen {__version__}" in text
    assert "scale: logarithmic" in text
    assert "after the patch" in text


def test_a_guarded_bot_is_not_called_patched() -> None:
    one = simulation((WELL, WELL))
    one.after.guard = True
    text = "\n".join(words(ET.fromstring(draw([one], "heron"))))
    assert "under the guard" in text and "patch" not in text


def test_a_bridge_is_not_promised_what_whatsapp_is() -> None:
    one = simulation((WELL, WELL))
    assert "at most 20 in any hour are promised" in draw([one], "heron")
    one.channel = replace(one.channel, language="python", kind="bridge")
    picture = draw([one], "harbor")
    assert "promised" not in picture and 'class="limit"' not in picture


def test_twelve_panels_at_most_and_the_headline_ones_first() -> None:
    pairs = [(outcome(one.id, (0.0,)), outcome(one.id, (0.0,))) for one in EVERY]
    for before, after in pairs:
        assert before.scenario is after.scenario
    kept = [(one, one) for one in (outcome(each.id, ready_s=1.0) for each in HEADLINE)]
    assert len(panels(draw([simulation(*kept)], "heron"))) == 11
    picture = draw([simulation(*pairs)], "heron")
    assert len(panels(picture)) == MOST_PANELS == 12
    assert f"12 of {len(EVERY)} scenarios" in picture


def test_a_broken_promise_is_never_left_out() -> None:
    kept = [outcome("code-403", (0.0,))] * 20
    broken = outcome("code-406", tuple(float(at) for at in range(50)))
    picture = draw([simulation(*((one, one) for one in (*kept, broken)))], "heron")
    titles = [words(panel)[0] for panel in panels(picture)]
    assert titles == ["account locked (403)"] * 11 + ["account blocked (406)"]


def test_of_several_channels_each_panel_names_its_own() -> None:
    two = [simulation((WELL, WELL), path=path) for path in ("a/line.ts", "b/line.ts")]
    titles = [words(panel)[0] for panel in panels(draw(two, "heron"))]
    assert titles == ["a/line.ts: nothing wrong", "b/line.ts: nothing wrong"]


def test_a_title_stays_above_its_panel() -> None:
    every = [*EVERY, *(one for table in TABLES.values() for one in table)]
    longest = max(every, key=lambda one: len(one.title))
    for scenario in (*HEADLINE, longest):
        one = replace(WELL, scenario=scenario)
        [panel] = panels(draw([simulation((one, one))], "heron"))
        lines = words(panel)[: words(panel).index("busiest hour: 1 → 1; ready: yes → yes")]
        assert " ".join(lines) == scenario.title
        assert len(lines) <= 2 and max(map(len, lines)) <= TITLE_LETTERS


def dead_in(panel: ET.Element) -> list[tuple[str, float]]:
    """The word of each dead side, and where the day without attempts begins."""
    said = [word for word in words(panel) if "dead, never reconnects" in word]
    hatched = [one for one in panel.iter(f"{SVG}rect") if "url(#dead-" in one.get("fill", "")]
    return [(word, float(one.get("x", ""))) for word, one in zip(said, hatched, strict=True)]


def test_a_dead_bot_is_shown_as_such() -> None:
    dead = outcome("silent", (0.0, 2 * HOUR))
    alive = outcome("silent", (0.0, 6 * HOUR + 20), ready_s=6 * HOUR + 21, up_at_end=True)
    late = outcome("offline", (0.0, DAY - 60))
    picture = draw([simulation((dead, alive), (dead, dead), (late, late), (WELL, WELL))], "heron")
    first, both, end, well = map(dead_in, panels(picture))
    assert first == [("before: dead, never reconnects", 26.0)]
    assert [word.partition(":")[0] for word, _x in both] == ["before", "after"]
    # In this one nothing of the day is left.
    assert [x > PANEL_WIDTH - 1 for _word, x in end] == [True, True]
    assert well == []


def test_a_session_that_is_over_is_not_dead() -> None:
    over = outcome("revoked", (0.0,))
    [panel] = panels(draw([simulation((over, over))], "heron"))
    assert dead_in(panel) == []


def test_a_before_that_after_covers_is_seen() -> None:
    [panel] = panels(draw([simulation((WELL, WELL))], "heron"))
    drawn = {path.get("class"): path.get("d") for path in panel.iter(f"{SVG}path")}
    assert drawn["after"] == drawn["before area"]
    edge = drawn["edge"] or ""
    assert edge.startswith("M0.0 ") and edge.endswith("H13.0")


def test_the_name_is_that_of_the_package_or_the_folder(tmp_path: Path) -> None:
    root = tmp_path / "my bot"
    root.mkdir()
    assert bot_name(Host(root)) == "my bot"
    package = root / "package.json"
    for name, shown in (("heron", "heron"), (" ", "my bot"), (7, "my bot"), (None, "my bot")):
        package.write_text(json.dumps({"name": name}))
        assert bot_name(Host(root)) == shown


def test_no_name_spoils_the_picture(tmp_path: Path) -> None:
    package = tmp_path / "package.json"
    odd = [simulation((WELL, WELL), path=f"{letter}\udcff/line.ts") for letter in "ab"]
    assert len(panels(draw(odd, "heron"))) == 2
    for name in ("</text><script>", "a\x00\x1b[31m\nb", "\ud800\udfff", "x" * 500, "\ufffe"):
        package.write_text(json.dumps({"name": name}))
        picture = draw([simulation((WELL, WELL))], bot_name(Host(tmp_path)))
        head, *_ = words(ET.fromstring(picture))
        assert len(head) < 100
        assert "<script" not in picture


def test_nothing_to_draw() -> None:
    missing = Outcome.missing(HEADLINE[0], "no Node")
    with pytest.raises(SkillgenError, match="nothing to draw"):
        draw([simulation((missing, missing))], "heron")
