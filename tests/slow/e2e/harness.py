"""A fixture host put through everything a user does, once; the tests look at the record.

A fixture is a folder in ``tests/hosts``; without more it is a host that ``apply`` patches
completely. Exceptions are in its ``fixture.toml`` (see ``Expected``), which the
cloned host does not get to see.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import stat
import subprocess
import sys
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, Protocol

from tests.slow.e2e.programs import Run, Tool, environment, tools

CHECKOUT = Path(__file__).resolve().parents[3]
HOSTS = CHECKOUT / "tests" / "hosts"
SNAPSHOTS = CHECKOUT / "tests" / "snapshots" / "e2e"

# Not part of a host's tree: git's own, the linked tools, skillgen's state.
OUTSIDE_THE_TREE = frozenset({".git", "node_modules", ".skillgen"})
# Leftovers that a person may have in a fixture folder, and the note to this harness.
NOT_COPIED = shutil.ignore_patterns("node_modules", "dist", ".skillgen", "fixture.toml")
TYPESCRIPT = (".ts", ".mts", ".cts", ".tsx")
ADDED_MODULE = re.compile(r"whatsapp-reconnect(\.test)?\.[a-z]+$")

Tree = dict[str, tuple[int, bytes]]
"""Relative path to mode and bytes; a link's bytes are what it points to."""


class Snapshot(Protocol):
    """pytest-snapshot's fixture, as far as it is used; the package has no types."""

    snapshot_dir: Path

    def assert_match(self, value: str, snapshot_name: str) -> None: ...


@dataclass(frozen=True, slots=True)
class Expected:
    """The content of ``fixture.toml``; its keys are these fields.

    exit: of ``apply`` and ``apply --dry-run``: 1 when hand-offs remain, 2 when nothing can be
    planned. changes: exactly these paths change or are added; [] makes the fixture a
    negative one; absent: any, but at least one. may_change: paths left out of that account.
    says: texts that the dry run must contain. compiles: whether tsc and prettier accept the
    host as it lies.
    """

    exit: int = 0
    changes: tuple[str, ...] | None = None
    may_change: tuple[str, ...] = ()
    says: tuple[str, ...] = ()
    compiles: bool = True

    @classmethod
    def of(cls, fixture: Path) -> Expected:
        note = fixture / "fixture.toml"
        text = note.read_text(encoding="utf-8") if note.exists() else ""
        said: dict[str, Any] = {
            key: tuple(value) if isinstance(value, list) else value
            for key, value in tomllib.loads(text).items()
        }
        return cls(**said)

    @property
    def is_negative(self) -> bool:
        return self.changes == ()


@dataclass(frozen=True, slots=True)
class Tests:
    """A vitest run: by test file, the outcome of each test by its full name."""

    run: Run
    files: Mapping[str, Mapping[str, str]]

    @property
    def failed(self) -> list[str]:
        return [
            f"{file}: {name}: {outcome}"
            for file, tests in self.files.items()
            for name, outcome in tests.items()
            if outcome != "passed"
        ]


@dataclass(frozen=True, slots=True)
class Health:
    """The results of the host's own tools on one state of it. unformatted: paths that prettier
    would change or cannot read."""

    types: Run
    unformatted: frozenset[str]
    tests: Tests


