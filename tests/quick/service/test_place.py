"""What a command of this machine starts: decided by paths that lead into the host."""

from __future__ import annotations

import shlex
from pathlib import Path

import pytest

from modify.units.started import Started
from skill.host import Host
from skill.service.place import started_here
from tests.conftest import CHECKOUT
from tests.quick.rules.service_cases.harness import make_host


@pytest.fixture
def host(tmp_path: Path) -> Host:
    return make_host(tmp_path / "bot", {})


def started(host: Host, command: str, folder: str = "") -> Started | None:
    words = shlex.split(command.replace("BOT", str(host.root)))
    return started_here(words, folder.replace("BOT", str(host.root)), host)


@pytest.mark.parametrize(
    ("command", "folder"),
    [
        ("/usr/bin/node BOT/dist/index.js", ""),
        ("/usr/bin/node BOT/dist/../dist/index.js", "/"),
        ("/usr/bin/node dist/index.js", "BOT"),
        ("/usr/bin/node index.js", "BOT/dist"),
        ("/usr/bin/npm start", "BOT"),
        ("/usr/bin/npm --prefix BOT start", "/"),
        ("/usr/bin/env NODE_ENV=production node BOT/dist/index.js", ""),
        ("/bin/bash -lc 'cd BOT && npm start'", ""),
        ("/bin/sh -c 'exec node BOT/dist/index.js'", ""),
        ("/usr/bin/node .", "BOT"),
        ("BOT/node_modules/.bin/tsx BOT/src/index.ts", ""),
    ],
)
def test_the_bot(host: Host, command: str, folder: str) -> None:
    found = started(host, command, folder)
    assert found is not None and found.is_host, found


@pytest.mark.parametrize(
    ("command", "folder"),
    [
        ("BOT/.venv/bin/python -m wren", ""),
        ("BOT/.venv/bin/python -u -m wren", "BOT"),
        ("/usr/bin/python3 BOT/wren/whatsapp.py", ""),
        ("/bin/bash -lc 'cd BOT && . .venv/bin/activate && python -m wren'", ""),
        ("/usr/bin/poetry run python -m wren", "BOT"),
        ("/usr/bin/uv run --directory BOT python -m wren", ""),
        ("/usr/bin/uv --directory BOT run --frozen -m wren", ""),
        ("/usr/bin/uv run --project=BOT --python 3.12 python -m wren", "BOT"),
    ],
)
def test_a_python_bot(command: str, folder: str) -> None:
    host = Host(CHECKOUT / "tests" / "hosts_python" / "s3-unit")
    found = started(host, command, folder)
    assert found is not None and found.is_host, found


def test_another_module_of_a_python_bot() -> None:
    host = Host(CHECKOUT / "tests" / "hosts_python" / "s3-unit")
    found = started(host, "/usr/bin/uv run --directory BOT python -m backup")
    assert found is not None and not found.is_host


@pytest.mark.parametrize(
    ("command", "folder"),
    [
        # The same paths below other roots, and names that only begin like it.
        ("/usr/bin/node /opt/bot/dist/index.js", ""),
        ("/usr/bin/node BOT-old/dist/index.js", ""),
        ("/usr/bin/node BOT/../bot2/dist/index.js", "/"),
        ("/usr/bin/node dist/index.js", "/opt/bot"),
        ("/usr/bin/npm start", "/opt/bot"),
        ("/usr/bin/node dist/index.js", ""),
        ("/bin/sh -c 'cd /opt/bot && npm start'", ""),
    ],
)
def test_no_matter_of_this_host(host: Host, command: str, folder: str) -> None:
    assert started(host, command, folder) is None


@pytest.mark.parametrize(
    ("command", "folder"),
    [
        ("/bin/tar c BOT/store", ""),
        ("/usr/bin/redis-server", "BOT"),
        ("/usr/bin/node BOT/src/dashboard.ts", ""),
        ("/usr/bin/node /opt/other/dist/index.js --config BOT/config.json", ""),
    ],
)
def test_another_program_of_this_host(host: Host, command: str, folder: str) -> None:
    found = started(host, command, folder)
    assert found is not None and found.kind == "side", found


@pytest.mark.parametrize(
    ("command", "why"),
    [
        ("/bin/sh -c 'node BOT/dist/index.js | tee log'", "pipe"),
        ("/usr/bin/node BOT/dist/main.js", "package.json does not name"),
        ("/usr/bin/npm run other --prefix BOT", "no script"),
    ],
)
def test_what_nobody_can_tell(host: Host, command: str, why: str) -> None:
    (host.root / "src" / "main.ts").write_text("serve(80);\n")
    found = started(Host(host.root), command)
    assert found is not None and found.kind == "unknown" and why in found.why, found


def test_a_built_program_of_unknown_source_is_named(host: Host) -> None:
    (host.root / "dist" / "apps").mkdir(parents=True)
    (host.root / "dist" / "apps" / "wa.js").write_text("serve(80);\n")
    for command, folder in (
        ("/usr/bin/node BOT/dist/apps/wa.js", ""),
        ("node dist/apps/wa.js", "BOT"),
    ):
        found = started(Host(host.root), command, folder)
        assert found is not None and found.kind == "unknown", found
        assert found.why.startswith("dist/apps/wa.js lies in the bot's folder")


def test_links_are_followed(host: Host, tmp_path: Path) -> None:
    (tmp_path / "current").symlink_to(host.root)
    found = started(host, f"/usr/bin/node {tmp_path}/current/dist/index.js")
    assert found is not None and found.is_host


@pytest.mark.parametrize(
    ("script", "kind"),
    [
        ("cd BOT\nexec node dist/index.js\n", "host"),
        ("# cd BOT\nexec node /opt/other/index.js\n", None),
        ("cd BOT && while true; do\n  node dist/index.js\n  sleep 5\ndone\n", "unknown"),
        ("tar c BOT/store\n", "unknown"),
    ],
)
def test_a_script_that_lies_elsewhere_is_read(
    host: Host, tmp_path: Path, script: str, kind: str | None
) -> None:
    path = tmp_path / "start.sh"
    path.write_text("#!/bin/sh\n" + script.replace("BOT", str(host.root)))
    for command in (str(path), f"/bin/bash {path}"):
        found = started(host, command, "/")
        assert (found.kind if found else None) == kind
