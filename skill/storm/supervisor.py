"""What starts the process again: systemd, launchd, compose, pm2 and their like, or nothing.

The rules are those of systemd.service(5) and systemd.unit(5), launchd.plist(5), moby's
restartmanager, pm2's God.handleExit and supervisord's process states; both
engines follow them. What a host's own unit says: ``skill.storm.host.units``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Kind = Literal["none", "systemd", "launchd", "compose", "pm2", "supervisord", "shell"]


@dataclass(frozen=True, slots=True)
class Supervisor:
    """Restart rules. restart: systemd's words, whatever the kind: ``no``, ``always``,
    ``on-failure``, ``on-success`` … (compose: ``unless-stopped`` too).

    restart_s: RestartSec, launchd's ThrottleInterval, pm2's restart_delay, a loop's sleep.
    limit_*: systemd's start limit where it is effective, in seconds and starts.
    prevent_codes: exit codes that end it (pm2's stop_exit_codes, supervisord's exitcodes).
    max_restarts, min_uptime_s: compose's count; pm2's two; supervisord's startretries and
    startsecs. backoff_s: pm2's first exponential delay; the longest pause of a loop that grows.
    """

    kind: Kind
    restart: str = "no"
    restart_s: float = 0.0
    limit_interval_s: float = 0.0
    limit_burst: int = 0
    prevent_codes: tuple[int, ...] = ()
    force_codes: tuple[int, ...] = ()
    max_restarts: int = 0
    min_uptime_s: float = 0.0
    backoff_s: float = 0.0


NONE = Supervisor("none")
# NanoClaw's own unit, and what skillgen makes of it (domain.md, "Supervisors"). systemd's
# default limit, 5 starts in 10 s, cannot be reached with either RestartSec.
ALWAYS_5S = Supervisor("systemd", "always", 5.0, limit_interval_s=10.0, limit_burst=5)
ON_FAILURE_10S = Supervisor("systemd", "on-failure", 10.0, limit_interval_s=300.0, limit_burst=5)
LAUNCHD_KEEP_ALIVE = Supervisor("launchd", "always", 10.0)
LAUNCHD_ON_FAILURE = Supervisor("launchd", "on-failure", 10.0)
COMPOSE_ALWAYS = Supervisor("compose", "always")
