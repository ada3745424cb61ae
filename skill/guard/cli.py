"""The options of ``skillgen guard``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from skill.options import GuardOptions

PATH = click.Path(path_type=Path)
BEHIND = "guard.command"


class WithCommand(click.Command):
    """A command that takes another one after ``--`` and leaves its options alone."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        if "--" in args:
            at = args.index("--")
            ctx.meta[BEHIND] = tuple(args[at + 1 :])
            args = args[:at]
            if not ctx.meta[BEHIND]:
                raise click.UsageError("no command behind --", ctx)
        return super().parse_args(ctx, args)

    def collect_usage_pieces(self, ctx: click.Context) -> list[str]:
        return [*super().collect_usage_pieces(ctx), "[-- COMMAND...]"]


OPTIONS = (
    click.option(
        "--unit",
        "units",
        type=PATH,
        multiple=True,
        metavar="FILE",
        help="The unit that starts the bot: systemd, launchd, compose, pm2, supervisord.",
    ),
    click.option("--service", metavar="NAME", help="The bot's program in a unit that has several."),
    click.option("--guard-file", type=PATH, metavar="PATH", help="Where the guard is kept."),
    click.option("--memory", metavar="FOLDER", help="Where the bot's attempts are remembered."),
    click.option("--remove", is_flag=True, help="Take back what --unit wrote."),
    click.option("--dry-run", is_flag=True, help="Show what would be written; write nothing."),
)


def choice_from(choices: dict[str, Any]) -> GuardOptions:
    """Raises UsageError for options that do not go together."""
    command = click.get_current_context().meta.get(BEHIND, ())
    names = ("units", "service", "guard_file", "memory", "remove", "dry_run")
    choice = GuardOptions(**{name: choices.pop(name) for name in names}, command=command)
    if choice.command and (choice.units or choice.remove):
        raise click.UsageError("a command runs once; --unit and --remove do not go with it")
    return choice