@dataclass
class Trial:
    """One fixture host, cloned into ``work`` and put through the commands on first look."""

    name: str
    work: Path
    node_tools: Path
    expected: Expected = field(init=False)

    def __post_init__(self) -> None:
        self.work = self.work.resolve()
        self.expected = Expected.of(HOSTS / self.name)

    @property
    def host(self) -> Path:
        return self.work / "host"

    # --- programs ---

    @cached_property
    def environment(self) -> dict[str, str]:
        home = self.work / "home"
        home.mkdir()
        return environment(home)

    def run(self, *command: str | Path, cwd: Path, stdin: bytes = b"") -> Run:
        words = tuple(map(str, command))
        done = subprocess.run(
            words, cwd=cwd, input=stdin, capture_output=True, env=self.environment, timeout=300
        )
        return Run(words, done.returncode, done.stdout, done.stderr)

    def git(self, *arguments: str | Path, cwd: Path, stdin: bytes = b"") -> Run:
        settings = ("init.defaultBranch=main", "core.autocrlf=false", "gc.auto=0")
        options = [word for setting in settings for word in ("-c", setting)]
        done = self.run("git", *options, *arguments, cwd=cwd, stdin=stdin)
        assert done.code == 0, str(done)
        return done

    def skillgen(self, command: str, *options: str) -> Run:
        """The real command line, started the way the launcher starts it."""
        main = CHECKOUT / "skill" / "__main__.py"
        return self.run(sys.executable, "-I", main, command, self.host, *options, cwd=self.work)

    def node(self, tool: str, *arguments: str | Path, cwd: Path) -> Run:
        """A program of the node tools, in a process of its own."""
        return self.run(self.node_tools / "node_modules" / ".bin" / tool, *arguments, cwd=cwd)

    def tool(self, name: Tool, *words: str | Path, cwd: Path) -> Run:
        """The same of the host's own tools, in the process that serves every host."""
        return tools(self.node_tools.resolve()).run(name, *map(str, words), cwd=cwd)

    # --- the host ---

    @cached_property
    def origin(self) -> Path:
        """The fixture, committed to a bare repository."""
        draft, bare = self.work / "draft", self.work / "origin.git"
        shutil.copytree(HOSTS / self.name, draft, symlinks=True, ignore=NOT_COPIED)
        self.git("init", "--quiet", "--bare", bare, cwd=self.work)
        self.git("init", "--quiet", cwd=draft)
        self.git("add", "--all", cwd=draft)
        self.git("commit", "--quiet", "--message", "The host as it is", cwd=draft)
        self.git("push", "--quiet", bare, "main", cwd=draft)
        shutil.rmtree(draft)
        return bare

    def clone(self, target: Path) -> Path:
        self.git("clone", "--quiet", self.origin, target, cwd=self.work)
        (target / "node_modules").symlink_to(self.node_tools.resolve() / "node_modules")
        return target

    def git_status(self) -> list[str]:
        """The paths that git sees as changed, added or removed."""
        options = ("--porcelain", "--untracked-files=all", "-z")
        seen = self.git("status", *options, cwd=self.host).stdout.decode()
        return sorted(entry[3:] for entry in seen.split("\0") if entry)

    def health(self, label: str) -> Health:
        return Health(
            types=self.tool("tsc", cwd=self.host),
            unformatted=self.unformatted(),
            tests=self.own_tests(label),
        )

    def unformatted(self) -> frozenset[str]:
        sources = [path for path in tree(self.host) if path.endswith(TYPESCRIPT)]
        if not sources:
            return frozenset()
        # Files that cannot be parsed are named on stderr, as "[error] path: SyntaxError …".
        listed = self.tool("prettier", "--list-different", *sources, cwd=self.host)
        broken = re.findall(r"^\[error\] (\S+): ", listed.stderr.decode(), re.MULTILINE)
        ugly = frozenset(listed.stdout.decode().splitlines()) | frozenset(broken)
        assert ugly <= set(sources) and bool(ugly) == bool(listed.code), str(listed)
        return ugly

    def own_tests(self, label: str) -> Tests:
        report = self.work / f"vitest-{label}.json"
        options = ("--reporter=json", f"--outputFile={report}")
        run = self.tool("vitest", "run", *options, cwd=self.host)
        files: dict[str, dict[str, str]] = {}
        found = json.loads(report.read_text())["testResults"] if report.exists() else []
        for result in found:
            path = Path(result["name"]).resolve().relative_to(self.host).as_posix()
            outcomes = {test["fullName"]: test["status"] for test in result["assertionResults"]}
            # A file that cannot even be loaded has no tests, and a message.
            files[path] = outcomes or {"(the file)": result.get("message") or result["status"]}
        return Tests(run, files)

    # --- the record ---

    @cached_property
    def before(self) -> Tree:
        return tree(self.clone(self.host))

    @cached_property
    def health_before(self) -> Health:
        assert self.before
        return self.health("before")

    @cached_property
    def record(self) -> Record:
        """Every command in the order of a user's day."""
        before, health_before = self.before, self.health_before
        dry_run = self.skillgen("apply", "--dry-run")
        dry_run_exit_code = self.skillgen("apply", "--dry-run", "--exit-code")
        after_dry_run = tree(self.host)
        apply = self.skillgen("apply")
        after = tree(self.host)
        status = self.git_status()
        health_after = health_before if after == before else self.health("after")
        check = self.skillgen("check")
        second_apply = self.skillgen("apply")
        after_second_apply = tree(self.host)
        revert = self.skillgen("revert") if after != before else None
        return Record(
            dry_run=dry_run,
            dry_run_exit_code=dry_run_exit_code,
            after_dry_run=after_dry_run,
            apply=apply,
            after=after,
            status=status,
            health_after=health_after,
            check=check,
            second_apply=second_apply,
            after_second_apply=after_second_apply,
            revert=revert,
            after_revert=tree(self.host),
            status_after_revert=self.git_status(),
        )

    def patched_by_git(self) -> Tree:
        """The tree after ``git apply`` of the dry run, fed with all of its text."""
        elsewhere = self.clone(self.work / "by-git")
        diff = self.record.dry_run.stdout
        self.git("apply", "--whitespace=nowarn", "-", cwd=elsewhere, stdin=diff)
        return tree(elsewhere)

    def dry_run_page(self) -> str:
        """The dry run as a page that is the same on every machine.

        The host's folder is ``HOST``, carriage returns can be seen, and the added module,
        which has tests of its own, is left out.
        """
        run = self.record.dry_run
        parts = ["$ skillgen apply HOST --dry-run\n", run.stdout.decode()]
        if run.stderr:
            parts += ["--- stderr\n", run.stderr.decode()]
        parts.append(f"--- exit {run.code}\n")
        text = "".join(parts).replace(str(self.host), "HOST").replace("\r", "␍")
        text = re.sub(r"^index [0-9a-f]+\.\.[0-9a-f]+", "index …", text, flags=re.MULTILINE)
        return without_added_modules(text)


