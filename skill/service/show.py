"""The text of ``skillgen service``."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from skill.report.printer import one_line
from skill.report.text import Paint, count, findings
from skill.service.model import Look, Policy, Service, Starts


def service_lines(service: Service, paint: Paint, brief: bool = False) -> Iterator[str]:
    title = one_line(f"{service.name} ({service.manager})")
    yield f"{paint(title, 'head')}: {one_line(starts_what(service))}"
    if not brief:
        yield from (f"    {one_line(line)}" for line in details(service))
    yield from (f"    by hand: {one_line(line)}" for line in service.obstacles)
    yield from findings(service.findings, paint, brief)


def starts_what(service: Service) -> str:
    if service.started.kind == "side":
        return f"starts something else: {service.command}"
    if service.started.kind == "unknown":
        return f"may start the bot: {service.command}"
    return f"starts the bot: {service.command}"


def details(service: Service) -> Iterator[str]:
    files = [str(path) for path in (service.path, *service.more) if path]
    if files:
        yield ", ".join(files)
    if service.state:
        yield service.state
    if service.policy:
        yield from policy_lines(service.policy)
    yield starts_line(service.starts)
    if service.is_guarded:
        yield "loads the guard"
    yield from (f"note: {line}" for line in service.notes)


def policy_lines(policy: Policy) -> Iterator[str]:
    pause = policy.pause_s
    if policy.is_limited is None and pause is None:
        yield f"restart: {policy.restart}"
        return
    length = f"{spelled(pause)}" if pause is not None else "the manager's own pause"
    if policy.longest_pause_s:
        length += f", growing to {spelled(policy.longest_pause_s)}"
    yield f"restart: {policy.restart} after {length}"
    if policy.limit_burst is None:
        return
    limit = f"{policy.limit_burst} starts in {spelled(policy.limit_interval_s)}"
    most = ""
    if policy.starts_per_hour is not None and not policy.is_limited:
        most = f"; a bot that ends at once is started {policy.starts_per_hour} times an hour"
    if policy.is_limited:
        yield f"start limit: in force ({limit})"
    elif policy.limit_interval_s == 0:
        yield f"start limit: switched off{most}"
    elif policy.longest_pause_s:
        yield f"start limit: not reached ({limit}), as the pauses grow{most}"
    else:
        yield f"start limit: never reached ({limit}), so not in force{most}"


def starts_line(starts: Starts) -> str:
    parts = []
    if starts.hour is not None and starts.day is not None:
        least = f" ({starts.why})" if starts.why else ""
        hour, day = times(starts.hour), times(starts.day)
        parts.append(f"started {hour} in the last hour, {day} in the last day{least}")
    else:
        parts.append(
            "how often it was started is not known" + (f" ({starts.why})" if starts.why else "")
        )
    if starts.restarts is not None:
        parts.append(f"restarted {times(starts.restarts)} since the last start by hand")
    return "; ".join(parts)


def times(number: int) -> str:
    return f"{number:,} time{'' if number == 1 else 's'}"


def spelled(seconds: float | None) -> str:
    if seconds is None or seconds == float("inf"):
        return "forever"
    return f"{seconds:g} s"


def look_lines(looks: Sequence[Look], verbose: bool) -> Iterator[str]:
    """What could not be looked at; with ``verbose`` also what is not here."""
    for look in looks:
        if look.state == "failed":
            yield f"not looked at: {look.manager}: {one_line(look.why)}"
        elif verbose and look.state == "absent":
            yield f"{look.manager}: {one_line(look.why)}"


def summary(services: Sequence[Service]) -> str:
    found = [finding for service in services for finding in service.findings]
    if not services:
        return "no service starts this bot, as far as skillgen could look"
    if not found:
        return "nothing wrong with what starts this bot"
    return count(len(found), "finding")
