"""Units that Python makes: templates, joined lists, dicts for plistlib, and tests of them."""

from __future__ import annotations

from pathlib import Path

from tests.rules.python.harness import after, hand_offs, look, loop, rules

LINES = (
    'UNIT = "\\n".join(\n    [\n        "[Unit]",\n{limit}        "[Service]",\n'
    '        "ExecStart=/usr/bin/python3 -m bot",  # the bot\n        "Restart=always"\n    ]\n)\n'
)
TEMPLATE = (
    "UNIT = '''[Unit]\nDescription={name}\n\n[Service]\nExecStart={python} -m bot\n"
    "Restart=always\nRestartSec=5\n'''.format(name='bot', python='/usr/bin/python3')\n"
)


def host(**files: str) -> dict[str, str | bytes]:
    return {"bot.py": loop(), **{f"{name}.py": text for name, text in files.items()}}


def test_joined_lines(tmp_path: Path) -> None:
    patch = look(tmp_path, host(setup=LINES.format(limit="")))
    assert {"systemd-restart-always", "systemd-start-limit"} <= rules(patch)
    new = after(tmp_path, patch, "setup.py")
    assert '        "Restart=on-failure",\n        "RestartSec=10",\n    ]' in new
    assert '        "[Unit]",\n        "StartLimitIntervalSec=300",\n' in new
    compile(new, "setup.py", "exec")


def test_a_limit_that_is_switched_off_is_replaced(tmp_path: Path) -> None:
    limit = '        "StartLimitIntervalSec=0",\n'
    new = after(tmp_path, look(tmp_path, host(setup=LINES.format(limit=limit))), "setup.py")
    assert new.count("StartLimitIntervalSec") == 1 and "StartLimitIntervalSec=300" in new


def test_format_templates(tmp_path: Path) -> None:
    new = after(tmp_path, look(tmp_path, host(setup=TEMPLATE)), "setup.py")
    assert "ExecStart={python} -m bot\nRestart=on-failure\nRestartSec=10\n" in new


def test_prose_is_no_unit(tmp_path: Path) -> None:
    text = '"""[Unit]\n[Service]\nExecStart=python -m bot\nRestart=always\n"""\n# Restart=always\n'
    patch = look(tmp_path, host(setup=text))
    assert "setup.py" not in patch.edits


def test_a_plist_whose_program_is_computed_is_handed_off(tmp_path: Path) -> None:
    text = (
        "import plistlib\n\n\ndef agent(script):\n    return plistlib.dumps(\n"
        "        {'Label': 'bot', 'ProgramArguments': [script], 'KeepAlive': True}\n    )\n"
    )
    patch = look(tmp_path, host(setup=text))
    assert "launchd-keep-alive" in hand_offs(patch) and "setup.py" not in patch.edits


def test_a_test_that_repeats_the_unit_follows(tmp_path: Path) -> None:
    test = (
        'def test_unit():\n    assert "Restart=always" in UNIT\n'
        '    assert UNIT[3] != "Restart=always"\n'
    )
    patch = look(tmp_path, {**host(setup=TEMPLATE), "tests/test_setup.py": test})
    new = after(tmp_path, patch, "tests/test_setup.py")
    assert 'assert "Restart=on-failure" in UNIT' in new
    assert "fault-asserting-test" in hand_offs(patch)
