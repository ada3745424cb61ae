"""The plan: everything that would change in a host, as a pure value.

Dry run and apply use the same plan, so they cannot differ (promise 1). Making one reads
the host and writes nothing; ``skill.transaction`` is the only writer.
"""

from __future__ import annotations

import ast
import hashlib
import json
import os
import plistlib
import stat
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, get_args
from xml.parsers.expat import ExpatError

import modify
from skill import __version__
from skill.edit import Addition, Patch, apply_edits
from skill.errors import SkillgenError
from skill.finding import Finding, Note
from skill.host import Host
from skill.options import START_LIMITS, AuthFailure, Options, ServiceKind
from skill.render import typescript
from skill.report.file import write_report
from skill.suppressions import Suppressions, narrowed

PLAN_FORMAT = 1
_OF_PROOFS = ("not_rewritten", "not_held", "units_left", "accepted")
LARGEST_PLAN = 16_000_000


@dataclass(frozen=True, slots=True)
class Change:
    """The change of one file.

    path: relative to the host, POSIX. before, after: its bytes, None where there is no
    file. mode: permission bits; a file that exists keeps its own. rules: who asked.
    """

    path: str
    before: bytes | None
    after: bytes | None
    mode: int
    rules: tuple[str, ...] = ()

    @property
    def is_addition(self) -> bool:
        return self.before is None


@dataclass(frozen=True, slots=True)
class Plan:
    """The changes, additions first, and the findings: settled, or left to a person."""

    root: Path
    options: Options
    changes: tuple[Change, ...] = ()
    findings: tuple[Finding, ...] = ()
    notes: tuple[Note, ...] = ()

    @property
    def settled(self) -> tuple[Finding, ...]:
        return tuple(finding for finding in self.findings if not finding.is_hand_off)

    @property
    def hand_offs(self) -> tuple[Finding, ...]:
        return tuple(finding for finding in self.findings if finding.is_hand_off)

    def digest(self) -> dict[str, Any]:
        """The content of a saved plan: names, rules and hashes, no file contents.

        ``{"format": 1, "skillgen": version, "options": {…}, "files": [{"path", "mode":
        "0644", "rules": […], "before": sha256 or null, "after": sha256 or null}]}``
        """
        return {
            "format": PLAN_FORMAT,
            "skillgen": __version__,
            "options": options_as_data(self.options),
            "files": [
                {
                    "path": change.path,
                    "mode": f"{change.mode:04o}",
                    "rules": list(change.rules),
                    "before": sha256(change.before),
                    "after": sha256(change.after),
                }
                for change in self.changes
            ],
        }


def sha256(content: bytes | None) -> str | None:
    return None if content is None else hashlib.sha256(content).hexdigest()


def make_plan(host: Host, options: Options) -> Plan:
    """Examine the host, and return the plan of all that the codemods want to change.

    Raises SkillgenError when a file cannot be decoded or parsed, when a result does not
    parse (promise 5), or when a file to be added has the name of another one.
    """
    patch = modify.examine(host, options)
    comments = Suppressions(host)
    if comments.marks:
        leaving = [finding for finding in patch.findings if comments.accept(finding)]
        if leaving:
            patch = modify.examine(host, narrowed(options, leaving))
        patch = comments.settle(patch, leaving)
    return plan_of(host, options, patch)


def plan_of(host: Host, options: Options, patch: Patch) -> Plan:
    """Make a patch's edits in memory, and parse every result again; raises as ``make_plan``."""
    notes = list(patch.notes)
    changes = [*_additions(host, patch, notes), *_rewrites(host, patch)]
    verified: set[tuple[str, bytes | None]] = set()  # the module in a thousand folders is one
    for change in changes:
        added = Path(change.path).suffix, change.after
        if change.before is not None or added not in verified:
            verify(change)
            verified.add(added)
    return Plan(
        root=host.root,
        options=options,
        changes=tuple(changes),
        findings=tuple(sorted(set(patch.findings))),
        notes=tuple(sorted(set(notes))),
    )


def _rewrites(host: Host, patch: Patch) -> Iterable[Change]:
    for path in sorted(patch.edits):
        before = host.read(path)
        after = apply_edits(before, patch.edits[path])
        if after != before:
            rules = sorted({edit.rule for edit in patch.edits[path] if edit.rule})
            yield Change(path, before, after, host.files[path].mode, tuple(rules))


def _additions(host: Host, patch: Patch, notes: list[Note]) -> Iterable[Change]:
    for path in sorted(patch.additions):
        addition = patch.additions[path]
        if not host.exists(path):
            yield Change(path, None, addition.content, addition.mode, addition.rules)
        elif (before := host.read(path)) != addition.content:
            change = _replacement(path, before, host.files[path].mode, addition)
            if change:
                yield change
            else:
                message = "this host's own version of an added file; left as it is"
                notes.append(Note(path, 1, "drift", message))


