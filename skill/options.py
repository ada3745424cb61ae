"""The options of a run, parsed once by the command line."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from skill.finding import Finding
from skill.source_paths import SKILL_ASSETS

AuthFailure = Literal["auto", "exit", "stop-channel"]
START_LIMITS = range(1, 101)
ServiceKind = Literal["systemd", "launchd", "pm2", "supervisord"]


@dataclass(frozen=True, slots=True)
class Options:
    """select, ignore: rule ids (empty ``select`` means all).

    on_auth_failure: what a channel does when its session was revoked; ``auto`` decides
    by the host (domain: exit 0 for a process that exists for WhatsApp alone).
    start_limit: starts allowed in five minutes (systemd ``StartLimitBurst=``).
    not_rewritten, not_held: (path, why) of the files whose rewrite, or whose hold, failed its
    proof (``skill.proof``). units_left: why no unit is changed, or nothing.
    accepted: (path, line, rule) of what a comment at the place wants left (skill.suppressions).
    """

    select: frozenset[str] = frozenset()
    ignore: frozenset[str] = frozenset()
    only_skill_assets: bool = False
    on_auth_failure: AuthFailure = "auto"
    start_limit: int = 5
    add_service: ServiceKind | None = None
    not_rewritten: tuple[tuple[str, str], ...] = ()
    not_held: tuple[tuple[str, str], ...] = ()
    units_left: str = ""
    accepted: frozenset[tuple[str, int, str]] = frozenset()

    def wants(self, rule: str) -> bool:
        return rule not in self.ignore and (not self.select or rule in self.select)

    def wants_to_settle(self, finding: Finding) -> bool:
        here = (finding.path, finding.line, finding.rule)
        return self.wants(finding.rule) and here not in self.accepted

    def accepts_any(self, path: str, rule: str) -> bool:
        """Whether this rule is accepted somewhere in the file."""
        return any((path, rule) == (where, name) for where, _, name in self.accepted)

    def covers(self, path: str) -> bool:
        """Whether a run with these options may change the file."""
        return not self.only_skill_assets or path.startswith(SKILL_ASSETS)

    def why_not_rewritten(self, path: str) -> str:
        """The reason why a channel file is not rewritten, or nothing."""
        return dict(self.not_rewritten).get(path, "")

    def why_not_held(self, path: str) -> str:
        """The reason why the calls by which a file connects stay as they are, or nothing."""
        return dict(self.not_held).get(path, "")


@dataclass(frozen=True, slots=True)
class GuardOptions:
    """The options of ``skillgen guard``. command: the words after ``--``."""

    units: tuple[Path, ...] = ()
    guard_file: Path | None = None
    service: str | None = None
    memory: str | None = None
    remove: bool = False
    dry_run: bool = False
    command: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ServiceOptions:
    """The options of ``skillgen service``. units: the services that are meant, by their names."""

    apply: bool = False
    revert: bool = False
    dry_run: bool = False
    guard: bool = False
    restart: bool = False
    units: tuple[str, ...] = ()
    guard_file: Path | None = None


@dataclass(frozen=True, slots=True)
class StormOptions:
    """Of ``skillgen simulate``.

    scenarios: ids, or none for the headline ones, or with ``every`` for all of them.
    channels: files, or none for all of them.
    """

    scenarios: tuple[str, ...] = ()
    every: bool = False
    channels: tuple[str, ...] = ()
    after_only: bool = False
    guarded: bool = False
    chart: Path | None = None
    node_tools: Path | None = None
    require_fence: bool = False


@dataclass(frozen=True, slots=True)
class VerifyOptions:
    """Of ``skillgen apply --verify``. limit_s: seconds that each command may take."""

    limit_s: int = 300


@dataclass(frozen=True, slots=True)
class ApplyOptions:
    """Of ``skillgen apply``. save_to, saved: files of a plan. verify: None where not asked for.

    full: added files are shown whole on a terminal, too.
    """

    dry_run: bool = False
    exit_code: bool = False
    prove: bool = False
    save_to: Path | None = None
    saved: Path | None = None
    verify: VerifyOptions | None = None
    full: bool = False
