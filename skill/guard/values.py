"""Values as Node and supervisors read them: quoting and its way back."""

from __future__ import annotations

import re
import shlex

from skill.errors import SkillgenError

NODE_OPTIONS = "NODE_OPTIONS"
BUN_OPTIONS = "BUN_OPTIONS"
MEMORY = "WHATSAPP_RECONNECT_DIR"
_UNSAFE = re.compile(r"[\x00-\x1f\x7f]")


def require_plain(path: str) -> str:
    """The path; raises SkillgenError for one that no unit can name."""
    if _UNSAFE.search(path):
        raise SkillgenError(f"{path!r}: no unit can name a path with control characters")
    return path


def node_option(guard: str) -> str:
    """The word of NODE_OPTIONS that loads the guard; Node reads quotes and backslashes in it."""
    require_plain(guard)
    if not re.search(r'[\s"\\]', guard):
        return f"--require={guard}"
    quoted = guard.replace("\\", "\\\\").replace('"', '\\"')
    return f'--require="{quoted}"'


def with_guard(existing: str, guard: str) -> str:
    """NODE_OPTIONS with the guard after its earlier value."""
    option = node_option(guard)
    kept = existing.strip()
    return kept if option in kept.split() else f"{kept} {option}".strip()


def bun_option(guard: str) -> str:
    """The value of BUN_OPTIONS; Bun splits it at blanks."""
    if re.search(r"\s", guard):
        raise SkillgenError(f"{guard}: Bun cannot load it from a path with blanks; --guard-file")
    return f"--preload={guard}"


def systemd_assignment(name: str, value: str) -> str:
    """``Environment=`` with one variable (systemd.syntax(7): quotes, escapes, specifiers)."""
    escaped = value.replace("\\", "\\\\").replace('"', '\\"').replace("%", "%%")
    return f'Environment="{name}={escaped}"'


def systemd_variables(value: str) -> dict[str, str]:
    """The variables of an ``Environment=`` value."""
    try:
        words = shlex.split(value, posix=True)
    except ValueError:
        words = value.split()
    pairs = (word.partition("=") for word in words)
    return {name: found.replace("%%", "%") for name, sign, found in pairs if sign}


def env_file_variables(text: str) -> dict[str, str]:
    """The variables of an environment file."""
    found = {}
    for line in text.splitlines():
        name, sign, value = line.strip().partition("=")
        if not sign or name.startswith(("#", ";")):
            continue
        value = value.strip()
        if len(value) > 1 and value[0] == value[-1] and value[0] in "'\"":
            value = value[1:-1]
        found[name.strip().removeprefix("export ").strip()] = value
    return found


def env_file_line(value: str) -> str:
    """NODE_OPTIONS as a line of an environment file."""
    if re.search(r'["\\]', value):
        return f"{NODE_OPTIONS}='{value}'"
    return f'{NODE_OPTIONS}="{value}"' if re.search(r"\s", value) else f"{NODE_OPTIONS}={value}"


def supervisord_variables(value: str) -> dict[str, str]:
    """``environment=A="b",C=d`` of supervisord, which knows quotes and no escapes."""
    pairs = re.findall(r"""([A-Za-z_]\w*)\s*=\s*("[^"]*"|'[^']*'|[^,]*)""", value)
    return {name: found.strip("'\"").strip() for name, found in pairs}


def supervisord_value(variables: dict[str, str]) -> str:
    """The value of ``environment=``. Raises SkillgenError for one that it cannot hold."""

    def quoted(value: str) -> str:
        quote = "'" if '"' in value else '"'
        if quote in value:
            raise SkillgenError(f"{value}: supervisord cannot hold both kinds of quotes")
        # supervisord strips every quote from the end, the value's own, too.
        end = " " if value.endswith(("'", '"')) else ""
        return f"{quote}{value}{end}{quote}"

    return ",".join(f"{name}={quoted(value)}" for name, value in variables.items())
