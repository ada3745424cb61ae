"""Hosts that restart themselves by a clean exit: kept working, or their unit is handed off."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.quick.rules.python.harness import after, hand_offs, look, loop, rules

UNIT = (
    "UNIT = '''[Unit]\nDescription=bot\n\n[Service]\nExecStart=/usr/bin/python3 -m bot\n"
    "Restart=always\n'''\n"
)
EXIT = "import os\nimport sys\n\n\ndef restart_command():\n    save()\n    {}\n"
RULE = "systemd-restart-always"


def host(code: str, **tests: str) -> dict[str, str | bytes]:
    files = {f"tests/{name}.py": text for name, text in tests.items()}
    return {"bot.py": loop(), "unit.py": UNIT, "commands.py": code, **files}


@pytest.mark.parametrize("end", ["os._exit(0)", "sys.exit(0)", "sys.exit()", "raise SystemExit(0)"])
def test_a_clean_exit_becomes_a_failure(tmp_path: Path, end: str) -> None:
    patch = look(tmp_path, host(EXIT.format(end)))
    new = after(tmp_path, patch, "commands.py")
    lines = new.splitlines()
    assert lines[-1] == "    " + end.replace("(0)", "(75)").replace("()", "(75)")
    assert lines[-2].startswith("    # A failure:")
    assert "Restart=on-failure" in after(tmp_path, patch, "unit.py")
    compile(new, "commands.py", "exec")


def test_it_converges(tmp_path: Path) -> None:
    patch = look(tmp_path, host(EXIT.format("os._exit(0)")))
    for path in patch.edits:
        (tmp_path / path).write_text(after(tmp_path, patch, path))
    again = look(tmp_path, {"bot.py": after(tmp_path, patch, "bot.py")})
    assert "commands.py" not in again.edits and "unit.py" not in again.edits


@pytest.mark.parametrize(
    "code",
    [
        "import os, signal\n\n\ndef finish_deploy():\n    os.kill(os.getpid(), signal.SIGTERM)\n",
        "import os, signal\n\n\ndef restart(loop):\n"
        "    loop.call_later(1, os.kill, os.getpid(), signal.SIGTERM)\n",
        "import os, signal\n\n\nclass Bot:\n    def restart(self):\n        def later():\n"
        "            os.kill(\n                # itself\n                os.getpid(),\n"
        "                signal.SIGTERM,\n            )\n        self.soon(later)\n",
        "import signal\n\n\ndef self_update():\n    signal.raise_signal(signal.SIGINT)\n",
    ],
)
def test_a_signal_to_itself_leaves_the_unit_to_a_person(tmp_path: Path, code: str) -> None:
    patch = look(tmp_path, host(code))
    assert RULE in hand_offs(patch) and RULE not in rules(patch)
    reason = next(f.reason for f in patch.findings if f.rule == RULE)
    assert reason.startswith("commands.py:") and "would stay down" in reason
    new = after(tmp_path, patch, "unit.py")
    assert "Restart=always\nRestartSec=10\n" in new  # what bounds a crash loop is not held back
    assert "StartLimitBurst=5" in new


def test_a_status_that_the_host_tests_is_not_changed(tmp_path: Path) -> None:
    test = "def test_restart():\n    assert exit_code(restart_command) == 0\n"
    patch = look(tmp_path, host(EXIT.format("os._exit(0)"), test_commands=test))
    assert "commands.py" not in patch.edits and RULE in hand_offs(patch)


@pytest.mark.parametrize(
    "code",
    [
        "import sys\n\n\ndef main():\n    sys.exit(0)\n\n\ndef restart():\n    pass\n",
        "import os\n\n\ndef stop_before_restart():\n    os._exit(0)\n",
        "import os, sys\n\n\ndef restart():\n    os.execv(sys.executable, [])\n    os._exit(0)\n",
        "import sys\n\n\ndef restart():\n    sys.exit(1)\n",
    ],
    ids=["another function", "a stop", "replaces itself", "a failure already"],
)
def test_what_is_no_restart_by_a_clean_exit(tmp_path: Path, code: str) -> None:
    patch = look(tmp_path, host(code))
    assert "commands.py" not in patch.edits
    assert "Restart=on-failure" in after(tmp_path, patch, "unit.py")


AGENT = (
    "import plistlib\nimport sys\n\n\ndef agent():\n"
    '    words = [sys.executable, "-m", "bot"]\n'
    '    data = {"Label": "b", "ProgramArguments": words, "KeepAlive": True}\n'
    "    return plistlib.dumps(data)\n"
)


@pytest.mark.parametrize(
    "said",
    [
        "# KeepAlive is unconditional, a restart exits with 0",
        "# Unconditional keepalive: /update exits with 0",
        "def test_agent():\n    assert 'SuccessfulExit' not in agent()",
        None,
    ],
)
def test_a_host_that_counts_on_keepalive_keeps_it(tmp_path: Path, said: str | None) -> None:
    files = {"bot.py": loop(), "setup.py": AGENT}
    if said is not None:
        files["test_setup.py"] = f"# KeepAlive\n{said}\n"
    patch = look(tmp_path, {"bot/__main__.py": "", **files})
    rule = "launchd-keep-alive"
    if said is None:
        assert rule in rules(patch) and "setup.py" in patch.edits
        return
    assert rule in hand_offs(patch) and "setup.py" not in patch.edits
    line = 3 if said.startswith("def") else 2
    reason = next(found.reason for found in patch.findings if found.rule == rule)
    assert reason.startswith(f"test_setup.py:{line}: the host counts on being started")