@dataclass(frozen=True, slots=True)
class Record:
    """The runs on a host; ``revert`` is None when nothing had been changed."""

    dry_run: Run
    dry_run_exit_code: Run
    after_dry_run: Tree
    apply: Run
    after: Tree
    status: list[str]
    health_after: Health
    check: Run
    second_apply: Run
    after_second_apply: Tree
    revert: Run | None
    after_revert: Tree
    status_after_revert: list[str]


def host_names() -> list[str]:
    return sorted(entry.name for entry in HOSTS.iterdir() if entry.is_dir())


def tree(folder: Path) -> Tree:
    found: Tree = {}
    for path in sorted(folder.rglob("*")):
        relative = path.relative_to(folder)
        if relative.parts[0] in OUTSIDE_THE_TREE:
            continue
        mode = path.lstat().st_mode
        if path.is_symlink():
            found[relative.as_posix()] = (mode, os.fsencode(os.readlink(path)))
        elif stat.S_ISREG(mode):
            found[relative.as_posix()] = (mode, path.read_bytes())
    return found


def changed_paths(before: Tree, after: Tree) -> set[str]:
    return {path for path in before.keys() | after.keys() if before.get(path) != after.get(path)}


def lines_of_style(content: bytes) -> tuple[bool, bool, str]:
    """The properties that an edit keeps: byte-order mark, final newline, kind of line ends."""
    ends = content.count(b"\r\n"), content.count(b"\n")
    kind = "LF" if ends[0] == 0 else "CRLF" if ends[0] == ends[1] else "mixed"
    return content.startswith(b"\xef\xbb\xbf"), content.endswith(b"\n"), kind


def without_added_modules(page: str) -> str:
    return "".join(keep_other_hunks(page.splitlines(keepends=True)))


def keep_other_hunks(lines: Iterable[str]) -> Iterable[str]:
    leaving_out = False
    for line in lines:
        if line.startswith("+++ "):
            leaving_out = bool(ADDED_MODULE.search(line.split("\t")[0].rstrip()))
            yield line
            if leaving_out:
                yield "(the reconnect module, rendered from add/channel)\n"
        elif not (leaving_out and line.startswith(("@@", "+", "\\"))):
            leaving_out = False
            yield line
