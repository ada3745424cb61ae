"""``skillgen simulate`` as a user meets it."""

from __future__ import annotations

import json
import re
import shutil
import xml.etree.ElementTree as ET
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from skill import cli, transaction
from skill.host import Host
from skill.options import Options
from skill.plan import make_plan
from skill.storm.host import tools
from skill.storm.simulate import WARNING, find_fence
from tests.slow.e2e.harness import tree

SVG = "{http://www.w3.org/2000/svg}"


@dataclass(frozen=True)
class Done:
    code: int
    out: str
    err: str


Simulate = Callable[..., Done]


@pytest.fixture
def simulate(
    capfd: pytest.CaptureFixture[str], node_tools: Path, monkeypatch: pytest.MonkeyPatch
) -> Simulate:
    monkeypatch.setattr(tools, "CHECKOUT_TOOLS", node_tools)

    def call(host: Path, *words: object) -> Done:
        code = cli.run(["simulate", str(host), *map(str, words)])
        return Done(code, *capfd.readouterr())

    return call


def scenarios(*ids: str) -> list[str]:
    return [word for id in ids for word in ("--scenario", id)]


@pytest.fixture
def heron(checkout: Path, tmp_path: Path) -> Path:
    root = tmp_path / "heron"
    leave = shutil.ignore_patterns("node_modules", "fixture.toml", ".skillgen")
    shutil.copytree(checkout / "tests/hosts/v1-class", root, ignore=leave)
    return root


def test_both_sides_and_nothing_written(simulate: Simulate, heron: Path) -> None:
    before = tree(heron)
    done = simulate(heron, *scenarios("offline-boot", "revoked", "healthy"))
    assert done.code == 0, done
    said, *progress = done.err.splitlines()
    assert said == f"skillgen: {WARNING}{find_fence().words}"
    told = re.compile(r"skillgen: (getting ready|\d of 6 runs) \(\d+ s\) …")
    assert [line for line in progress if not told.fullmatch(line)] == []
    lines = done.out.splitlines()
    assert lines[0] == "src/channels/whatsapp.ts:38, by new WhatsAppChannel().connect()"
    assert lines[1].startswith("before: under systemd, Restart=always (setup/service.ts:")
    assert lines[2].startswith("after:  under systemd, Restart=on-failure (setup/service.ts:")
    rows = [" ".join(line.split()) for line in lines[5:9]]
    assert rows[:3] == [
        "nothing wrong 1 → 1 1 → 1 - yes → yes",
        "session revoked (401) 680 → 1 16,302 → 1 - no → no",
        "exits: 0 (16,302 times) → 0 (once)",
    ]
    boot = "closes at once for the first 10 min after boot"
    assert rows[3].startswith(f"{boot} 3,001 → 8 3,001 → 8 0 s → ")
    assert "3 of 3 scenarios keep the promise; attempts in the busiest hour of all: 3,001 → 8" in (
        done.out
    )
    assert tree(heron) == before


def test_json(simulate: Simulate, heron: Path) -> None:
    done = simulate(heron, "--format", "json", *scenarios("revoked"))
    [host] = json.loads(done.out)["hosts"]
    assert (host["exit"], host["error"]) == (0, None)
    [channel] = host["channels"]
    assert channel["units"]["before"]["restart"] == "always"
    assert channel["units"]["after"]["restart"] == "on-failure"
    [one] = channel["scenarios"]
    assert one["id"] == "revoked" and one["broken"] == []
    assert (one["before"]["attempts"], one["after"]["attempts"]) == (16_302, 1)
    assert one["before"]["broken"] and one["after"]["exits"] == {"0": 1}


def test_broken_promise_is_status_1(simulate: Simulate, checkout: Path) -> None:
    # It calls logout() after a close, when the socket is shut: that is left to a person.
    done = simulate(checkout / "tests/hosts/js-classic", *scenarios("healthy", "replaced"))
    assert done.code == 1
    assert "broken: 440 conflict, forever [replaced]: unhandledRejection at second" in done.out
    assert "1 of 2 scenarios keep the promise" in done.out


def test_channel_that_is_left_as_it_is_is_held_to_the_promise(
    simulate: Simulate, checkout: Path
) -> None:
    done = simulate(checkout / "tests/hosts/already-right", *scenarios("healthy", "revoked"))
    assert done.code == 0, done
    done = simulate(checkout / "tests/hosts/already-right", *scenarios("code-429"))
    assert done.code == 1
    assert "well [code-429]: " in done.out
    assert "apply leaves this channel as it is" in done.out


