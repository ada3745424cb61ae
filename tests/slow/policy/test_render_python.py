"""The Python module as a host gets it: formatted, typed, importable by Python 3.10, and its own."""

from __future__ import annotations

import ast
import itertools
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from skill.policy import BRIDGE, POLICY
from skill.render.python import (
    BEGIN,
    END,
    Profile,
    PythonStyle,
    python_policy_block,
    render_python_module,
    render_python_test,
)
from skill.render.typescript import module_identity

ADD = Path(__file__).resolve().parents[3] / "add" / "channel" / "python"
MODULE, TEST = "whatsapp_reconnect.py", "test_whatsapp_reconnect.py"
PROFILES: tuple[Profile, ...] = ("bridge", "full", "neonize", "both", "all")
RULES = "E,W,F,I,B,UP,SIM,C4,RUF,RET,PIE"
# In a host there is no plugin of ours, and its warnings may be errors.
PLAIN = ("-W", "error", "-p", "no:hypothesispytest", "-p", "no:cacheprovider", "-q")
STYLES = [
    PythonStyle(indent, quote, end)
    for indent, quote, end in itertools.product(("    ", "  ", "\t"), ('"', "'"), ("\n", "\r\n"))
]


def run(cwd: Path, *arguments: str) -> tuple[int, str]:
    command = [sys.executable, "-m", *arguments]
    # The host's own settings are what counts, not this repository's.
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
    ran = subprocess.run(
        command, cwd=cwd, env=environment, capture_output=True, text=True, timeout=300, check=False
    )
    return ran.returncode, ran.stdout + ran.stderr


def write(folder: Path, profile: Profile, style: PythonStyle | None = None) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    style = style or PythonStyle()
    (folder / MODULE).write_bytes(render_python_module("1.2.3", profile, style).encode())
    test = render_python_test("1.2.3", profile, style, wiring={"whatsapp_reconnect": {"time": 2}})
    (folder / TEST).write_bytes(test.encode())
    return folder


def test_checked_in_constants_are_the_policy() -> None:
    source = (ADD / "policy.py").read_text(encoding="utf-8")
    assert source[source.index(BEGIN) : source.index(END) + len(END)] == python_policy_block()


def test_one_factor_and_one_jitter_beside_that_of_the_bridge_are_enough() -> None:
    assert {POLICY.transient.factor, POLICY.hold.factor, BRIDGE.backoff.factor} == {2}
    assert POLICY.transient.jitter == POLICY.hold.jitter


@pytest.mark.parametrize("profile", PROFILES)
def test_formatters_and_linters_change_nothing(profile: Profile, tmp_path: Path) -> None:
    write(tmp_path, profile)
    for width in ("79", "88", "100", "120"):
        command = ("ruff", "format", "--isolated", "--check", "--diff", "--line-length", width, ".")
        status, said = run(tmp_path, *command)
        assert status == 0, said
    command = ("ruff", "check", "--isolated", "--select", RULES, "--target-version", "py310", ".")
    status, said = run(tmp_path, *command)
    assert status == 0, said


@pytest.mark.parametrize("style", STYLES)
def test_every_style_is_stable(style: PythonStyle, tmp_path: Path) -> None:
    settings = {
        "quote-style": "double" if style.quote == '"' else "single",
        "indent-style": "tab" if style.indent == "\t" else "space",
        "line-ending": "lf" if style.end_of_line == "\n" else "cr-lf",
    }
    lines = [f"indent-width = {4 if style.indent == chr(9) else len(style.indent)}", "[format]"]
    lines += [f'{key} = "{value}"' for key, value in settings.items()]
    (tmp_path / "ruff.toml").write_text("\n".join(lines))
    for profile in PROFILES:
        write(tmp_path / profile, profile, style)
    status, said = run(tmp_path, "ruff", "format", "--check", "--diff", ".")
    assert status == 0, said
    for file in tmp_path.rglob("*.py"):
        assert module_identity(file.read_bytes().decode()) == ("1.2.3", True)
        ast.parse(file.read_bytes(), feature_version=(3, 10))


