"""Real hosts in the storm, as ``skillgen simulate`` runs them: promise 10."""

from __future__ import annotations

from pathlib import Path

import pytest

from skill.host import Host
from skill.storm.catalogue import BY_ID
from skill.storm.simulate import simulate_host
from tests.slow.real.packages import HOSTS, copied

# What is not run there, and a part of the reason; the rest is run and keeps its promises.
NOT_RUN = {("hermes-0.19.0", "plugins/platforms/whatsapp/adapter.py"): ""}
SPREAD = ("healthy", "revoked", "refused", "silent", "relinked", "bridge-closes", "replaced")
EVERY: tuple[str, ...] = ()  # of each channel's own table


@pytest.mark.parametrize(
    "ids",
    [
        pytest.param(SPREAD, id="spread"),
        pytest.param(EVERY, id="all", marks=pytest.mark.storms),
    ],
)
@pytest.mark.parametrize("name", sorted(HOSTS))
def test_promises_are_kept(
    name: str, ids: tuple[str, ...], tmp_path: Path, node_tools: Path
) -> None:
    root = copied(name, tmp_path / "host")
    report = simulate_host(
        Host(root), ids, after_only=True, node_tools=lambda: ("node", node_tools)
    )
    languages = set()
    for simulation in report.simulations:
        channel = simulation.channel
        assert simulation.broken == [], channel.path
        if (name, channel.path) in NOT_RUN:
            assert simulation.after.why
            continue
        languages.add(channel.language)
        assert simulation.after.why == "", channel.path
        ran = {one.scenario.id for one in simulation.after.outcomes if not one.not_run}
        assert ran
        if channel.language == "typescript":
            assert ran == set(BY_ID).intersection(ids or BY_ID)
    if name.startswith("nanobot-0.2"):
        assert languages == {"typescript", "python"}  # the bot, and the bridge in its wheel
