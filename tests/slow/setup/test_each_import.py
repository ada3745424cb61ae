"""Every module can be the first one that is imported: a command imports only what it needs."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

# Modules of other packages stay loaded; only ours are taken out before each import.
IMPORT_EACH = """
import sys
from importlib import import_module

sys.path.insert(0, sys.argv[1])
for name in sys.argv[2:]:
    for known in [m for m in sys.modules if m.partition(".")[0] in ("skill", "add", "modify")]:
        del sys.modules[known]
    try:
        import_module(name)
    except ImportError as error:
        print(f"{name}: {error}")
"""
# Programs of their own, which run where nothing of ours can be imported, or nothing else.
ALONE = ("skill/storm/python/runner/", "skill/storm/fence/inside.py")


def test_each_module_can_come_first(checkout: Path) -> None:
    names = []
    for package in ("skill", "add", "modify"):
        for file in sorted((checkout / package).rglob("*.py")):
            path = file.relative_to(checkout)
            if file.name != "__main__.py" and not path.as_posix().startswith(ALONE):
                names.append(".".join(path.with_suffix("").parts).removesuffix(".__init__"))
    assert {"skill", "skill.cli", "modify", "add.channel.python.gate"} < set(names)
    command = [sys.executable, "-I", "-c", IMPORT_EACH, str(checkout), *names]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout == ""
