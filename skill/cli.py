"""The command line: reads options, calls, prints; decides nothing.

Exit status: 0 done or nothing to do; 1 findings, hand-offs or conflicts are left; 2 nothing
was written, one line on stderr says why. What examines a host is imported where it is
used, so ``--help`` is fast.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click
from click.shell_completion import CompletionItem as Completion

from skill import REPORT_AT, __version__, changed
from skill.errors import SkillgenError
from skill.guard import cli as guard_cli
from skill.options import START_LIMITS, ApplyOptions, Options, StormOptions, VerifyOptions
from skill.report.printer import Printer, leave_pipe
from skill.service import cli as service_cli

if TYPE_CHECKING:
    from skill.commands.hosts import Session

Function = TypeVar("Function", bound=Callable[..., Any])
STOPPED = "stopped; what was begun is settled by the next command"


def with_options(*decorators: Callable[[Function], Function]) -> Callable[[Function], Function]:
    def decorate(function: Function) -> Function:
        for decorator in reversed(decorators):
            function = decorator(function)
        return function

    return decorate


FILE = click.Path(path_type=Path)
WHOLE = 500
"""More characters than the first sentence of any command's help has."""


def complete_folder(_ctx: click.Context, _param: click.Parameter, typed: str) -> list[Completion]:
    return [Completion(typed, type="dir")]


def complete_rule(_ctx: click.Context, _param: click.Parameter, typed: str) -> list[Completion]:
    # Lazy: the rules take 0.1 s to import.
    from modify.rules import rule_ids

    return [Completion(name) for name in rule_ids() if name.startswith(typed)]


host_argument = click.argument("host", default=".", type=FILE, shell_complete=complete_folder)
hosts_argument = click.argument(
    "hosts", metavar="[HOST]...", nargs=-1, type=FILE, shell_complete=complete_folder
)


def format_option(*more: str) -> Callable[[Function], Function]:
    return click.option(
        "--format",
        "form",
        type=click.Choice(["text", "json", *more]),
        default="text",
        help="Format of the report.",
    )


loudness = with_options(
    click.option("-v", "--verbose", is_flag=True, help="Also show what was left alone, and why."),
    click.option("-q", "--quiet", is_flag=True, help="Show only the essentials."),
)
output_options = with_options(format_option(), loudness)
findings_options = with_options(format_option("sarif", "github"), loudness)
full_option = click.option(
    "--full", is_flag=True, help="Show the whole diff; a terminal otherwise folds added files."
)
rule_options = with_options(
    click.option(
        "--select",
        multiple=True,
        metavar="RULE",
        help="Only this rule. Repeatable.",
        shell_complete=complete_rule,
    ),
    click.option(
        "--ignore",
        multiple=True,
        metavar="RULE",
        help="Not this rule. Repeatable.",
        shell_complete=complete_rule,
    ),
    click.option(
        "--only-skill-assets", is_flag=True, help="Only the skills' own copies (add/, modify/)."
    ),
    click.option(
        "--on-auth-failure",
        type=click.Choice(["auto", "exit", "stop-channel"]),
        default="auto",
        help="What a revoked session ends: the process (status 0) or this channel.",
    ),
    click.option(
        "--start-limit",
        type=click.IntRange(START_LIMITS[0], START_LIMITS[-1]),
        default=5,
        metavar="N",
        help="Starts in five minutes that systemd allows (5).",
    ),
)


class Interrupted(BaseException):
    """SIGINT, under a name for which click does not print an empty line."""


