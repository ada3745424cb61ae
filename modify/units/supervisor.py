"""What a unit says of restarts, whichever process manager reads it."""

from __future__ import annotations

import re
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Supervisor:
    """What a unit sets. restart: systemd's words, whatever the kind: ``no``, ``always``,
    ``on-failure``, ``on-success`` … (compose: ``unless-stopped`` too).

    restart_s: RestartSec, launchd's ThrottleInterval, pm2's restart_delay, a loop's sleep.
    limit_*: systemd's start limit where it is effective, in seconds and starts.
    prevent_codes: exit codes that end it (pm2's stop_exit_codes, supervisord's exitcodes).
    max_restarts, min_uptime_s: compose's count; pm2's two; supervisord's startretries and
    startsecs. backoff_s: pm2's first exponential delay; the longest pause where they grow, in a
    loop and under systemd. steps: systemd's RestartSteps.
    """

    kind: str
    restart: str = "no"
    restart_s: float = 0.0
    limit_interval_s: float = 0.0
    limit_burst: int = 0
    prevent_codes: tuple[int, ...] = ()
    force_codes: tuple[int, ...] = ()
    max_restarts: int = 0
    min_uptime_s: float = 0.0
    backoff_s: float = 0.0
    steps: int = 0


def codes(text: str) -> tuple[int, ...]:
    """The whole numbers in a list of exit statuses."""
    return tuple(int(word) for word in re.findall(r"(?<![\w.])\d+(?![\w.])", text))
