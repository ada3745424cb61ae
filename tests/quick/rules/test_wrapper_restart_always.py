"""wrapper-restart-always: no-op cases first; tests/slow runs what comes out by a real shell."""

from __future__ import annotations

from pathlib import Path

import pytest

from modify.rules.units.wrapper_restart_always import WHY, rule
from tests.quick.rules.service_cases.harness import (
    NODE_START,
    RESTARTS_WELL,
    UNIT,
    check_noop,
    check_transformed,
    grown,
    unit,
)

FILE = "scripts/run.sh"
LONGER = "pause=$((pause < 150 ? pause * 2 : 300))"


def script(body: str, head: str = "#!/bin/sh\n") -> str:
    return head + body


NOOP = {
    "no loop": "exec node dist/index.js\n",
    "another program": "while true; do\n  node dist/dashboard.js\n  sleep 5\ndone\n",
    "no program": "while true; do\n  curl -s localhost\n  sleep 5\ndone\n",
    "lines that are read": "while read -r line; do\n  echo $line\ndone < list\n",
    "a bounded loop": "while [ $n -lt 3 ]; do\n  node dist/index.js\n  n=$((n+1))\ndone\n",
    "a loop in a comment": "# while true; do node dist/index.js; done\nnode dist/index.js\n",
    "a loop in a text": "cat <<'EOF'\nwhile true; do node dist/index.js; done\nEOF\n",
    "right already": "wait=5\nuntil node dist/index.js; do\n  sleep $wait\n"
    "  wait=$((wait * 2))\ndone\n",
    "right, with a test": "d=5\nwhile :; do\n  node dist/index.js\n"
    "  if [ $? -eq 0 ]; then\n    break\n  fi\n  sleep $d\n  d=$((d + d))\ndone\n",
    "a long pause": "while :; do\n  node dist/index.js && break\n  sleep 600\ndone\n",
    "waits for a port": "until nc -z localhost 80; do sleep 1; done\nexec node dist/index.js\n",
}


@pytest.mark.parametrize("body", NOOP.values(), ids=NOOP.keys())
def test_left_as_it_is(tmp_path: Path, body: str) -> None:
    hand_offs, _ = check_noop(tmp_path, {FILE: script(body)})
    assert not hand_offs


CHANGED = {
    "plain": (
        "while true; do\n  node dist/index.js\n  sleep 5\ndone\n",
        f"pause=5\nwhile true; do\n  node dist/index.js && break{WHY}\n"
        f'  sleep "$pause"\n  {LONGER}\ndone\n',
    ),
    "on one line": (
        "while true; do node dist/index.js; sleep 5; done\n",
        f'pause=5\nwhile true; do node dist/index.js && break; sleep "$pause"; {LONGER}; done\n',
    ),
    "words around, a comment, npm": (
        "while :\ndo\n\techo start\n\tnpm start # the bot\n\techo ended with $?\n"
        "\tsleep 10s # a while\ndone\n",
        "pause=10\nwhile :\ndo\n\techo start\n\tnpm start && break # the bot\n"
        f'\techo ended with $?\n\tsleep "$pause" # a while\n\t{LONGER}\ndone\n',
    ),
    "no pause": (
        "while [ 1 ]; do\n  node dist/index.js\ndone\n",
        f"pause=5\nwhile [ 1 ]; do\n  node dist/index.js && break{WHY}\n"
        f'  sleep "$pause"\n  {LONGER}\ndone\n',
    ),
    "no pause, on one line": (
        "while true; do node dist/index.js; done\n",
        f'pause=5\nwhile true; do node dist/index.js && break; sleep "$pause"; {LONGER}; done\n',
    ),
    "redirected": (
        "while true; do\n  NODE_ENV=x node dist/index.js >>bot.log 2>&1\n  sleep 1\ndone\n",
        f"pause=5\nwhile true; do\n  NODE_ENV=x node dist/index.js >>bot.log 2>&1 && break{WHY}\n"
        f'  sleep "$pause"\n  {LONGER}\ndone\n',
    ),
    "its failure is made light of": (
        "set -e\nwhile true; do\n  node dist/index.js || true\n  sleep 2\ndone\n",
        "set -e\npause=5\nwhile true; do\n  node dist/index.js && break || true\n"
        f'  sleep "$pause"\n  {LONGER}\ndone\n',
    ),
    "until it ends well": (
        "cd /opt/bot\nuntil node dist/index.js; do\n  echo again >&2\n  sleep 1\ndone\n",
        "cd /opt/bot\npause=5\nuntil node dist/index.js; do\n  echo again >&2\n"
        f'  sleep "$pause"\n  {LONGER}\ndone\n',
    ),
    "while not": (
        "while ! node dist/index.js; do sleep 3; done\n",
        f'pause=5\nwhile ! node dist/index.js; do sleep "$pause"; {LONGER}; done\n',
    ),
    "an end, and a flat pause": (
        "while :; do\n  node dist/index.js\n  if [ $? -eq 0 ]\n  then\n    break\n  fi\n"
        "  sleep 10\ndone\n",
        "pause=10\nwhile :; do\n  node dist/index.js\n  if [ $? -eq 0 ]\n  then\n    break\n  fi\n"
        f'  sleep "$pause"\n  {LONGER}\ndone\n',
    ),
    "in a function": (
        "run() {\n  while true; do\n    node dist/index.js\n    sleep 5\n  done\n}\nrun\n",
        f"run() {{\n  pause=5\n  while true; do\n    node dist/index.js && break{WHY}\n"
        f'    sleep "$pause"\n    {LONGER}\n  done\n}}\nrun\n',
    ),
    "a name that is taken": (
        "pause=1\nwhile true; do node dist/index.js; sleep 5; done\n",
        "pause=1\nrestart_pause=5\nwhile true; do node dist/index.js && break; "
        'sleep "$restart_pause"; '
        "restart_pause=$((restart_pause < 150 ? restart_pause * 2 : 300)); done\n",
    ),
}