class Commands(click.Group):
    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except KeyboardInterrupt:
            raise Interrupted from None

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Each command with its whole first sentence, which click would cut to one line."""
        rows = [
            (name, command.get_short_help_str(WHOLE))
            for name in self.list_commands(ctx)
            if (command := self.get_command(ctx, name)) is not None
        ]
        with formatter.section("Commands"):
            formatter.write_dl(rows)


@click.group(
    cls=Commands,
    invoke_without_command=True,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.version_option(__version__, prog_name="skillgen", message="%(prog)s %(version)s")
@click.pass_context
def main(ctx: click.Context) -> None:
    """Patch a WhatsApp bot so that it cannot hammer WhatsApp with connection attempts.

    Start with: skillgen inspect HOST, then skillgen apply HOST --dry-run. HOST is the bot's
    project folder, by default the current one; inspect and apply take several.
    """
    if ctx.invoked_subcommand is None:
        click.echo(ctx.get_help())


@main.command()
@hosts_argument
@rule_options
@findings_options
def inspect(hosts: tuple[Path, ...], **choices: Any) -> int:
    """Look at each HOST and list what is wrong. Writes nothing."""
    session, options = _session("inspect", choices)
    return session.inspect(hosts or (Path(),), options)


@main.command()
@host_argument
@click.option(
    "--installed",
    is_flag=True,
    help="Look at what runs here, too (doctor). With -q: one line if something is wrong.",
)
@rule_options
@findings_options
def check(host: Path, installed: bool, **choices: Any) -> int:
    """Look again: status 0 when nothing is left to do."""
    session, options = _session("check", choices)
    return session.check(host, options, installed)


@main.command()
@hosts_argument
@click.option("--dry-run", is_flag=True, help="Show the diff (for git apply); write nothing.")
@click.option("--exit-code", is_flag=True, help="With --dry-run: 1 if anything would change.")
@click.option(
    "--prove",
    is_flag=True,
    help="Run the bot's own code, before and after, through storms; write only what holds.",
)
@click.option("--save-plan", type=FILE, metavar="FILE", help="Save the plan: paths, rules, hashes.")
@click.option("--plan", type=FILE, metavar="FILE", help="Apply exactly what this plan says.")
@click.option(
    "--add-service",
    type=click.Choice(["systemd", "launchd", "pm2", "supervisord"]),
    help="Add a whole unit to a host that has none.",
)
@click.option(
    "--verify", is_flag=True, help="Run its type check, tests and build, in copies, first."
)
@click.option(
    "--verify-limit",
    type=click.IntRange(1),
    metavar="SECONDS",
    help=f"How long each command of --verify may take ({VerifyOptions().limit_s}).",
)
@full_option
@rule_options
@format_option("markdown")
@loudness
def apply(
    hosts: tuple[Path, ...],
    dry_run: bool,
    exit_code: bool,
    prove: bool,
    save_plan: Path | None,
    plan: Path | None,
    verify: bool,
    verify_limit: int | None,
    full: bool,
    **choices: Any,
) -> int:
    """Patch each HOST, all or nothing, and say which commands come next.

    With --format markdown the report is the text of a pull request. With --verify the bot's own
    type check, tests and build are run first, before and after the patch, in two copies, without
    a network where this system has a fence; what turns red there stops everything (status 2).
    """
    session, options = _session("apply", choices)
    if (save_plan or plan) and len(hosts) > 1:
        raise click.UsageError("a saved plan is for one host; name one")
    if session.form == "markdown" and len(hosts) > 1:
        raise click.UsageError("a pull request is for one host; name one")
    if exit_code and not dry_run:
        raise click.UsageError("--exit-code goes with --dry-run")
    if plan and options != Options():
        raise click.UsageError("--plan brings its own options; give none of them with it")
    if verify_limit is not None and not verify:
        raise click.UsageError("--verify-limit goes with --verify")
    checks = VerifyOptions(verify_limit or VerifyOptions().limit_s) if verify else None
    choice = ApplyOptions(dry_run, exit_code, prove, save_plan, plan, checks, full)
    return session.apply(hosts or (Path(),), options, choice)


@main.command()
@host_argument
@click.option(
    "--keep", multiple=True, metavar="PATH", help="Leave this file as it is and forget it."
)
@output_options
def revert(host: Path, keep: tuple[str, ...], **choices: Any) -> int:
    """Take back what was applied; what changed since is merged, conflicts are listed."""
    session, _options = _session("revert", choices)
    return session.revert(host, keep)


@main.command()
@host_argument
@output_options
def status(host: Path, **choices: Any) -> int:
    """Say what is applied, what has drifted, and what the bot waits for."""
    session, _options = _session("status", choices)
    return session.status(host)


@main.command()
@host_argument
@output_options
def reset(host: Path, **choices: Any) -> int:
    """Clear a wait or a verdict of the bot's memory file; the attempts of the hour stay."""
    session, _options = _session("reset", choices)
    return session.reset(host)


