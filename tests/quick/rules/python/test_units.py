"""Units that Python makes: templates, joined lists, dicts for plistlib, and tests of them."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.quick.rules.python.harness import after, hand_offs, look, loop, rules
from tests.quick.rules.service_cases.harness import GROWTH

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
    last = ["Restart=on-failure", "RestartSec=10", *GROWTH.splitlines()]
    assert "".join(f'        "{line}",\n' for line in last) + "    ]" in new
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


# --- what a unit starts, followed through the code ---

LIST = '"\\n".join(\n        [\n            "[Unit]",\n            "[Service]",\n'
FOLLOWED = {
    "a list that a helper of another module returns": {
        "run/__init__.py": "from run.command import command\n",
        "run/command.py": (
            "def command(python, options):\n"
            '    words = [python, "-m", "bot", "--port", str(options.port)]\n'
            "    if options.verbose:\n"
            '        words.append("--verbose")\n'
            "    return words\n"
        ),
        "unit.py": (
            "from run import command\n\n\n"
            "def install(options):\n    return content(command=command(options.python, options))\n"
            "\n\ndef content(*, command):\n"
            '    quoted = " ".join(quote(part) for part in command)\n'
            f'    return {LIST}            f"ExecStart={{quoted}}",\n'
            '            "Restart=always",\n        ]\n    )\n'
        ),
    },
    "a script that the same module writes": {
        "unit.py": (
            "import shlex\nimport sys\n\n\ndef entry():\n"
            '    return [sys.executable, "-m", "bot"]\n\n\n'
            "def write(config):\n"
            "    config.script.write_text(\n"
            '        "\\n".join(["#!/bin/sh", f"exec {shlex.join(entry())}", ""])\n    )\n'
            f"    return {LIST}"
            '            f"ExecStart=/bin/sh -lc {shlex.quote(line(config))}",\n'
            '            "Restart=always",\n        ]\n    )\n\n\n'
            "def line(config):\n"
            '    return f"exec {shlex.quote(config.script.as_posix())} >> {config.log} 2>&1"\n'
        ),
    },
    "lines that a hole brings along": {
        "unit.py": (
            "def unit(watchdog, python, profile):\n"
            "    return f'''[Unit]\nDescription=bot\n\n[Service]\n"
            '{watchdog}ExecStart={python} -m bot{f" {profile}" if profile else ""} run\n'
            "Restart=always\nRestartForceExitStatus={RESTART}\n'''\n\n\nRESTART = 75\n"
        ),
    },
    "uv that was looked for": {
        "pyproject.toml": '[project]\nname = "b"\n[project.scripts]\nb = "bot:main"\n',
        "unit.py": (
            'import shutil\n\nuv_path = shutil.which("uv")\n'
            "UNIT = f'''[Unit]\n\n[Service]\nExecStart={uv_path} run b\nRestart=always\n'''\n"
        ),
    },
}


@pytest.mark.parametrize("files", FOLLOWED.values(), ids=FOLLOWED.keys())
def test_what_it_starts_is_followed_through_the_code(
    tmp_path: Path, files: dict[str, str | bytes]
) -> None:
    patch = look(tmp_path, {"bot.py": loop(), **files})
    new = after(tmp_path, patch, "unit.py")
    assert "Restart=on-failure" in new and "StartLimitBurst=5" in new
    compile(new, "unit.py", "exec")


def test_plist_arguments_are_followed_too(tmp_path: Path) -> None:
    text = (
        "import plistlib\nimport sys\n\n\ndef arguments(port):\n"
        '    return [sys.executable, "-m", "bot", str(port)]\n\n\ndef agent(port):\n'
        '    data = {"Label": "b", "ProgramArguments": arguments(port), "KeepAlive": True}\n'
        "    return plistlib.dumps(data)\n"
    )
    new = after(tmp_path, look(tmp_path, host(setup=text)), "setup.py")
    assert '"KeepAlive": {"SuccessfulExit": False}}' in new


def test_a_property_list_whose_arguments_are_joined(tmp_path: Path) -> None:
    text = (
        "def agent(python):\n"
        '    words = [f"<string>{python}</string>", "<string>-m</string>"]\n'
        '    words.extend(["<string>bot</string>"])\n    joined = "".join(words)\n'
        '    return f\'\'\'<?xml version="1.0"?>\n<plist version="1.0">\n<dict>\n'
        "<key>Label</key><string>b</string>\n<key>ProgramArguments</key>\n<array>{joined}</array>\n"
        "<key>KeepAlive</key>\n<true/>\n</dict>\n</plist>\n'''\n"
    )
    new = after(tmp_path, look(tmp_path, host(setup=text)), "setup.py")
    assert "<key>SuccessfulExit</key>" in new


def test_two_possible_programs_are_none(tmp_path: Path) -> None:
    text = (
        "def unit(which):\n    program = 'python -m bot'\n    if which:\n"
        "        program = 'python -m other'\n"
        "    return f'''[Unit]\n\n[Service]\nExecStart={program}\nRestart=always\n'''\n"
    )
    patch = look(tmp_path, host(setup=text))
    assert "setup.py" not in patch.edits and "systemd-restart-always" in hand_offs(patch)
