"""``make rule NAME=my-rule KIND=baileys-channel``: a rule file and its test, to be filled in.

The new rule detects nothing and shows no example yet; the catalogue's tests fail until it does.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import get_type_hints

from modify.rules import KINDS, rule_ids
from modify.units import managers

CHECKOUT = Path(__file__).resolve().parents[3]


def supervised(kind: str) -> tuple[str, str, str]:
    """What ``restarts`` of a process manager's file is given."""
    thing = next(iter(get_type_hints(managers.manager_of(kind).restarts).values()))
    return thing.__module__, thing.__name__, "text"


THINGS = {
    "baileys-channel": ("modify.baileys.model.channel", "Channel", "source"),
    "bridge-link": ("modify.bridge.link", "LinkLoop", "source"),
    "bridge-process": ("modify.bridge.bridge_process", "ChildBridge", "source"),
    "process-loop": ("modify.bridge.process_loop", "Supervisor", "source"),
    "neonize-client": ("modify.neonize.client", "Client", "source"),
    "neonize-session": ("modify.neonize.session", "Session", "source"),
    "neonize-dialling": ("modify.neonize.dial", "Dialling", "source"),
    "neonize-exit": ("modify.neonize.exits", "FailingExit", "source"),
    "systemd": ("modify.units.managers.systemd", "SystemdUnit", "text"),
    "launchd": ("modify.units.managers.launchd", "LaunchdUnit", "text"),
    **{kind: supervised(kind) for kind in managers.KINDS},
}
"""The model that a detector of each kind is given, and where its text is."""
RULE = '''\
"""One line: what is wrong.

What it finds
    Finds …

Why it is bad
    What it costs, with the measured figure and its source.

What is done
    …

When it is handed off
    …
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from modify.rules import Rule, Sight

if TYPE_CHECKING:
    from {module} import {model}{option_import}

rule = Rule(__name__, fix="what is done, in a few words")


@rule.detects("{kind}")
def seen(thing: {model}{option}) -> Iterator[Sight]:
    """Yield ``rule.at(thing.{text}, node, "what is wrong there")`` for each place."""
    yield from ()
'''
TEST = '''\
"""{name}: what it leaves alone, then what it sees."""

from __future__ import annotations

from pathlib import Path

from modify import examine
{imports}
from skill.host import Host
from skill.options import Options
from tests.harness import write


def seen(root: Path, files: dict[str, str]) -> list[str]:
    """The messages of the rule about a host."""
    write(root, files)
    findings = examine(Host(root), Options()).findings
    return [finding.message for finding in findings if finding.rule == rule.id]


def test_sees_its_examples(tmp_path: Path) -> None:
    for number, example in enumerate(rule.examples):
        assert seen(tmp_path / str(number), hosts_of(example)[0])
'''


def files_of(name: str, kind: str) -> dict[str, str]:
    """The two new files by path. Raises ValueError for a name or kind that cannot be."""
    if not re.fullmatch(r"[a-z][a-z0-9]*(-[a-z0-9]+)+", name):
        raise ValueError(f"NAME={name} is no rule's id: two or more words with hyphens")
    if name in rule_ids():
        raise ValueError(f"there is a rule {name} already")
    if kind not in THINGS:
        raise ValueError(f"KIND={kind} is not known; there are {', '.join(THINGS)}")
    module, model, text = THINGS[kind]
    shelf, stem = KINDS[kind], name.replace("-", "_")
    with_options = shelf == "units"
    rule = RULE.format(
        module=module,
        model=model,
        kind=kind,
        text=text,
        option=", options: Options" if with_options else "",
        option_import="\n    from skill.options import Options" if with_options else "",
    )
    imports = sorted(
        [
            "from modify.rules.frames import hosts_of",
            f"from modify.rules.{shelf}.{stem} import rule",
        ]
    )
    return {
        f"modify/rules/{shelf}/{stem}.py": rule,
        f"tests/quick/rules/test_{stem}.py": TEST.format(name=name, imports="\n".join(imports)),
    }


def main(name: str, kind: str, root: Path = CHECKOUT) -> int:
    try:
        files = files_of(name, kind)
    except ValueError as error:
        print(f"make rule: {error}", file=sys.stderr)
        return 2
    for path, text in files.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(text, encoding="utf-8")
        print(path)
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:3]))
