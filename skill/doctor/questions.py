"""The questions of the doctor, in the order in which what they find is mended."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from skill.doctor.answer import Answer, Unseen
from skill.doctor.attempts import attempts
from skill.doctor.build import build
from skill.doctor.linger import linger
from skill.doctor.memory import memory
from skill.doctor.pipe import pipe
from skill.doctor.processes import processes
from skill.doctor.protection import protection
from skill.doctor.scene import Scene
from skill.doctor.sending import sending
from skill.doctor.unit import unit
from skill.errors import SkillgenError

Question = Callable[[Scene], Iterator[Answer | Unseen]]
QUESTIONS: dict[str, Question] = {
    "attempts": attempts,
    "protection": protection,
    "build": build,
    "memory": memory,
    "service": unit,
    "exit status": pipe,
    "lingering": linger,
    "processes": processes,
    "sending": sending,
}


def asked(scene: Scene) -> tuple[list[Answer], list[Unseen]]:
    """Every question's answers; one that cannot be answered keeps no other from it."""
    answers: list[Answer] = []
    unseen: list[Unseen] = []
    for name, question in QUESTIONS.items():
        try:
            for found in question(scene):
                if isinstance(found, Answer):
                    answers.append(found)
                else:
                    unseen.append(found)
        except (SkillgenError, OSError) as error:
            unseen.append(Unseen(name, str(error)))
    return answers, list(dict.fromkeys(unseen))