def _replacement(path: str, before: bytes, mode: int, addition: Addition) -> Change | None:
    """An added file of an older skillgen becomes the new one; one that was edited stays."""
    identity = typescript.module_identity(before.decode("utf-8", "replace"))
    if identity is None:
        raise SkillgenError(
            f"{path}: skillgen would add this file, but the host has one of that name; "
            "rename it, then run the command again"
        )
    _version, intact = identity
    return Change(path, before, addition.content, mode, addition.rules) if intact else None


# Syntax that a file must still have after its rewrite, by suffix. TypeScript, JavaScript and units
# are checked by the codemods that wrote them: modify.verify.
Parser = Callable[[bytes], object]
PARSERS: dict[str, Parser] = {
    ".json": json.loads,
    ".plist": plistlib.loads,
    ".py": lambda content: ast.parse(content),
}
PARSE_ERRORS = (
    *(ValueError, SyntaxError, RecursionError, MemoryError),
    *(ExpatError, plistlib.InvalidFileException),
)


def verify(change: Change) -> None:
    """Raise SkillgenError when the file does not parse after the change (promise 5)."""
    if change.after is None:
        return
    parse = PARSERS.get(Path(change.path).suffix)
    if parse:
        try:
            parse(change.after)
        except PARSE_ERRORS as error:
            # Comments in JSON and the like: a file that did not parse before need not parse after.
            if change.before is None or _parses(parse, change.before):
                raise SkillgenError(
                    f"{change.path}: would not parse after the change ({error}); "
                    "nothing was written, please report it"
                ) from error
    modify.verify(change.path, change.before, change.after)


def _parses(parse: Parser, content: bytes) -> bool:
    try:
        parse(content)
    except PARSE_ERRORS:
        return False
    return True


def options_as_data(options: Options) -> dict[str, Any]:
    """Without what a proof has taken back, where it has taken nothing back."""
    data = {
        name: value for name, value in asdict(options).items() if value or name not in _OF_PROOFS
    }
    for name, value in data.items():
        if isinstance(value, frozenset):
            data[name] = sorted(value)
        elif isinstance(value, tuple):
            data[name] = [list(pair) for pair in value]
    return data


def options_from_data(data: dict[str, Any]) -> Options:
    """The inverse of ``options_as_data``. Raises ValueError and the like for other data.

    A plan may come from anybody, and an option ends up in units: each value has to be one
    that the command line takes.
    """
    sets = {name: frozenset(map(_text, _list(data[name]))) for name in ("select", "ignore")}
    proofs = {name: _reasons(data.get(name, [])) for name in ("not_rewritten", "not_held")}
    options = Options(**{**data, **sets, **proofs, "units_left": _text(data.get("units_left", ""))})
    allowed = (
        isinstance(options.only_skill_assets, bool)
        and not options.accepted
        and options.on_auth_failure in get_args(AuthFailure)
        and type(options.start_limit) is int
        and options.start_limit in START_LIMITS
        and (options.add_service is None or options.add_service in get_args(ServiceKind))
    )
    if not allowed:
        raise ValueError
    return options


def _reasons(value: object) -> tuple[tuple[str, str], ...]:
    return tuple((_text(path), _text(why)) for path, why in map(_list, _list(value)))


def _list(value: object) -> list[object]:
    if not isinstance(value, list):
        raise TypeError
    return value


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError
    return value


def save_plan(plan: Plan, file: Path) -> None:
    write_report(file, json.dumps(plan.digest(), indent=2) + "\n")


def load_digest(file: Path) -> dict[str, Any]:
    """A saved plan. Raises SkillgenError if the file is not one, or another version's."""
    try:
        # A pipe in its place is not waited for.
        with open(os.open(file, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC), "rb") as stream:
            if not stat.S_ISREG(os.fstat(stream.fileno()).st_mode):
                raise SkillgenError(f"{file}: is no file; save the plan to one with --save-plan")
            digest = json.loads(stream.read(LARGEST_PLAN))
        if digest["format"] != PLAN_FORMAT:
            raise SkillgenError(f"{file}: made by another skillgen; make the plan again")
        options_from_data(digest["options"])
        _text(digest["skillgen"])
        for row in digest["files"]:
            _ = row["mode"], row["rules"], row["before"], row["after"], _text(row["path"])
    except OSError as error:
        raise SkillgenError(f"{file}: cannot be read ({error.strerror})") from error
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise SkillgenError(f"{file}: is no saved plan; make one with --save-plan") from error
    return dict(digest)


def require_same(plan: Plan, digest: dict[str, Any], file: Path) -> None:
    """Raise SkillgenError unless the plan made now is the one that was saved."""
    now = plan.digest()
    if now["skillgen"] != digest["skillgen"]:
        raise SkillgenError(
            f"{file}: made by skillgen {digest['skillgen']}, this is {__version__}; "
            "make the plan again with --save-plan"
        )
    saved_rows = {row["path"]: row for row in digest["files"]}
    rows = {row["path"]: row for row in now["files"]}
    for path in [*saved_rows, *rows]:
        if saved_rows.get(path) != rows.get(path):
            raise SkillgenError(
                f"{path}: changed since the plan was saved; review it again with --dry-run"
            )