@pytest.mark.parametrize(("before", "after"), CHANGED.values(), ids=CHANGED.keys())
@pytest.mark.parametrize("line_break", ["\n", "\r\n"])
def test_changed(tmp_path: Path, before: str, after: str, line_break: str) -> None:
    patch = check_transformed(
        tmp_path,
        FILE,
        script(before).replace("\n", line_break),
        script(after).replace("\n", line_break),
    )
    assert [finding.rule for finding in patch.findings] == [rule.id]


def test_a_script_without_an_ending(tmp_path: Path) -> None:
    before, after = rule.examples[0][1:3]
    check_transformed(tmp_path, "start", before, after)


HAND_OFFS = {
    "a pipe": ("while true; do\n  node dist/index.js | tee log\n  sleep 5\ndone\n", "pipe"),
    "in the background": (
        "while true; do\n  node dist/index.js &\n  sleep 5\ndone\n",
        "background",
    ),
    "an end of its own": (
        "while true; do\n  node dist/index.js\n  [ -f stop ] && exit 3\n  sleep 5\ndone\n",
        "end of its own",
    ),
    "an end on another status": (
        "while true; do\n  node dist/index.js\n  if [ $? -ne 75 ]; then\n    break\n  fi\n"
        "  sleep 5\ndone\n",
        "end of its own",
    ),
    "a computed pause": (
        "while true; do\n  node dist/index.js\n  sleep $WAIT\ndone\n",
        "computed",
    ),
    "in a condition": (
        "while true; do\n  if [ -f go ]; then\n    node dist/index.js\n  fi\n  sleep 5\ndone\n",
        "by itself",
    ),
    "set -e": ("set -e\nwhile true; do\n  node dist/index.js\n  sleep 5\ndone\n", "set -e"),
    "amid a line": ("cd x && while true; do node dist/index.js; sleep 5; done\n", "amid a line"),
    "a program that is not known": (
        'while true; do\n  node "$SCRIPT"\n  sleep 5\ndone\n',
        "cannot tell",
    ),
}


@pytest.mark.parametrize(("body", "reason"), HAND_OFFS.values(), ids=HAND_OFFS.keys())
def test_handed_off(tmp_path: Path, body: str, reason: str) -> None:
    hand_offs, _ = check_noop(tmp_path, {FILE: script(body)})
    assert [finding.rule for finding in hand_offs] == [rule.id]
    assert reason in hand_offs[0].reason
    assert hand_offs[0].line == script(body)[: script(body).index("while")].count("\n") + 1


def test_unit_that_starts_a_loop(tmp_path: Path) -> None:
    """Both are mended in one go, and neither changes again."""
    before, after = rule.examples[0][1:3]
    start = NODE_START.replace("/usr/bin/node /opt/bot/dist/index.js", "/opt/bot/scripts/run.sh")
    check_transformed(
        tmp_path,
        UNIT,
        unit("Restart=always\n", start=start),
        grown(unit(RESTARTS_WELL, start=start)),
        others={FILE: before},
    )
    assert (tmp_path / FILE).read_text() == after
