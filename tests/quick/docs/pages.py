"""What a page names: commands, files, links, rules."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator

import click

from skill import cli

FENCE = re.compile(r"^( *)```(\w*)\n(.*?)^\1```$", re.M | re.S)
CODE = re.compile(r"`([^`\n]+)`")
SKILLGEN = re.compile(r"^(?:\./|\S+/)?skillgen(?=\s|$)")
# What stands for a value of the reader's, as the pages write it.
WORDS = {"N": "5", "RULE": "flat-retry", "ID": "flat-retry", "auto|exit|stop-channel": "exit"}
LINK = re.compile(r"\]\(([^)]+)\)")


def fenced(page: str, language: str) -> Iterator[str]:
    for block in FENCE.finditer(page):
        if block[2] == language:
            yield from (line.strip() for line in block[3].splitlines() if line.strip())


def inline(page: str) -> list[str]:
    return CODE.findall(FENCE.sub("", page))


def skillgen_commands(page: str) -> list[str]:
    """Each command line of skillgen that the page tells a reader to run."""
    found = [line for line in fenced(page, "sh") if SKILLGEN.match(line)]
    found += [text for text in inline(page) if re.match(r"(\./)?skillgen [a-z-]", text)]
    return found


def parse(command: str) -> None:
    """Raise click.UsageError unless skillgen takes the command line."""
    words = [WORDS.get(word, word) for word in shlex.split(command)[1:]]
    words = [word for word in words if not re.fullmatch(r"\[\w+\]…?", word) and word != "…"]
    context = cli.main.make_context("skillgen", words)
    name, command_found, rest = cli.main.resolve_command(
        context, [*context._protected_args, *context.args]
    )
    assert command_found is not None, name
    command_found.make_context(name or "", list(rest), parent=context)


def options_of(name: str) -> set[str]:
    command = cli.main.commands[name]
    return {
        flag
        for parameter in command.params
        if isinstance(parameter, click.Option)
        for flag in parameter.opts
    }
