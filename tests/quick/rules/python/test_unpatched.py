"""Nothing is silent about a Python bot that dials: what is not patched is a finding."""

from __future__ import annotations

from pathlib import Path

import pytest

from skill import cli
from skill.finding import Finding
from skill.host import Host
from skill.options import Options
from skill.plan import Plan, make_plan
from tests import harness

CHECKOUT = Path(__file__).parents[4]


def found(folder: Path, files: dict[str, str]) -> list[Finding]:
    for path, text in files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text)
    return unpatched(make_plan(Host(folder), Options()))


def unpatched(plan: Plan) -> list[Finding]:
    return [
        one
        for one in plan.findings
        if one.rule == "ungated-connect" and "is not patched" in one.message
    ]


@pytest.mark.parametrize(
    ("code", "line", "what"),
    [
        (
            "from neonize.client import NewClient\nc = NewClient('x')\ngetattr(c, 'connect')()\n",
            2,
            "neonize",
        ),
        (
            "import neonize.client as n\nclass Bot(n.NewClient):\n    pass\nBot('x').connect()\n",
            2,
            "neonize",
        ),
        (
            "from importlib import import_module\nlib = import_module('neonize.client')\n"
            "while True:\n    lib.NewClient('x').connect()\n",
            4,
            "neonize",
        ),
        (
            "from neonize.aioze.client import NewAClient\nasync def main(run):\n"
            "    await run(NewAClient('x').connect)\n",
            3,
            "neonize",
        ),
        ("import pybaileys\npybaileys.Client().connect()\n", 1, "pybaileys"),
        ("URL = 'wss://web.whatsapp.com/ws/chat'\n", 1, "a WebSocket of its own"),
    ],
    ids=["getattr", "a class of its own", "imported by name", "handed on", "a library", "its own"],
)
def test_a_file_that_dials(tmp_path: Path, code: str, line: int, what: str) -> None:
    findings = found(tmp_path, {"bot.py": code})
    assert [(f.path, f.line) for f in findings] == [("bot.py", line)]
    assert findings[0].message.startswith(what) and findings[0].is_hand_off
    assert cli.run(["check", "-q", str(tmp_path)]) == 1
    assert cli.run(["check", "-q", "--ignore", "ungated-connect", str(tmp_path)]) == 0


@pytest.mark.parametrize(
    ("path", "code"),
    [
        ("events.py", "from neonize.events import MessageEv\ndef on(_, event: MessageEv): ...\n"),
        ("types_.py", "from neonize.client import NewClient\ndef send(client: NewClient): ...\n"),
        ("tests/test_bot.py", "from neonize.client import NewClient\nNewClient('x').connect()\n"),
        ("examples/bot.py", "from neonize.client import NewClient\nNewClient('x').connect()\n"),
        ("page.py", "'''See wss://web.whatsapp.com/ws/chat and neonize.NewClient(x).'''\n"),
        ("pay.py", "client = NewClient('a bank')\nclient.connect()\n"),
    ],
)
def test_what_does_not_dial(tmp_path: Path, path: str, code: str) -> None:
    assert found(tmp_path, {path: code, "main.py": "print()\n"}) == []


@pytest.mark.parametrize(
    "host",
    sorted(path.name for path in (CHECKOUT / "tests/hosts_python").glob("s*") if path.is_dir()),
)
def test_a_patched_host_is_settled(tmp_path: Path, host: str) -> None:
    root = CHECKOUT / "tests/hosts_python" / host
    files = {
        path.relative_to(root).as_posix(): path.read_text()
        for path in root.rglob("*")
        if path.is_file() and path.suffix in (".py", ".json", ".ts", ".js", ".toml")
    }
    made = harness.patched(tmp_path, files)
    assert unpatched(made.plan) == unpatched(made.again) == []
