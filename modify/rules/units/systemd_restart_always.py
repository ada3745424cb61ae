"""A unit that starts the bot again after every exit, a clean one included.

What it finds
    Finds ``Restart=always`` and ``Restart=on-success`` in a systemd unit that starts the
    host itself, with the pause that goes with it.

Why it is bad
    A bot whose session was revoked exits, and must not connect again. Under
    ``Restart=always`` with ``RestartSec=5`` it made 16,302 attempts in 24 hours; under
    ``on-failure``, with exit 0 on a revoked session, one.

What is done
    ``Restart=on-failure``, and ``RestartSec=10`` where the pause is shorter or not given; a
    longer one stays. A bot that is killed or crashes is still started again, and
    ``enable`` still starts it at boot (NanoClaw pull request 746). The pauses grow, so that
    the start limit does not end the bot for good: see ``systemd-start-limit``.

When it is handed off
    When the unit names a clean exit among those that restart whatever ``Restart=`` says
    (``RestartForceExitStatus=0``: the host restarts itself by exiting), or calls status 1
    clean (``SuccessExitStatus=1``: a crash would stay down); when the value is computed;
    when it is unclear what the unit starts; when the host sends itself SIGTERM to be
    started again, or only its messages say that an end is a restart. A plain restart of its
    own by exit status 0 gets status 75.
    ``on-abnormal``, ``on-abort`` and ``on-watchdog`` do not start a bot again that exited,
    and stay.
"""

from __future__ import annotations

from collections.abc import Iterator

from modify.effects import RestartsOnFailureOnly
from modify.rules import Example, Rule, Sight
from modify.units.managers.systemd import PAUSE, RESTARTS_ON_SUCCESS, Directive, SystemdUnit
from modify.units.restarts import GROWTH, paced, wanted
from skill.edit import Edit
from skill.options import Options

LIMIT = "StartLimitIntervalSec=300\nStartLimitBurst=5\n"
KNOWN = ("no", "on-failure", "on-abnormal", "on-watchdog", "on-abort", *RESTARTS_ON_SUCCESS)

rule = Rule(
    __name__,
    fix=f"Restart=on-failure, RestartSec={PAUSE}",
    accept="Restart=on-failure in this unit",
    ends_clean_restarts=True,
    examples=(
        Example(
            "systemd",
            "[Unit]\nDescription=Bot\n" + LIMIT + "\n"
            "[Service]\nExecStart=/usr/bin/node /opt/bot/dist/index.js\n"
            "Restart=always\nRestartSec=5\n",
            "[Unit]\nDescription=Bot\n" + LIMIT + "\n"
            "[Service]\nExecStart=/usr/bin/node /opt/bot/dist/index.js\n"
            "Restart=on-failure\nRestartSec=10\n" + GROWTH,
        ),
        Example(
            "systemd",
            "[Unit]\nDescription=Bot\n" + LIMIT + "\n"
            "[Service]\nExecStart=/usr/bin/node /opt/bot/dist/index.js\nRestart=always\n",
            "[Unit]\nDescription=Bot\n" + LIMIT + "\n"
            "[Service]\nExecStart=/usr/bin/node /opt/bot/dist/index.js\n"
            "Restart=on-failure\nRestartSec=10\n" + GROWTH,
        ),
    ),
)


@rule.detects("systemd")
def check(unit: SystemdUnit, options: Options) -> Iterator[Sight]:
    restart = unit.restart
    if unit.is_one_shot:
        return
    if restart is None or restart.value not in KNOWN:
        yield from computed(unit, restart)
        return
    if restart.value not in RESTARTS_ON_SUCCESS:
        return
    message = f"Restart={restart.value} restarts the bot even after its session was revoked"
    reason = obstacle(unit)
    if reason:
        yield rule.hand_off(unit.text, restart.start, message, reason)
        return
    place = restart.value_start, restart.value_end
    edits = [Edit(*place, b"on-failure", rule.id, (RestartsOnFailureOnly(),))]
    pauses = paced(unit, restart, wanted(unit, options), rule.id)
    edits += pauses.edits
    fix = "Restart=on-failure" + (f", RestartSec={pauses.pause}" if pauses.pause else "")
    fix += f" ({unit.waits_for})" if pauses.pause > PAUSE else ""
    yield rule.at(unit.text, restart.start, message, fix, edits)


def computed(unit: SystemdUnit, restart: Directive | None) -> Iterator[Sight]:
    """The setting is code, or code may add one."""
    message = "what restarts the bot is computed"
    reason = "skillgen does not run the code that writes this unit"
    if restart is not None and restart.computed:
        yield rule.hand_off(unit.text, restart.start, message, reason)
    elif unit.text.computes(rb"\bRestart\b"):
        yield rule.hand_off(unit.text, unit.text.start, message, reason)


def obstacle(unit: SystemdUnit) -> str:
    """Why ``on-failure`` would break this host, or nothing."""
    forced = unit.last("Service", "RestartForceExitStatus")
    if forced is not None and not are_failures(statuses(unit, forced)):
        return (
            f"RestartForceExitStatus={forced.value} restarts the host by its exit status; give "
            "that restart a status of its own, and the revoked session another"
        )
    clean = unit.last("Service", "SuccessExitStatus")
    if clean is not None and "1" in clean.value.split():
        return "SuccessExitStatus= calls status 1 clean, so a crash would not be restarted"
    return ""


def statuses(unit: SystemdUnit, forced: Directive) -> list[str]:
    """The words of a list of exit statuses; a computed one is looked up."""
    if not forced.computed:
        return forced.value.split()
    meant = unit.text.resolve(forced.source.strip())
    return meant[0].split() if len(meant) == 1 else [forced.source]


def are_failures(words: list[str]) -> bool:
    """Statuses that ``on-failure`` restarts as well: numbers other than 0."""
    return all(word.isascii() and word.isdigit() and int(word[:9]) > 0 for word in words)
