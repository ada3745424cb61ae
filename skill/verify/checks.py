"""Which of the host's own checks there are to run, in what order: quick and telling ones first."""

from __future__ import annotations

import os
import posixpath
import re
import shlex
import sys
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from skill.host import Host
from skill.package_json import package_at, texts
from skill.plan import Plan
from skill.source_paths import SCRIPTS, is_test
from skill.verify.copies import ENVIRONMENTS
from skill.verify.reports import options_for
from skill.verify.scripts import PLACEHOLDER, Script, script_of

TYPE_CHECKS = ("typecheck", "type-check", "check-types", "check:types", "types", "tsc")
MOST_NAMED = 200  # test files that are named on a command line
_OF_FILES = "tests of what changes"
_RELATED = {"vitest": "related", "jest": "--findRelatedTests"}
PYTEST = "python -m pytest"


@dataclass(frozen=True, slots=True)
class Check:
    """One command of the host's.

    name: for a person. folder: of the host, where it is run. shown: the command as a person
    would write it. line: what is run, and ``after`` behind it. files: come last in it, those that
    are there on a side; without any there is nothing to run on it. python: its interpreter.
    """

    name: str
    folder: str
    shown: str
    line: Script
    after: str = ""
    files: tuple[str, ...] = ()
    python: Path | None = None

    @property
    def runner(self) -> str:
        return self.line.runner

    @property
    def is_of_files(self) -> bool:
        """Whether it asks for the tests of some files, of which there may be none."""
        return bool(self.files)

    def command(self, report: Path, side: Path) -> str | None:
        """The line for a shell on one side; None where none of its files is there."""
        files = [file for file in self.files if (side / self.folder / file).is_file()]
        if self.files and not files:
            return None
        options = options_for(self.runner, report)
        text = self.line.with_options([*options, *files]) if self.runner else self.line.text
        return text + self.after


@dataclass(frozen=True, slots=True)
class Left:
    """A check that cannot be run, and why."""

    name: str
    why: str


@dataclass(frozen=True, slots=True)
class Checks:
    run: tuple[Check, ...] = ()
    left: tuple[Left, ...] = ()


def checks_of(host: Host, plan: Plan, environment: Mapping[str, str]) -> Checks:
    """What is to be run for the plan: in each package that it changes, and at the root."""
    found: list[list[Check | Left]] = [[], [], [], []]
    for folder in _packages(host, plan):
        for stage, each in enumerate(_of_package(host, plan, folder)):
            found[stage] += each
    if any(change.path.endswith(".py") for change in plan.changes):
        for stage, check in _of_python(host, plan, environment):
            found[stage].append(check)
    every = [check for stage in found for check in stage]
    return Checks(
        tuple(check for check in every if isinstance(check, Check)),
        tuple(dict.fromkeys(check for check in every if isinstance(check, Left))),
    )


def _packages(host: Host, plan: Plan) -> list[str]:
    """The folders of the packages that a change lies in, the root first."""
    found = {"": None} if host.exists("package.json") else {}
    for change in plan.changes:
        folder = posixpath.dirname(change.path)
        while folder and not host.exists(f"{folder}/package.json"):
            folder = posixpath.dirname(folder)
        if folder and not folder.startswith(".claude/"):
            found[folder] = None
    return list(found)


def _of_package(host: Host, plan: Plan, folder: str) -> tuple[list[Check | Left], ...]:
    """Of each stage: type check, tests of what changes, build, all tests."""
    package = package_at(host, folder)
    scripts = texts(package, "scripts")
    here = f"{folder}: " if folder else ""
    lacks = _lacks(host, folder, package)
    stages: tuple[list[Check | Left], ...] = ([], [], [], [])
    for stage, name, check in (
        (0, "type check", _type_check(host, folder, scripts)),
        (1, _OF_FILES, _of_files(plan, folder, scripts)),
        (2, "build", _script(folder, "build", scripts)),
        (3, "all tests", _script(folder, "test", scripts)),
    ):
        if check is None:
            continue
        why = lacks or _cannot(check, package, scripts)
        if not why:
            stages[stage].append(check)
        elif name != _OF_FILES:
            stages[stage].append(Left(f"{here}{name}", why))
    return stages


def _lacks(host: Host, folder: str, package: Mapping[str, object]) -> str:
    if not any(package.get(kind) for kind in ("dependencies", "devDependencies")):
        return ""
    for place in _upward(folder):
        if (host.root / place / "node_modules").is_dir():
            return ""
    where = f"in {folder}/" if folder else "here"
    return f"nothing is installed {where} (no node_modules); install it, then run this again"


def _upward(folder: str) -> Iterator[str]:
    yield folder
    while folder:
        folder = posixpath.dirname(folder)
        yield folder


def _cannot(check: Check, package: Mapping[str, object], scripts: Mapping[str, str]) -> str:
    """Why a script is not run although it could be: it is no check, or it starts the bot."""
    text = check.line.text
    if PLACEHOLDER in text:
        return "the package has no tests (npm's placeholder script)"
    start = scripts.get("start", "").strip()
    main = package.get("main")
    program = r"(^|\s)(node|tsx|ts-node|bun|nodemon)\s+(\S+\s+)*(\./)?"
    starts = bool(start) and text == start
    if isinstance(main, str) and main:
        name = re.escape(main.removeprefix("./"))
        starts = starts or re.search(rf"{program}{name}(\s|$)", text) is not None
    starts = starts or re.search(rf"{program}\.(\s|$)", text) is not None
    return f"it starts the bot ({text})" if starts else ""


