"""How often the bot connected in the last hour and day: by its memory, its journal and its logs.

A memory holds the attempts of an hour, exactly. Logs are counted by the lines that tell of one
(``skill.doctor.messages``), up to when the code came that bounds them: since then its loop may go
round without an attempt. A bot that nothing bounds connects at each start.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from skill.doctor.answer import Answer, Unseen
from skill.doctor.clock import clock
from skill.doctor.handling import end, is_up, stop
from skill.doctor.messages import messages_of
from skill.doctor.scene import Scene
from skill.policy import POLICY

NAME = "attempts"
HOUR, DAY = 3600, 86_400
MOST_A_DAY = POLICY.budget * 24
BURST = 1 + sum(
    sum(POLICY.transient.step(level) for level in range(1, last + 1)) <= POLICY.transient.cap
    for last in range(1, 20)
)
"""The most attempts that the policy makes while its delay grows to its cap."""


@dataclass
class Count:
    """stamps: of each attempt that is known by its time. sources: where they stand.

    hour, day: how many there were; None: nothing says so. is_least: there may have been more.
    """

    stamps: list[float] = field(default_factory=list)
    hour: int | None = None
    day: int | None = None
    sources: list[str] = field(default_factory=list)
    is_least: bool = False


def attempts(scene: Scene) -> Iterator[Answer | Unseen]:
    yield from (Unseen(log.name, log.why) for log in scene.logs if log.why)
    written, started, kept = in_logs(scene), in_starts(scene), in_memories(scene)
    known = [each for each in (written, started, kept) if each.sources]
    if not known:
        yield Unseen(NAME, "no memory, and no attempt in journal or logs")
        return
    # A start and the lines of it are one attempt.
    before = max(written, started, key=lambda each: (each.hour or 0, each.day or 0))
    hour = (before.hour or 0) + (kept.hour or 0)
    days = [each.day for each in (written, started) if each.day is not None]
    day = max(days, default=0) + (kept.hour or 0) if days else None
    used = [each for each in (before, kept) if each.sources]
    sources = "; ".join(source for each in used for source in each.sources)
    least = "at least " if before.is_least else "about " if before.hour else ""
    text = f"{least}{times(hour)} in the last hour"
    if day is not None:
        text += f", {day:,} in the last day"
    yield judged(scene, hour, day or 0, f"{text} ({sources})", before.stamps + kept.stamps)


def judged(scene: Scene, hour: int, day: int, text: str, stamps: list[float]) -> Answer:
    going = [each for each in scene.services if each.is_installed and is_up(each)]
    is_bounded = scene.is_bounded
    burst = sum(at > scene.now - POLICY.transient.cap for at in stamps)
    if not is_bounded and burst > BURST:
        text += f", {burst:,} of them in the last {POLICY.transient.cap / 60:g} minutes"
    elif hour <= POLICY.budget:
        return Answer(NAME, "warning" if day > MOST_A_DAY else "ok", text)
    text += f": leave the number alone until {clock(until(scene, stamps), scene.now)}"
    if is_bounded or not (going or scene.running):
        return Answer(NAME, "warning", text + "; longer if WhatsApp refuses a link")
    stops = [command for each in going if (command := stop(each))]
    units = {each.name for each in going}
    stops += [end(each) for each in scene.running if not stops and each.unit not in units]
    return Answer(NAME, "wrong", text, tuple(stops))


def until(scene: Scene, stamps: list[float]) -> float:
    """When the policy would allow an attempt, or when WhatsApp's own block ends."""
    newest = sorted(stamps, reverse=True)
    last = newest[POLICY.budget - 1] if len(newest) >= POLICY.budget else scene.now
    blocks = [
        held
        for each in scene.memories
        if each.data.get("code") == "402" and (held := each.held_until(scene.now))
    ]
    return max([last + HOUR, *blocks])


def times(number: int) -> str:
    return f"{number:,} attempt{'' if number == 1 else 's'}"


def in_logs(scene: Scene) -> Count:
    """By the log that tells of most, and in it by the text that stands there most often."""
    since, end_of = scene.now - DAY, scene.bounded_since
    best = Count()
    most = -1
    for log in scene.logs:
        lines = [(at, line) for at, line in log.lines if since <= at <= scene.now]
        # A log that never tells of an attempt says nothing of how many there were.
        for message in (each for each in messages_of(scene.host) if each in log.text):
            found = [at for at, line in lines if message in line and at < end_of]
            if len(found) > most:
                most = len(found)
                said = [f"by {message!r} in {log.name}"] if found else [f"none in {log.name}"]
                best = Count(found, recent(scene, found), len(found), said, log.is_partial)
    return best


def in_starts(scene: Scene) -> Count:
    """Of a bot that nothing bounded yet."""
    counted = [each for each in scene.bots if each.starts.day is not None]
    if not counted:
        return Count()
    end_of = scene.bounded_since
    found = [at for each in counted for at in each.starts.times if at < end_of]
    sources = [f"by the starts of {', '.join(each.name for each in counted)}"]
    return Count(found, recent(scene, found), len(found), sources, True)


def in_memories(scene: Scene) -> Count:
    """By the account that has made most, since its attempts are bounded."""
    since = scene.bounded_since if scene.is_bounded else 0
    best = Count()
    for each in scene.memories:
        stamps = [at for at in each.attempts() if max(since, scene.now - HOUR) <= at <= scene.now]
        if best.hour is None or len(stamps) > best.hour:
            best = Count(stamps, len(stamps), None, [f"by {each.memory.path}"])
    return best


def recent(scene: Scene, stamps: list[float]) -> int:
    return sum(at > scene.now - HOUR for at in stamps)