def test_delay_that_only_a_run_shows_to_be_short_is_broken(
    simulate: Simulate, checkout: Path, tmp_path: Path
) -> None:
    """The loop is as it should be; its settings give seconds where it counts milliseconds."""
    root = tmp_path / "belfry"
    shutil.copytree(checkout / "tests/hosts/already-right", root)
    channel = root / "src/whatsapp.ts"
    text = channel.read_text("utf-8").replace("{ STORE_DIR }", "{ STORE_DIR, delays }")
    for name, key in (("FIRST_DELAY_MS = 5_000", "first"), ("LONGEST_DELAY_MS = 300_000", "most")):
        assert name in text
        text = text.replace(name, f"{name.partition(' ')[0]} = delays().{key}")
    channel.write_text(text, "utf-8")
    config = root / "src/config.ts"
    delays = "export const delays = () => ({ first: 5, most: 5 * 60 });\n"
    config.write_text(config.read_text("utf-8") + delays, "utf-8")
    done = simulate(root, *scenarios("refused"))
    assert "apply leaves this channel as it is" in done.out, done
    assert re.search(r"^broken: .* \[refused\]: \d+ attempts in 24 h, at most 80 p", done.out, re.M)
    assert done.code == 1


def test_what_cannot_be_started_is_not_run(simulate: Simulate, heron: Path) -> None:
    channel = heron / "src/channels/whatsapp.ts"
    channel.write_text(f"{channel.read_text('utf-8')}\nthrow new Error('no token');\n", "utf-8")
    (heron / "src/index.ts").write_text("export {};\n", "utf-8")
    done = simulate(heron, *scenarios("revoked"))
    assert done.code == 2
    assert "after:  not run: by new WhatsAppChannel()" in done.out
    assert "no token" in done.out
    assert "keep the promise" not in done.out


def test_patched_without_a_record_has_no_before(simulate: Simulate, heron: Path) -> None:
    transaction.apply(make_plan(Host(heron), Options()))
    done = simulate(heron, *scenarios("revoked"))
    assert "680 → 1" in done.out  # taken back in the copy
    shutil.rmtree(heron / ".skillgen")
    done = simulate(heron, *scenarios("revoked"))
    assert done.code == 0
    assert "before: not run: it is patched, and this copy has no record" in done.out
    assert "not run → 1" in done.out


def test_python_channel_that_cannot_be_run_says_why(simulate: Simulate, checkout: Path) -> None:
    done = simulate(checkout / "tests/hosts_python/s5-child")
    assert done.code == 2
    assert "after:  not run: the bridge is a child process that connects to WhatsApp" in done.out


def test_one_line_for_what_is_wrong(simulate: Simulate, checkout: Path, heron: Path) -> None:
    for words, said in (
        ((heron, *scenarios("revokd")), "no scenario revokd; did you mean revoked?"),
        ((heron, "--channel", "src/index.ts"), "src/index.ts: no WhatsApp channel in it"),
        ((heron, "--node-tools", heron), "no node_modules/esbuild in it"),
        ((checkout / "tests/hosts/pairing-script",), "pairs once and exits"),
        ((checkout / "tests/hosts/unparsable",), "src/whatsapp.ts:15"),
        ((heron, "--chart", heron / "no/where.svg", *scenarios("healthy")), "cannot be written"),
    ):
        done = simulate(*words)
        assert done.code == 2, words
        assert said in done.err.splitlines()[-1]


def test_chart(simulate: Simulate, heron: Path, tmp_path: Path) -> None:
    file = tmp_path / "chart.svg"
    assert simulate(heron, "--chart", file, *scenarios("revoked", "healthy")).code == 0
    text = file.read_text("utf-8")
    picture = ET.fromstring(text)
    panels = list(picture.iter(f"{SVG}g"))
    assert len(panels) == 2
    told = ["".join(each.itertext()) for each in panels[1].iter(f"{SVG}text")]
    assert told[:2] == ["session revoked (401)", "busiest hour: 680 → 1; ready: no → no"]
    before, after = (
        next(
            path.get("d", "") for path in panels[1].iter(f"{SVG}path") if path.get("class") == kind
        )
        for kind in ("before area", "after")
    )
    # Before: high bars over all 24 hours; after: one hour, lower.
    wide = [sum(float(x) for x in re.findall(r"h([\d.]+)", path)) for path in (before, after)]
    assert wide == [312.0, 13.0]
    height = [float(path.partition("V")[2].partition("h")[0]) for path in (before, after)]
    assert height[0] < height[1]
    assert "prefers-color-scheme: dark" in text
