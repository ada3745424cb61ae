"""What both tables print below the line of a scenario. Times are virtual seconds."""

from __future__ import annotations

from skill.storm.outcome import Outcome


def exits_of(outcome: Outcome) -> str:
    return " ".join(f"{code}×{count}" for code, count in outcome.exits.items()) or "-"


def settled(outcome: Outcome) -> str:
    """When the driven call came back; "!" where it was rejected."""
    return seconds(outcome.settled_s) + {True: "", False: "!", None: ""}[outcome.settled_ok]


def seconds(value: float | None) -> str:
    return "-" if value is None else f"{value:.1f}"


def print_details(outcome: Outcome, *, log: bool, judged: bool) -> None:
    for note in outcome.notes:
        print(f"    {note}")
    for fault in outcome.faults:
        print(f"    {fault.kind} ×{fault.count}, first at {fault.first_s:.1f} s: {fault.text}")
        if log and fault.where:
            print(fault.where)
    for line in outcome.broken() if judged else []:
        print(f"    BROKEN: {line}")
    for at, level, text in outcome.log if log else ():
        print(f"    | {at:10.1f} {level}: {text}")
