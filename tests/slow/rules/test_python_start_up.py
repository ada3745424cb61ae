"""The command line on Python hosts: no traceback, and libcst only where it is needed."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.quick.rules.python.harness import loop
from tests.quick.rules.python.test_bad_input import UNREADABLE

MAIN = Path(__file__).resolve().parents[3] / "skill" / "__main__.py"


def test_the_command_line_shows_no_traceback(tmp_path: Path) -> None:
    for name, text in UNREADABLE.items():
        (tmp_path / name).mkdir()
        content = text if isinstance(text, bytes) else text.encode()
        (tmp_path / name / "whatsapp.py").write_bytes(content)
    words = (sys.executable, "-I", MAIN, "apply", "--dry-run", tmp_path)
    done = subprocess.run(words, capture_output=True, text=True)
    assert done.returncode == 1 and "Traceback" not in done.stdout + done.stderr
    assert "cannot be read" in done.stdout + done.stderr


def loads_libcst(host: Path) -> bool:
    code = (
        "import sys; sys.path.insert(0, sys.argv[1])\n"
        "from pathlib import Path\nfrom modify import examine\nfrom skill.host import Host\n"
        "from skill.options import Options\nexamine(Host(Path(sys.argv[2])), Options())\n"
        "print('libcst' in sys.modules)\n"
    )
    words = (sys.executable, "-c", code, MAIN.parent.parent, host)
    done = subprocess.run(words, capture_output=True, text=True)
    assert done.stdout in ("True\n", "False\n"), done.stderr
    return done.stdout == "True\n"


@pytest.mark.parametrize("name", ["v1-class", "s1-link"])
def test_libcst_is_loaded_only_where_it_is_needed(name: str) -> None:
    tests = MAIN.parent.parent / "tests"
    host = tests / ("hosts_python" if name == "s1-link" else "hosts") / name
    assert loads_libcst(host) == (name == "s1-link")


def test_a_comment_about_whatsapp_loads_no_libcst(tmp_path: Path) -> None:
    other = loop().replace("class WhatsApp:", "class Telegram:")
    (tmp_path / "bot.py").write_text(
        other.replace("_running = True", "_running = True  # whatsapp")
    )
    assert not loads_libcst(tmp_path)
    (tmp_path / "bot.py").write_text(other.replace("print(message)", "print('whatsapp')"))
    assert loads_libcst(tmp_path)