@pytest.mark.parametrize("profile", PROFILES)
def test_type_checks(profile: Profile, tmp_path: Path) -> None:
    write(tmp_path, profile)
    (tmp_path / "mypy.ini").write_text("[mypy]\nstrict = true\npython_version = 3.10\n")
    assert run(tmp_path, "mypy", MODULE, TEST)[0] == 0, run(tmp_path, "mypy", MODULE, TEST)[1]


@pytest.mark.parametrize("profile", PROFILES)
def test_the_hosts_test_passes(profile: Profile, tmp_path: Path) -> None:
    write(tmp_path, profile)
    status, said = run(tmp_path, "pytest", *PLAIN)
    assert status == 0, said
    assert re.search(r"\b(?:[6-9]|[12]\d) passed", said), said


@pytest.mark.parametrize("profile", PROFILES)
def test_only_the_standard_library(profile: Profile) -> None:
    tree = ast.parse(render_python_module("1.2.3", profile))
    modules = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            modules |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            modules.add(str(node.module))
    assert {module.partition(".")[0] for module in modules} <= sys.stdlib_module_names


def test_a_bridge_gets_only_its_part() -> None:
    bridge, full = (render_python_module("1.2.3", profile) for profile in PROFILES[:2])
    assert "class BridgeLink" in bridge
    assert "class Reconnect" in full
    for word in ("class Reconnect", "class Memory", "sqlite", "BUDGET", "MEANINGS", "json"):
        assert word not in bridge
    assert "skillgen:" not in bridge + full
    neonize = render_python_module("1.2.3", "neonize")
    assert "class BridgeLink" not in neonize and "def heard" in neonize
    assert "neonize" not in bridge + full


HOSTS: list[tuple[Profile, set[str]]] = [
    ("bridge", {"link_of", "start", "opened", "stop", "turn", "logout", "terminal"}),
    ("bridge", {"BridgeLink", "start", "turn_sync", "on_open", "delay", "going"}),
    ("neonize", {"session_of", "turn", "hear", "heard"}),
    ("neonize", {"hear", "heard", "dial", "serve", "hang_up", "end_of"}),
]


@pytest.mark.parametrize(("profile", "calls"), HOSTS)
def test_what_one_host_calls_is_as_sound(profile: Profile, calls: set[str], tmp_path: Path) -> None:
    (tmp_path / MODULE).write_text(render_python_module("1.2.3", profile, calls=calls))
    (tmp_path / TEST).write_text(render_python_test("1.2.3", profile, calls=calls))
    (tmp_path / "mypy.ini").write_text("[mypy]\nstrict = true\npython_version = 3.10\n")
    commands = [
        ("ruff", "format", "--isolated", "--check", "--diff", "--line-length", "79", "."),
        ("ruff", "check", "--isolated", "--select", RULES, "--target-version", "py310", "."),
        ("mypy", MODULE, TEST),
        ("pytest", *PLAIN),
    ]
    for command in commands:
        status, said = run(tmp_path, *command)
        assert status == 0, said


def test_a_link_to_a_bridge_takes_about_two_hundred_lines() -> None:
    lines = [len(render_python_module("1", host[0], calls=host[1]).splitlines()) for host in HOSTS]
    assert max(lines[:2]) < 215


def test_an_edit_breaks_the_identity() -> None:
    text = render_python_module("1.2.3")
    edits = [
        text.replace("BUDGET = 20", "BUDGET = 200"),
        # Dedented: another meaning, though only white space differs.
        text.replace("        self._stopped = True\n", "    self._stopped = True\n"),
        text + "\nx = (\n",
    ]
    for edited in edits:
        assert edited != text
        assert module_identity(edited) == ("1.2.3", False)


def test_reformatting_leaves_the_identity(tmp_path: Path) -> None:
    file = write(tmp_path, "full") / MODULE
    settings = ["--config", "format.quote-style='single'", "--config", "indent-width=2"]
    command = ("ruff", "format", "--isolated", "--line-length", "79", *settings, MODULE)
    status, said = run(tmp_path, *command)
    assert status == 0, said
    assert file.read_text() != render_python_module("1.2.3", "full")
    assert module_identity(file.read_text()) == ("1.2.3", True)


def test_the_import_follows_the_host() -> None:
    text = render_python_test("1", "full", module="bot.channels.whatsapp_reconnect")
    assert "\n\nfrom bot.channels.whatsapp_reconnect import Reconnect\n\n" in text
    assert "add.channel" not in text
