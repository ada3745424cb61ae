"""The options of ``skillgen service``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from skill.options import ServiceOptions

NAMES = ("apply", "revert", "dry_run", "guard", "restart", "units", "guard_file")
OPTIONS = (
    click.option(
        "--apply", is_flag=True, help="Make it safe: the manager's own way, no file lost."
    ),
    click.option("--revert", is_flag=True, help="Take back what --apply wrote, to the byte."),
    click.option("--dry-run", is_flag=True, help="Show what would be written; write nothing."),
    click.option("--guard", is_flag=True, help="With --apply: the guard as well (skillgen guard)."),
    click.option("--restart", is_flag=True, help="Start the service anew afterwards."),
    click.option(
        "--unit", "units", multiple=True, metavar="NAME", help="Only this service. Repeatable."
    ),
    click.option(
        "--guard-file",
        type=click.Path(path_type=Path),
        metavar="PATH",
        help="Where the guard is kept.",
    ),
)


def choice_from(choices: dict[str, Any]) -> ServiceOptions:
    """Raises UsageError for options that do not go together."""
    choice = ServiceOptions(**{name: choices.pop(name) for name in NAMES})
    if choice.apply and choice.revert:
        raise click.UsageError("--apply writes and --revert takes back; give one of them")
    changes = choice.apply or choice.revert
    if (choice.dry_run or choice.restart) and not changes:
        raise click.UsageError("--dry-run and --restart go with --apply or --revert")
    if (choice.guard or choice.guard_file) and not choice.apply:
        raise click.UsageError("--guard and --guard-file go with --apply")
    if choice.guard_file and not choice.guard:
        raise click.UsageError("--guard-file goes with --guard")
    if choice.restart and choice.dry_run:
        raise click.UsageError("a dry run restarts nothing")
    return choice
