"""What is no Python 3, or too much of it: a clear word or a clean pass, never a traceback."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.quick.rules.python.harness import after, hand_offs, look, loop, rules

MAIN = Path(__file__).resolve().parents[4] / "skill" / "__main__.py"
MARKS = "# whatsapp\nimport websockets\nclass WhatsApp:\n    x = websockets.connect('ws://x')\n"
UNREADABLE = {
    "python-2": MARKS + "print 'hello'\n",
    "newer-syntax": MARKS + "match? x:\n    pass\n",
    "mixed-tabs": MARKS + "if x:\n\ty = 1\n        z = 2\n",
    "not-utf-8": MARKS.encode() + b"name = '\xe9'\n",
    "null-bytes": MARKS.encode() + b"\0\n",
    "merge-marks": MARKS + "<<<<<<< ours\n=======\n>>>>>>> theirs\n",
}


@pytest.mark.parametrize("name", UNREADABLE)
def test_what_cannot_be_read_is_said_and_left(tmp_path: Path, name: str) -> None:
    patch = look(tmp_path, {"whatsapp.py": UNREADABLE[name]})
    assert not patch.edits
    assert hand_offs(patch) == {"ungated-connect"}, patch.findings
    assert patch.findings[0].reason


def test_the_rest_of_the_host_is_still_patched(tmp_path: Path) -> None:
    patch = look(tmp_path, {"old/whatsapp.py": UNREADABLE["python-2"], "whatsapp.py": loop()})
    assert set(patch.edits) == {"whatsapp.py"}


def test_a_generated_module_of_two_megabytes_is_passed(tmp_path: Path) -> None:
    text = loop() + "ROWS = [\n" + "    'whatsapp neonize websockets.connect(',\n" * 50_000 + "]\n"
    assert len(text) > 2_000_000
    patch = look(tmp_path, {"table.py": text})
    assert not patch.edits and not patch.findings
    assert [note.kind for note in patch.notes] == ["too-large"]


def test_a_unit_in_a_file_that_cannot_be_read(tmp_path: Path) -> None:
    unit = 'print "[Unit]\\n[Service]\\nRestart=always"\n'
    assert not look(tmp_path, {"whatsapp.py": loop(), "old.py": unit}).edits.get("old.py")


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


def test_a_unit_that_this_python_cannot_read_is_said(tmp_path: Path) -> None:
    unit = 'print "[Unit]\\n[Service]\\nRestart=always"\n'
    patch = look(tmp_path, {"whatsapp.py": loop(), "old.py": unit})
    found = next(finding for finding in patch.findings if finding.is_hand_off)
    assert found.rule == "systemd-restart-always"
    assert found.path == "old.py" and "cannot read" in found.reason


NEWER = "type Key = str\n\n\ndef first[T](items: list[T]) -> T:\n    return items[0]\n\n\n"


def test_newer_syntax_that_libcst_knows_is_patched(tmp_path: Path) -> None:
    patch = look(tmp_path, {"whatsapp.py": loop() + NEWER})
    assert rules(patch) >= {"flat-retry", "silent-redial"}
    new = after(tmp_path, patch, "whatsapp.py")
    assert NEWER in new and "await link.turn()" in new
