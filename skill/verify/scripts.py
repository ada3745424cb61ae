"""The scripts of a package.json, and which program one runs in the end.

A script is a line for a shell, and is run as one. Only where its last command is a test runner or
a compiler that is known, and nothing in it needs a shell to be understood, options are added at
its end, as ``npm test -- …`` does, so that it writes what it finds where it can be read.
"""

from __future__ import annotations

import posixpath
import re
import shlex
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

RUNNERS = ("vitest", "jest", "mocha", "tsc", "pytest")
# What stands before a program and does not change which one it is.
_LAUNCHERS = frozenset({"npx", "bunx", "cross-env", "env", "exec", "--", "--no-install", "-y"})
_MANAGERS = frozenset({"npm", "pnpm", "yarn", "bun"})
_SHELL = re.compile(r"[;|<>`$()\\\n*?~#{}]|&(?!&)")
_ASSIGNMENT = re.compile(r"[A-Za-z_]\w*=")
_WATCHES = frozenset({"--watch", "--watchAll", "-w"})
MOST_STEPS = 4  # from a script to another one
PLACEHOLDER = "no test specified"


@dataclass(frozen=True, slots=True)
class Script:
    """text: the whole line. head: what comes before the last command, with its ``&&``.

    words: the last command; runner: what it runs in the end, "" where that is not known.
    at: the number of the word that is the runner.
    """

    text: str
    head: str = ""
    words: tuple[str, ...] = ()
    runner: str = ""
    at: int = 0

    def with_options(self, options: Sequence[str]) -> str:
        """The line with options for the runner."""
        words = [word for word in self.words if word not in _WATCHES]
        if self.runner == "node --test":  # its options stand before the files
            words[self.at + 1 : self.at + 1] = options
        else:
            words += options
        return self.head + shlex.join(words)


def script_of(scripts: Mapping[str, str], name: str) -> Script | None:
    """A script by its name, or None. One that only calls another one is that other one."""
    text = scripts.get(name, "").strip()
    for _ in range(MOST_STEPS):
        called = _called(text, scripts)
        if called is None:
            break
        text = scripts[called].strip()
    return _read(text) if text else None


def _called(text: str, scripts: Mapping[str, str]) -> str | None:
    words = text.split()
    if len(words) < 2 or words[0] not in _MANAGERS:
        return None
    rest = words[2:] if words[1] in ("run", "run-script") else words[1:]
    return rest[0] if len(rest) == 1 and rest[0] in scripts else None


def _read(text: str) -> Script:
    head, joined, last = text.rpartition("&&")
    if _SHELL.search(last):
        return Script(text)
    try:
        words = tuple(shlex.split(last))
    except ValueError:
        return Script(text)
    for at, runner in _programs(words):
        return Script(text, f"{head.strip()} && " if joined else "", words, runner, at)
    return Script(text)


def _programs(words: Sequence[str]) -> Iterator[tuple[int, str]]:
    """The number and the name of the word that is a known runner, once or not at all."""
    at = 0
    while at < len(words) and (words[at] in _LAUNCHERS or _ASSIGNMENT.match(words[at])):
        at += 1
    if words[at : at + 1] in (("pnpm",), ("yarn",)):
        at += 2 if words[at + 1 : at + 2] == ("exec",) else 1
    program = posixpath.basename(words[at]) if at < len(words) else ""
    if program in RUNNERS:
        yield at, program
    elif program in ("node", "tsx"):
        for place in range(at + 1, len(words)):
            if words[place] == "--test":
                yield place, "node --test"
                return
            runner = _runner_file(words[place])
            if runner:
                yield place, runner
                return
            if not words[place].startswith("-") and not words[place - 1].startswith("-"):
                return


def _runner_file(word: str) -> str:
    """``node_modules/jest/bin/jest.js`` and the like."""
    _, installed, rest = word.rpartition("node_modules/")
    name = posixpath.splitext(posixpath.basename(rest))[0]
    return name if installed and name in RUNNERS else ""
