"""The ids of the rules that are named outside their own files.

A rule's id is its file's name; these constants are for edits, findings and options, so that a
misspelt one does not pass the type checker, and importing them costs nothing. That each is a
rule's id is tested, as is that no other file holds one as a string. A rule that nothing else
names needs no line here.
"""

from __future__ import annotations

from typing import Final

AUTH_FAILURE_EXIT: Final = "auth-failure-exit"
CHANNEL_GIVES_UP: Final = "channel-gives-up"
COMPOSE_RESTART_ALWAYS: Final = "compose-restart-always"
FAULT_ASSERTING_TEST: Final = "fault-asserting-test"
FLAT_RETRY: Final = "flat-retry"
LAUNCHD_KEEP_ALIVE: Final = "launchd-keep-alive"
LOGOUT_HIDDEN_BY_BRIDGE: Final = "logout-hidden-by-bridge"
LOGOUT_UNHEARD: Final = "logout-unheard"
LOST_FIRST_OPEN: Final = "lost-first-open"
NO_CONNECT_DEADLINE: Final = "no-connect-deadline"
PM2_AUTORESTART: Final = "pm2-autorestart"
PREMATURE_RESET: Final = "premature-reset"
QR_EXIT: Final = "qr-exit"
RECONNECT_AFTER_STOP: Final = "reconnect-after-stop"
SILENT_REDIAL: Final = "silent-redial"
STACKED_TIMERS: Final = "stacked-timers"
STALE_SKILL_COPY: Final = "stale-skill-copy"
SUPERVISORD_AUTORESTART: Final = "supervisord-autorestart"
SYSTEMD_RESTART_ALWAYS: Final = "systemd-restart-always"
SYSTEMD_START_LIMIT: Final = "systemd-start-limit"
UNGATED_CONNECT: Final = "ungated-connect"
WRAPPER_RESTART_ALWAYS: Final = "wrapper-restart-always"