def _script(folder: str, name: str, scripts: Mapping[str, str]) -> Check | None:
    """A script with what npm runs before and after it."""
    script = script_of(scripts, name)
    if script is None:
        return None
    before, after = scripts.get(f"pre{name}"), scripts.get(f"post{name}")
    head = f"({before.strip()}) && " if before else ""
    line = Script(head + script.text, head + script.head, script.words, script.runner, script.at)
    shown = "npm test" if name == "test" else f"npm run {name}"
    kind = {"test": "all tests", "build": "build"}.get(name, "type check")
    label = f"{folder}: {kind}" if folder else kind
    return Check(label, folder, f"{shown} ({script.text})", line, f" && ({after})" if after else "")


def _type_check(host: Host, folder: str, scripts: Mapping[str, str]) -> Check | None:
    for name in TYPE_CHECKS:
        if name in scripts:
            return _script(folder, name, scripts)
    if not host.exists(posixpath.join(folder, "tsconfig.json")):
        return None
    for place in _upward(folder):
        compiler = "node_modules/typescript/bin/tsc"
        if (host.root / place / compiler).is_file():
            path = posixpath.relpath(posixpath.join(place, compiler), folder or ".")
            words = ("node", path, "--noEmit")
            label = f"{folder}: type check" if folder else "type check"
            line = Script(shlex.join(words), "", words, "tsc", 1)
            return Check(label, folder, "npx tsc --noEmit", line)
    return None


def _of_files(plan: Plan, folder: str, scripts: Mapping[str, str]) -> Check | None:
    """The tests that a runner relates to the files that change, where it can."""
    script = script_of(scripts, "test")
    if script is None or script.runner not in _RELATED:
        return None
    prefix = f"{folder}/" if folder else ""
    files = tuple(
        change.path.removeprefix(prefix)
        for change in plan.changes
        if change.path.startswith(prefix)
        and change.path.endswith(SCRIPTS)
        and not change.path.startswith(".claude/")
    )
    if not files:
        return None
    before, own = script.words[: script.at + 1], script.words[script.at + 1 :]
    rest = [word for word in own if word not in ("run", "watch", "dev")]
    if script.runner == "vitest":
        words = (*before, "related", "--run", *rest, "--passWithNoTests")
    else:
        words = (*before, *rest, "--passWithNoTests", "--findRelatedTests")
    label = f"{folder}: {_OF_FILES}" if folder else _OF_FILES
    shown = f"{script.runner} {_RELATED[script.runner]} {text_of(files)}"
    line = Script(shlex.join(words), "", words, script.runner, script.at)
    return Check(label, folder, shown, line, files=files)


def text_of(files: Iterable[str], most: int = 3) -> str:
    names = list(files)
    more = len(names) - most
    return " ".join(names[:most]) + (f" and {more} more" if more > 0 else "")


# --- Python


def _of_python(
    host: Host, plan: Plan, environment: Mapping[str, str]
) -> Iterator[tuple[int, Check | Left]]:
    tests = [file.path for file in host.with_suffix(".py") if is_test(file.path)]
    if not tests:
        return
    python, why = own_python(host.root, environment)
    if python is None:
        yield 3, Left("all tests", why)
        return
    words = (str(python), "-m", "pytest", "-p", "no:cacheprovider")
    line = Script(shlex.join(words), "", words, "pytest", 2)
    named = tuple(_naming(host, plan, tests))
    if 0 < len(named) < len(tests):
        shown = f"{PYTEST} {text_of(named)}"
        yield 1, Check(_OF_FILES, "", shown, line, files=named, python=python)
    yield 3, Check("all tests", "", PYTEST, line, python=python)


def _naming(host: Host, plan: Plan, tests: list[str]) -> Iterator[str]:
    """Test files that name a module that changes, or that change themselves."""
    stems = {
        posixpath.splitext(posixpath.basename(change.path))[0].encode()
        for change in plan.changes
        if change.path.endswith(".py")
    } - {b"__init__"}
    changed = {change.path for change in plan.changes}
    pattern = re.compile(rb"\b(" + b"|".join(map(re.escape, sorted(stems))) + rb")\b")
    found = 0
    for path in tests:
        if path.endswith("conftest.py") or found == MOST_NAMED:
            continue
        if path in changed or (stems and pattern.search(host.read(path))):
            found += 1
            yield path


def own_python(root: Path, environment: Mapping[str, str]) -> tuple[Path | None, str]:
    """The Python of the host's environment that has pytest; or None, and why."""
    folders = [root / name for name in sorted(ENVIRONMENTS) if name in (".venv", "venv", "env")]
    active = environment.get("VIRTUAL_ENV", "")
    if os.path.isabs(active) and Path(active).resolve() != Path(sys.prefix).resolve():
        folders.append(Path(active))
    there = [folder for folder in folders if (folder / "bin/python").exists()]
    for folder in there:
        if any(folder.glob("lib/python*/site-packages/pytest/__init__.py")):
            return folder / "bin/python", ""
    if there:
        return None, f"no pytest in {there[0].name}/; install it there, then run this again"
    return None, "no environment of its own here (.venv); make one with pytest, then run this again"