@main.command()
@host_argument
@click.option("--remove", is_flag=True, help="Take it back; what was edited since stays.")
@output_options
def install(host: Path, remove: bool, **choices: Any) -> int:
    """Put the skill where an agent at work in HOST finds it (.claude/skills/).

    In a patched NanoClaw fork whose updates copy its channel anew, also lay a skill in its own form
    that patches it again.
    """
    session, _options = _session("install", choices)
    return session.install(host, remove)


@main.command(cls=guard_cli.WithCommand)
@host_argument
@with_options(*guard_cli.OPTIONS)
@output_options
def guard(host: Path, **choices: Any) -> int:
    """First aid: limit how often a bot connects, without changing its source.

    A small file that Node loads before the bot holds each attempt to connect until its turn.
    --unit writes what makes a supervisor load it; -- COMMAND runs a command with it.
    """
    choice = guard_cli.choice_from(choices)
    session, _options = _session("guard", choices)
    return session.guard(host, choice)


@main.command()
@host_argument
@with_options(*service_cli.OPTIONS)
@output_options
def service(host: Path, **choices: Any) -> int:
    """Show what starts the bot on this machine, how often, and what is wrong with it.

    Found by what a service executes, not by its name. --apply makes it safe in the manager's own
    way, a drop-in for systemd, and restarts nothing; --revert takes that back.
    """
    choice = service_cli.choice_from(choices)
    session, _options = _session("service", choices)
    return session.service(host, choice)


@main.command()
@host_argument
@output_options
def doctor(host: Path, **choices: Any) -> int:
    """Say whether the bot that runs here is safe; each line has the next command.

    Protection, build, installed service, memory, attempts of the last hour and day. Status 1 when
    something is wrong; warnings alone are 0. Writes nothing.
    """
    session, _options = _session("doctor", choices)
    return session.doctor(host)


@main.command()
@click.argument("rule_id", metavar="[ID]", required=False, shell_complete=complete_rule)
@output_options
def rule(rule_id: str | None, **choices: Any) -> int:
    """Show a rule's page with its examples, or list all rules."""
    session, _options = _session("rule", choices)
    return session.rule(rule_id)


@main.command()
@host_argument
@click.option("--scenario", multiple=True, metavar="ID", help="Only this scenario. Repeatable.")
@click.option(
    "--all", "every", is_flag=True, help="Run every scenario, not only the headline ones."
)
@click.option("--list", "listing", is_flag=True, help="List the scenarios and run nothing.")
@click.option("--channel", multiple=True, metavar="PATH", help="Only this file. Repeatable.")
@click.option("--after-only", is_flag=True, help="Run only the patched bot: a tenth of the time.")
@click.option("--guard", "guarded", is_flag=True, help="Run the bot as it is, under the guard.")
@click.option("--chart", type=FILE, metavar="FILE.svg", help="Draw attempts over time, too.")
@click.option(
    "--node-tools", type=FILE, metavar="FOLDER", help="Folder whose node_modules holds esbuild."
)
@click.option("--install-esbuild", is_flag=True, help="Install esbuild by npm and run nothing.")
@click.option("--require-fence", is_flag=True, help="Run nothing where there is no fence.")
@output_options
def simulate(
    host: Path,
    scenario: tuple[str, ...],
    every: bool,
    listing: bool,
    channel: tuple[str, ...],
    after_only: bool,
    guarded: bool,
    chart: Path | None,
    node_tools: Path | None,
    install_esbuild: bool,
    require_fence: bool,
    **choices: Any,
) -> int:
    """Put the bot through storms, before and after the patch: attempts an hour, side by side.

    Runs the eleven headline scenarios, which docs/proof.md shows, or seven for a Python bot. With
    --all it runs every one, which takes longer, with --scenario those named; --list lists them.

    Runs the bot's own code, from a copy, with a fake WhatsApp and virtual time, in a fence of
    the system's: bubblewrap or unshare with libseccomp (Linux), sandbox-exec (macOS). Says first
    which one, and what it does. Where none works, as in many containers, it says "no fence here:
    this stops accidents, not malice", and runs all the same, unless --require-fence is given.
    With --guard, what is run after is not the patched bot but the bot as it is, under the guard
    (skillgen guard). Writes nothing in HOST. Status 1 when the patched or guarded bot, or one
    that is left as it is, breaks a promise. TypeScript and JavaScript need Node.js 20 or later,
    on PATH or by the extra skillgen-whatsapp[simulate], and esbuild: --install-esbuild, once.
    """
    session, _options = _session("simulate", choices)
    if listing:
        return session.scenarios()
    if install_esbuild:
        return session.install_esbuild()
    if scenario and every:
        raise click.UsageError("--all runs every scenario; --scenario does not go with it")
    wanted = StormOptions(
        scenario, every, channel, after_only, guarded, chart, node_tools, require_fence
    )
    return session.simulate(host, wanted)


