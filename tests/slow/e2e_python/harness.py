"""A Python fixture host put through everything a user does, once; the tests look at the record.

A fixture is a folder in ``tests/hosts_python``; ``fixture.toml`` holds the expectations (see
``tests.slow.e2e.harness.Expected``), and the cloned host does not get to see it.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tomllib
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from tests.slow.e2e.harness import Expected, Tree, tree
from tests.slow.e2e.programs import Run, environment

CHECKOUT = Path(__file__).resolve().parents[3]
HOSTS = CHECKOUT / "tests" / "hosts_python"
NOT_COPIED = shutil.ignore_patterns("__pycache__", ".skillgen", "fixture.toml")


@dataclass(frozen=True)
class Record:
    """The runs on a host, in the order of a user's day."""

    before: Tree
    tests_before: Run
    dry_run: Run
    after_dry_run: Tree
    apply: Run
    after: Tree
    tests_after: Run
    check: Run
    second_apply: Run
    after_second_apply: Tree
    revert: Run | None
    after_revert: Tree


@dataclass
class Trial:
    """One fixture host, cloned into ``work``."""

    name: str
    work: Path
    expected: Expected = field(init=False)

    def __post_init__(self) -> None:
        self.work = self.work.resolve()
        text = (HOSTS / self.name / "fixture.toml").read_text(encoding="utf-8")
        said: dict[str, Any] = {
            key: tuple(value) if isinstance(value, list) else value
            for key, value in tomllib.loads(text).items()
        }
        self.expected = Expected(**said)

    @property
    def host(self) -> Path:
        return self.work / "host"

    @cached_property
    def environment(self) -> dict[str, str]:
        home = self.work / "home"
        home.mkdir(exist_ok=True)
        return {
            **environment(home),
            "PYTHONDONTWRITEBYTECODE": "1",
            # A host has no plugin of ours; pytest alone starts in a fifth of the time.
            "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
        }

    def run(self, *command: str | Path, cwd: Path) -> Run:
        words = tuple(map(str, command))
        done = subprocess.run(
            words, cwd=cwd, capture_output=True, env=self.environment, timeout=300
        )
        return Run(words, done.returncode, done.stdout, done.stderr)

    def clone(self) -> Path:
        draft = self.work / "draft"
        shutil.copytree(HOSTS / self.name, draft, ignore=NOT_COPIED)
        for words in (
            ("init", "--quiet"),
            ("add", "--all"),
            ("commit", "--quiet", "--message", "The host as it is"),
        ):
            done = self.run("git", *words, cwd=draft)
            assert done.code == 0, str(done)
        self.run("git", "clone", "--quiet", draft, self.host, cwd=self.work)
        return self.host

    def skillgen(self, command: str, *options: str) -> Run:
        main = CHECKOUT / "skill" / "__main__.py"
        return self.run(sys.executable, "-I", main, command, self.host, *options, cwd=self.work)

    def own_tests(self) -> Run:
        words = (sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "tests")
        return self.run(*words, cwd=self.host)

    @cached_property
    def record(self) -> Record:
        self.clone()
        before = tree(self.host)
        tests_before = self.own_tests()
        dry_run = self.skillgen("apply", "--dry-run")
        after_dry_run = tree(self.host)
        apply = self.skillgen("apply")
        after = tree(self.host)
        tests_after = self.own_tests()
        check = self.skillgen("check")
        second_apply = self.skillgen("apply")
        after_second_apply = tree(self.host)
        revert = self.skillgen("revert") if after != before else None
        return Record(
            before=before,
            tests_before=tests_before,
            dry_run=dry_run,
            after_dry_run=after_dry_run,
            apply=apply,
            after=after,
            tests_after=tests_after,
            check=check,
            second_apply=second_apply,
            after_second_apply=after_second_apply,
            revert=revert,
            after_revert=tree(self.host),
        )


def host_names() -> list[str]:
    return sorted(entry.name for entry in HOSTS.iterdir() if (entry / "fixture.toml").exists())


def counted(packages: Path, driver: Path, *words: object) -> dict[str, float]:
    """The counts of a driver run with real libraries, from its lines ``name=number``."""
    done = subprocess.run(
        [sys.executable, driver, *map(str, words)],
        capture_output=True,
        text=True,
        timeout=120,
        env={"PYTHONPATH": f"{packages}", "PATH": "/usr/bin:/bin", "PYTHONDONTWRITEBYTECODE": "1"},
    )
    assert done.returncode == 0, done.stdout + done.stderr
    found = re.findall(r"^(\w+)=([\d.]+)$", done.stdout, re.MULTILINE)
    assert found, done.stdout + done.stderr
    return {name: float(value) for name, value in found}


def shorten(module: Path) -> None:
    """Make the bridge policy of an added module a hundred times shorter."""
    text, times = re.subn(
        r"^(BRIDGE_(?:DELAY|CAP|RESET)) = ([\d.]+)",
        lambda found: f"{found[1]} = {float(found[2]) / 100}",
        module.read_text(),
        flags=re.MULTILINE,
    )
    assert times == 3
    module.write_text(text)
