"""The cases of the golden master that are no test's: a name, and a text that stays as it is."""

from __future__ import annotations

import itertools
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import get_args

from click.testing import CliRunner

from modify.rules.frames import hosts_of
from skill import rulebook
from skill.cli import main
from skill.errors import SkillgenError
from skill.guard.render import render_guard, render_wrapping
from skill.host import Host
from skill.options import AuthFailure, Options, ServiceKind
from skill.render.python import Profile, PythonStyle, render_python_module, render_python_test
from skill.render.service_units import render_service
from skill.render.style import Style, TrailingCommas
from skill.render.typescript import Kind, render_channel_module, render_channel_test
from tests.golden.recorder import outcome
from tests.slow.matrix.variants import channel_text, surroundings, variants

Case = tuple[str, str]
TESTS = Path(__file__).resolve().parent.parent
VERSION = "1.2.3"


def cases() -> Iterator[Case]:
    for part in (plans, reports, examples, matrix, modules, python_modules, services, pages):
        yield from part()


def hosts() -> Iterator[Path]:
    for base in ("hosts", "hosts_python"):
        folders = (path for path in (TESTS / base).iterdir() if path.is_dir())
        # What Python and others keep there is no host.
        yield from sorted(path for path in folders if not path.name.startswith((".", "__")))


def plans() -> Iterator[Case]:
    """Every fixture host, and those of the options that change its plan."""
    for host in hosts():
        yield f"plan {host.name}", outcome(host)
        for option in get_args(AuthFailure):
            choice = Options(
                only_skill_assets=option == "exit",
                on_auth_failure=option,
                select=frozenset({"flat-retry", "logout-unheard", "ungated-connect"}),
                ignore=frozenset({"systemd-restart-always"}),
                start_limit=7,
            )
            if option != Options().on_auth_failure:
                yield f"plan {host.name} {option}", outcome(host, choice)


def reports() -> Iterator[Case]:
    """The report of every fixture host, as people and agents get it."""
    for host in hosts():
        shown = CliRunner().invoke(main, ["inspect", "-v", "--format", "json", str(host)])
        yield f"inspect {host.name}", shown.output.replace(str(host), "HOST")


def examples() -> Iterator[Case]:
    with tempfile.TemporaryDirectory() as folder:
        for rule in rulebook.rules().values():
            for number, example in enumerate(rule.examples):
                root = Path(folder, f"{rule.id}-{number}")
                for path, text in hosts_of(example)[0].items():
                    (root / path).parent.mkdir(parents=True, exist_ok=True)
                    (root / path).write_text(text)
                yield f"example {root.name}", outcome(root)


def matrix() -> Iterator[Case]:
    """The machine-made channels, as they are before prettier."""
    with tempfile.TemporaryDirectory() as folder:
        for variant in variants():
            root = Path(folder, variant.id)
            for path, text in {
                variant.path: channel_text(variant),
                **surroundings(variant),
            }.items():
                (root / path).parent.mkdir(parents=True, exist_ok=True)
                (root / path).write_text(text)
            yield f"matrix {variant.id}", outcome(root)


def modules() -> Iterator[Case]:
    """The TypeScript and JavaScript module in every style, and the guard."""
    commas = itertools.cycle(get_args(TrailingCommas))
    for quote, semicolons, rest in itertools.product(("'", '"'), (True, False), (True, False)):
        style = Style(
            indent="  " if rest else "\t",
            quote=quote,
            semicolons=semicolons,
            trailing_commas=next(commas),
            arrow_parens=rest,
            bracket_spacing=not rest,
            end_of_line="\n" if rest else "\r\n",
            modules="esm" if rest else "commonjs",
        )
        name = f"{quote}{semicolons}{rest}"
        for ending in (".ts", ".js" if semicolons else ".cjs"):
            for kind in get_args(Kind):
                text = render_channel_module(style, VERSION, ending, kind=kind)
                yield f"module {kind} {name} {ending}", text
            yield f"module test {name} {ending}", render_channel_test(style, VERSION, "r", ending)
    yield "guard", render_guard(VERSION).decode()
    yield "guard wrapping", render_wrapping()


def python_modules() -> Iterator[Case]:
    styles = itertools.product(("    ", "\t"), ('"', "'"), ("\n", "\r\n"))
    for style, profile in itertools.product(
        (PythonStyle(*values) for values in styles), get_args(Profile)
    ):
        name = f"{profile} {style.indent!r}{style.quote}{style.end_of_line!r}"
        yield f"python module {name}", render_python_module(VERSION, profile, style)
        yield f"python test {name}", render_python_test(VERSION, profile, style)


def services() -> Iterator[Case]:
    """The units that a host gains with ``--add-service``, on a machine with no programs."""
    for host in hosts():
        for kind in get_args(ServiceKind):
            try:
                text = render_service(kind, Host(host), find=lambda _: None).content.decode()
            except SkillgenError as error:
                text = str(error)
            yield f"service {kind} {host.name}", text.replace(str(host), "HOST")


def pages() -> Iterator[Case]:
    yield "rules", CliRunner().invoke(main, ["rule"]).output
    for name in rulebook.rules():
        yield f"rule {name}", CliRunner().invoke(main, ["rule", name]).output