@main.command()
@full_option
@output_options
def demo(full: bool, **choices: Any) -> int:
    """Try it all on a bundled host, copied into a temporary folder."""
    session, options = _session("demo", choices)
    return session.demo(options, full)


def _session(command: str, choices: dict[str, Any]) -> tuple[Session, Options]:
    # Lazy: all that examines a host takes 0.1 s to import, which --help would wait for.
    from skill.commands.hosts import Session, options_of

    given = [name for name in choices if _is_given(name)]
    form, quiet, verbose = (choices.pop(name) for name in ("form", "quiet", "verbose"))
    options = options_of(choices)
    printer = Printer(quiet=quiet or form != "text", verbose=verbose)
    return Session(command, printer, form, given), options


def _is_given(name: str) -> bool:
    source = click.get_current_context().get_parameter_source(name)
    return source is not click.core.ParameterSource.DEFAULT


def run(arguments: list[str] | None = None) -> int:
    """Run the command line; returns the exit status and never raises.

    2 says that nothing was written; what stops a command after that makes it 1.
    """
    before = changed.times()
    code = _run(arguments)
    return 1 if code == 2 and changed.times() > before else code


def _run(arguments: list[str] | None) -> int:
    try:
        code = main.main(arguments, prog_name="skillgen", standalone_mode=False)
        sys.stdout.flush()
        return int(code or 0)
    except SkillgenError as error:
        return _stop(str(error))
    except click.UsageError as error:
        return _stop(f"{error.format_message()} (skillgen --help)")
    except click.ClickException as error:
        return _stop(error.format_message())
    except click.exceptions.Exit as error:
        return error.exit_code
    except (click.Abort, KeyboardInterrupt, Interrupted):
        return _stop(STOPPED, 130)
    except BrokenPipeError:
        leave_pipe()
        return 0
    except OSError as error:
        return _stop(f"{error.filename or 'output'}: {error.strerror or error}")
    except RecursionError:
        return _stop("something in this host is nested too deeply to read")
    except MemoryError:
        return _stop("this takes more memory than there is")
    except Exception as error:
        if is_interrupt(error):
            return _stop(STOPPED, 130)
        if os.environ.get("SKILLGEN_DEBUG") == "1":
            raise
        return _stop(
            f"a defect of skillgen: {type(error).__name__}: {error}; please report it at "
            f"{REPORT_AT} with the output of SKILLGEN_DEBUG=1"
        )


def is_interrupt(error: BaseException | None) -> bool:
    """Whether SIGINT is behind an error: Python makes another one of it while a class is made."""
    while error is not None:
        if isinstance(error, KeyboardInterrupt):
            return True
        error = error.__cause__ or error.__context__
    return False


def _stop(line: str, code: int = 2) -> int:
    try:
        sys.stdout.flush()
    except OSError:
        leave_pipe()
    Printer().say(line)
    return code
