"""The program that an image of the host runs: ENTRYPOINT and CMD of a Dockerfile's stage.

Dockerfile reference: the last ENTRYPOINT and CMD count, each as a list (run as it is) or a
text (run by a shell); a stage has those of the stage that it is made from.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass

FROM = re.compile(r"FROM\s+(?:--\S+\s+)*(\S+)(?:\s+AS\s+(\S+))?\s*$", re.IGNORECASE)
PROGRAM = re.compile(r"(ENTRYPOINT|CMD)\s+(.+)$", re.IGNORECASE | re.DOTALL)
# A list of words, or one text for a shell.
Words = list[str] | str


@dataclass
class Stage:
    name: str
    base: str
    entrypoint: Words | None = None
    command: Words | None = None


def read(text: str, target: str = "") -> tuple[Words, Words]:
    """ENTRYPOINT and CMD of the stage ``target``, else of the last one; [] where there is none."""
    text = re.sub(r"^[ \t]*#.*\n?", "", text.replace("\r\n", "\n"), flags=re.MULTILINE)
    stages: list[Stage] = []
    for line in re.sub(r"\\[ \t]*\n", " ", text).split("\n"):
        line = line.strip()
        begun, program = FROM.match(line), PROGRAM.match(line)
        if begun:
            stages.append(Stage((begun[2] or "").lower(), begun[1].lower()))
        elif program and stages:
            value = words_of(program[2])
            if program[1].upper() == "CMD":
                stages[-1].command = value
            else:
                stages[-1].entrypoint, stages[-1].command = value, None
    named = [stage for stage in stages if target and stage.name == target.lower()]
    if not stages or (target and not named):
        return [], []
    return resolved((named or stages)[-1], stages)


def resolved(stage: Stage, stages: list[Stage]) -> tuple[Words, Words]:
    entrypoint, command = stage.entrypoint, stage.command
    for _ in stages:
        bases = [other for other in stages if other.name and other.name == stage.base]
        if not bases or bases[0] is stage:
            break
        stage = bases[0]
        if entrypoint is None and command is None:
            command = stage.command
        entrypoint = stage.entrypoint if entrypoint is None else entrypoint
    return entrypoint or [], command or []


def words_of(value: str) -> Words:
    if value.lstrip().startswith("["):
        try:
            found = json.loads(value)
        except (ValueError, RecursionError):
            return value
        if isinstance(found, list):
            return [str(word) for word in found]
    return value
