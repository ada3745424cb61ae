"""sequences.json, played against the Python module: the same rows as for the TypeScript module.

Not looked at, since Python has no such thing: what keeps a process alive, the sockets that
the module ends and those that come late (a client is its attempt's own), the mark at which a
host's connect() settles, and the wait for creds.update (whatsmeow stores its credentials
before it reports anything).
"""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from tests.quick.policy.virtual_python import Bot, module

HERE = Path(__file__).resolve().parent
ALL: list[dict[str, Any]] = json.loads((HERE / "sequences.json").read_text(encoding="utf-8"))
# Python hosts run their connect function themselves: how it ends is not the gate's to judge.
CASES = [case for case in ALL if "rejects" not in case.get("options", {})]
ELSEWHERE = {"alive", "ended", "late"}
NO_SUCH_STEP = {"saving", "settle"}  # cases left out
LAST_STEP = "answer"  # here they end
OWN_LOGOUT = "Intentional Logout"


def _close(bot: Bot, step: dict[str, Any]) -> None:
    code = "logout" if step.get("message") == OWN_LOGOUT else step["code"]
    bot.close(code, error=step.get("message"), expire=step.get("expire", 0))


def _qr(bot: Bot, _step: dict[str, Any]) -> None:
    bot.seen = bot.reconnect.qr(bot.sock)
    bot.down = bot.reconnect.terminal


def _open(bot: Bot, _step: dict[str, Any]) -> None:
    bot.seen = bot.reconnect.opened(bot.sock)


def _late_event(bot: Bot, step: dict[str, Any]) -> None:
    if step["event"] == "open":
        bot.seen = bot.reconnect.opened(bot.kept)
    else:
        bot.close(None, bot.kept)


def _off(bot: Bot, step: dict[str, Any]) -> None:
    bot.clock.wall += step["s"]
    bot.elapsed += step["s"]
    bot.boot()


def _next(bot: Bot, step: dict[str, Any]) -> dict[str, Any]:
    before = len(bot.grants)
    passed = bot.advance(step.get("within", 200_000), lambda: len(bot.grants) > before)
    return {"wait": passed if len(bot.grants) > before else None}


def _reset(bot: Bot, _step: dict[str, Any]) -> None:
    now = int(bot.clock.wall * 1000)
    bot.edit(notBefore=0, wait=0, level=0, blocked=0, verdict=None, cleared=now)


def _turn_twice(bot: Bot, _step: dict[str, Any]) -> dict[str, Any]:
    granted: list[int] = []

    async def turn() -> None:
        if await bot.reconnect.turn():
            granted.append(1)

    bot.spawn(turn())
    bot.flush()
    return {"settled": len(granted)}


STEPS: dict[str, Callable[[Bot, dict[str, Any]], dict[str, Any] | None]] = {
    "start": lambda bot, step: bot.start(),
    "open": _open,
    "qr": _qr,
    "close": _close,
    "late_event": _late_event,
    "keep": lambda bot, step: setattr(bot, "kept", bot.sock),
    "fail": lambda bot, step: setattr(bot, "failing", step["times"]),
    "hang": lambda bot, step: setattr(bot, "hanging", step["times"]),
    "reconnect": lambda bot, step: bot.again(),
    "stop": lambda bot, step: bot.reconnect.stop(),
    "crash": lambda bot, step: bot.boot(),
    "link": lambda bot, step: bot.link(step["as"]),
    "unlink": lambda bot, step: bot.unlink(),
    "jump": lambda bot, step: setattr(bot.clock, "wall", bot.clock.wall + step["s"]),
    "off": _off,
    "advance": lambda bot, step: {"passed": bot.advance(step["s"])},
    "next": _next,
    "corrupt": lambda bot, step: {"written": bot.file.write_text(step["text"])},
    "lock": lambda bot, step: setattr(bot, "locked", True),
    "edit": lambda bot, step: bot.edit(**step["set"]),
    "reset": _reset,
    "tear": lambda bot, step: {"torn": (bot.auth / "creds.json").write_text('{"me": {')},
    "dial_twice": _turn_twice,
}


ON_THE_LOOP = {"open", "qr", "close", "late_event", "stop", "start", "reconnect"}


def mismatches(expect: dict[str, Any], seen: dict[str, Any]) -> list[str]:
    """What a step promises and does not keep."""
    wrong = []
    for key, expected in expect.items():
        if key in ELSEWHERE:
            continue
        found = seen["logs"] if key in ("logged", "quiet") else seen[key]
        if key == "wait":
            fits = (expected is None) is (found is None)
            if found is not None and expected is not None:
                fits = expected[0] - 0.002 <= found <= expected[1] + 0.002
        elif key == "logged":
            (level, parts), *_ = expected.items()
            lines = [log["message"] for log in found if log["level"] == level]
            fits = len(lines) == 1 and all(part in lines[0] for part in parts)
        elif key == "quiet":
            fits = not found
        elif key == "memory":
            fits = all(found[name] == value for name, value in expected.items())
        else:
            fits = found == expected
        if not fits:
            wrong.append(f"{key}: expected {expected}, saw {found}")
    return wrong


def plays(case: dict[str, Any]) -> bool:
    return not any(step["do"] in NO_SUCH_STEP for step in case["steps"])


PLAYED = [case for case in CASES if plays(case)]


@pytest.mark.parametrize("case", PLAYED, ids=[case["name"] for case in PLAYED])
def test_sequence(case: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bot = Bot(tmp_path / "host", case.get("options"))
    if any(step.get("within", 0) > 1e6 for step in case["steps"]):
        # Weeks: 40,000 looks at the memory file are not what is tested.
        monkeypatch.setattr(module, "RECHECK", 86_400.0)
    if case.get("linked") is not False and not bot.options["noFolder"]:
        bot.link("bot")
    trail = []
    with bot.world():
        for step in case["steps"]:
            if step["do"] == LAST_STEP:
                break
            trail.append(json.dumps(step))
            logged = len(bot.logs)
            bot.seen = None
            extra = {}
            if step["do"] in ON_THE_LOOP:
                call = partial(STEPS[step["do"]], bot, step)
                bot.inside(call)
            else:
                extra = STEPS[step["do"]](bot, step) or {}
                bot.flush()
            seen = {
                "attempts": len(bot.grants),
                "terminal": bot.reconnect.terminal,
                "down": bot.down,
                "observed": bot.seen,
                "stopped": bot.stopped,
                "logs": bot.logs[logged:],
                "memory": bot.read() if step.get("memory") else None,
                **extra,
            }
            wrong = mismatches(step.get("expect", {}), seen)
            assert not wrong, "\n".join([case["why"], *trail, *wrong])
    bot.dispose()


def test_few_cases_are_left_out() -> None:
    assert len(CASES) - len(PLAYED) <= 2
