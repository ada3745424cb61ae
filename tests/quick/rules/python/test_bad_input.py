"""What is no Python 3, or too much of it: a clear word or a clean pass, never a traceback."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.quick.rules.python.harness import after, hand_offs, look, loop, rules

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
