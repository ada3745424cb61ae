"""``python -m tests.slow.storm.hostile.play``: a hostile bot in a fence; what it says, as JSON.

A process of its own, for a bot that gets out of the runner may kill the one that started it.
The request is JSON on standard input: {bot, fence, environment, node_tools}.
"""

from __future__ import annotations

import json
import shutil
import sys
import tempfile
from dataclasses import replace
from pathlib import Path

from skill.storm.catalogue import BY_ID
from skill.storm.fence import NONE, Fence, candidates
from skill.storm.host.python_channels import PythonChannel
from skill.storm.node.run import prepared
from skill.storm.outcome import Outcome
from skill.storm.python.run import simulate_python
from skill.storm.python.scenarios import BRIDGE
from skill.storm.supervisor import NONE as UNSUPERVISED


def name_of(fence: Fence) -> str:
    return fence.kind or "none"


def fence_of(name: str) -> Fence:
    named = [fence for fence in candidates() if fence.kind == name]
    return named[0] if named else NONE


def play(
    bot: str, fence: Fence, environment: dict[str, str], node_tools: Path, limit_s: float
) -> Outcome:
    with tempfile.TemporaryDirectory() as made:
        host = Path(made)
        shutil.copy(Path(__file__).with_name(bot), host)
        if bot.endswith(".py"):
            channel = PythonChannel(
                bot, 1, "bridge", "a program", module="bot", kind="program", alone=True
            )
            [outcome] = simulate_python(
                host,
                channel,
                scenarios=[replace(BRIDGE[0], horizon_s=60.0)],
                supervisor=UNSUPERVISED,
                environment=environment,
                timeout_s=limit_s * 8,
                fence=fence,
            )
            return outcome
        scenario = replace(BY_ID["healthy"], horizon_s=60.0)
        with prepared(
            host,
            bot,
            driver="main",
            node_tools=node_tools,
            environment=environment,
            fence=fence,
        ) as trial:
            [seen] = trial.run([scenario], supervisor=UNSUPERVISED, limit_s=limit_s)
            return seen


def main() -> None:
    asked = json.load(sys.stdin)
    outcome = play(
        asked["bot"],
        fence_of(asked["fence"]),
        asked["environment"],
        Path(asked["node_tools"]),
        asked["limit_s"],
    )
    said = [text for _, level, text in outcome.log if level in ("out", "log")]
    print(json.dumps({"said": said, "not_run": outcome.not_run, "attempts": outcome.attempts}))


if __name__ == "__main__":
    main()
