"""Options that a bot's project keeps: ``.skillgen.toml``, or ``[tool.skillgen]`` of pyproject.toml.

    select = ["flat-retry"]           # as --select, a list
    ignore = ["qr-exit"]              # as --ignore
    on-auth-failure = "stop-channel"  # auto, exit or stop-channel
    start-limit = 10                  # 1 to 100
    only-skill-assets = true

What the command line gives takes the place of what stands there.
"""

from __future__ import annotations

import difflib
import tomllib
from collections.abc import Callable, Collection
from dataclasses import dataclass, replace
from typing import Any, get_args

from skill.errors import SkillgenError
from skill.host import LARGEST_SOURCE, Host
from skill.options import START_LIMITS, AuthFailure, Options
from skill.rulebook import require_known

OWN, SHARED = ".skillgen.toml", "pyproject.toml"
TABLE = b"[tool.skillgen]"


@dataclass(frozen=True, slots=True)
class Settings:
    """path: the file they stand in, relative to the host. values: by the names of Options."""

    path: str
    values: dict[str, Any]

    @property
    def text(self) -> str:
        """``ignore = qr-exit; start-limit = 10``."""
        return "; ".join(
            f"{name.replace('_', '-')} = {_shown(value)}" for name, value in self.values.items()
        )


def settings_of(host: Host) -> Settings | None:
    """What the project keeps; None where it keeps nothing.

    Raises SkillgenError for a key, a rule or a value that there is not, and for two places.
    """
    own = _table(host, OWN)
    shared = _table(host, SHARED) if TABLE in _content(host, SHARED) else None
    if own is not None and shared is not None:
        raise SkillgenError(f"{OWN} and {SHARED} both have options for skillgen; keep one of them")
    path, table = (OWN, own) if own is not None else (SHARED, shared)
    return Settings(path, _read(path, table)) if table else None


def with_settings(options: Options, given: Collection[str], settings: Settings) -> Options:
    """The options of a command line, and from the settings those that it does not give."""
    return replace(
        options, **{name: value for name, value in settings.values.items() if name not in given}
    )


def _content(host: Host, path: str) -> bytes:
    file = host.files.get(path)
    return host.read(path) if file is not None and file.size <= LARGEST_SOURCE else b""


def _table(host: Host, path: str) -> dict[str, Any] | None:
    content = _content(host, path)
    if not content:
        return None
    try:
        found = tomllib.loads(content.decode())
    except (ValueError, RecursionError) as error:
        raise SkillgenError(f"{path}: cannot be read as TOML ({error})") from error
    if path == SHARED:
        found = found.get("tool", {}).get("skillgen")
    if not isinstance(found, dict):
        raise SkillgenError(f"{path}: tool.skillgen is not a table")
    return found


def _read(path: str, table: dict[str, Any]) -> dict[str, Any]:
    values = {}
    for key, value in table.items():
        if key not in READERS:
            close = difflib.get_close_matches(key, READERS, 1, 0.5)
            hint = f"did you mean {close[0]}?" if close else f"there are {', '.join(READERS)}"
            raise SkillgenError(f"{path}: no option is named {key!r}; {hint}")
        try:
            values[key.replace("-", "_")] = READERS[key](value)
        except (TypeError, ValueError) as error:
            raise SkillgenError(f"{path}: {key} is {value!r}; it takes {error}") from error
        except SkillgenError as error:
            raise SkillgenError(f"{path}: {key}: {error}") from error
    return values


def _rules(value: object) -> frozenset[str]:
    if not isinstance(value, list) or not all(isinstance(name, str) for name in value):
        raise TypeError("a list of rules")
    require_known(value)
    return frozenset(value)


def _choice(value: object) -> str:
    choices = get_args(AuthFailure)
    if value not in choices:
        raise ValueError(", ".join(choices))
    return str(value)


def _limit(value: object) -> int:
    if type(value) is not int or value not in START_LIMITS:
        raise ValueError(f"a number from {START_LIMITS[0]} to {START_LIMITS[-1]}")
    return value


def _flag(value: object) -> bool:
    if not isinstance(value, bool):
        raise TypeError("true or false")
    return value


READERS: dict[str, Callable[[object], object]] = {
    "select": _rules,
    "ignore": _rules,
    "on-auth-failure": _choice,
    "start-limit": _limit,
    "only-skill-assets": _flag,
}


def _shown(value: object) -> str:
    if isinstance(value, frozenset):
        return ", ".join(sorted(value))
    return str(value).lower() if isinstance(value, bool) else str(value)
