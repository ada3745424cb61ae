"""What the added test asserts of the Python files that call the module."""

from __future__ import annotations

from pathlib import Path

from modify.python.wiring import wiring_of
from skill.edit import Edit, Patch
from skill.host import Host

MODULE = "bot/whatsapp_reconnect.py"
CALLABLES = {"link_of", "turn", "stop"}
BEFORE = "def run(self):\n    self.stop()\n    connect()\n"
IMPORT = "from .whatsapp_reconnect import link_of as link\n"


def host(root: Path, files: dict[str, str]) -> Host:
    for path, text in {"bot/__init__.py": "", **files}.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(text)
    return Host(root)


def test_methods_count_by_what_the_patch_has_brought(tmp_path: Path) -> None:
    """stop() is the bot's own as well: that it calls it once less is no fault."""
    after = IMPORT + "def run(self):\n    self.stop()\n    link(self).turn()\n    connect()\n"
    patch = Patch(edits={"bot/whatsapp.py": [Edit(0, len(BEFORE), after.encode())]})
    found = wiring_of(host(tmp_path, {"bot/whatsapp.py": BEFORE}), patch, MODULE, CALLABLES)
    assert found == {"bot.whatsapp": {"link": 1, "turn": 1}}


def test_a_file_that_was_patched_before_stays_in_it(tmp_path: Path) -> None:
    files = {
        "bot/other.py": IMPORT + "link(1).stop()\n",
        "bot/plain.py": BEFORE,
        "bot/broken.py": "from .whatsapp_reconnect import (\n",
        "elsewhere/other.py": IMPORT + "link(1)\n",
        "bot/test_other.py": IMPORT + "link(1)\n",
    }
    found = wiring_of(host(tmp_path, files), Patch(), MODULE, CALLABLES)
    assert found == {"bot.other": {"link": 1}}


def test_a_package_s_own_file(tmp_path: Path) -> None:
    files = {"bot/wa/__init__.py": IMPORT + "link(1)\n"}
    found = wiring_of(host(tmp_path, files), Patch(), "bot/wa/whatsapp_reconnect.py", CALLABLES)
    assert found == {"bot.wa": {"link": 1}}
