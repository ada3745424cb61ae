"""``skillgen guard --unit``: what each supervisor gains, read back by its own reader."""

from __future__ import annotations

import json
import os
import plistlib
import shlex
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml  # type: ignore[import-untyped]
from pytest_snapshot.plugin import Snapshot
from supervisor.datatypes import dict_of_key_value_pairs  # type: ignore[import-untyped]
from supervisor.options import UnhosedConfigParser  # type: ignore[import-untyped]

from skill import __version__, cli

INDEX = """\
const { default: makeWASocket } = require('@whiskeysockets/baileys');
(function start() {
  const sock = makeWASocket({});
  sock.ev.on('connection.update', ({ connection }) => connection === 'close' && start());
})();
"""
SYSTEMD = """\
[Unit]
Description=A bot

[Service]
ExecStart=/usr/bin/env node /srv/bot/index.js
Environment=NODE_OPTIONS=--max-old-space-size=512 "GREETING=two words"
Restart=always

[Install]
WantedBy=default.target
"""
LAUNCHD = """\
<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE plist PUBLIC "-//Apple//DTD PLIST 1.0//EN" "http://www.apple.com/DTDs/PropertyList-1.0.dtd">
<plist version="1.0">
<dict>
\t<key>Label</key>
\t<string>me.bot</string>
\t<key>ProgramArguments</key>
\t<array>
\t\t<string>/usr/local/bin/node</string>
\t\t<string>/srv/bot/index.js</string>
\t</array>
{more}\t<key>KeepAlive</key>
\t<true/>
</dict>
</plist>
"""
VARIABLES = """\
\t<key>EnvironmentVariables</key>
\t<dict>
\t\t<key>NODE_OPTIONS</key>
\t\t<string>--require=./own.js</string>
\t\t<key>LANG</key>
\t\t<string>C</string>
\t</dict>
"""
COMPOSE = """\
services:
  bot:
    build: .
    restart: always
    environment:
      - NODE_OPTIONS=--max-old-space-size=512
  db:
    image: postgres
    restart: always
"""
PM2 = """\
module.exports = {
  apps: [
    {
      name: 'bot',
      script: 'index.js',
      env: { NODE_OPTIONS: '--trace-warnings', PORT: '1' },
      env_production: { PORT: '2' },
    },
    { name: 'site', script: 'site.js' },
  ],
};
"""
SUPERVISORD = """\
[program:bot]
command=node /srv/bot/index.js
directory=/srv/bot
environment=GREETING="one, two",NODE_OPTIONS="--trace-warnings"
autorestart=true
"""
UNITS = {
    "deploy/bot.service": SYSTEMD,
    "deploy/bot.plist": LAUNCHD.format(more=VARIABLES),
    "compose.yaml": COMPOSE,
    "ecosystem.config.js": PM2,
    "deploy/bot.conf": SUPERVISORD,
}


@dataclass(frozen=True)
class Outcome:
    code: int
    out: str
    err: str


Skillgen = Callable[..., Outcome]


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home of its own, with a blank in its name."""
    folder = tmp_path / "a home"
    folder.mkdir()
    monkeypatch.setenv("HOME", str(folder))
    monkeypatch.delenv("XDG_DATA_HOME", raising=False)
    return folder


@pytest.fixture
def guard_file(home: Path) -> Path:
    return home / ".local" / "share" / "skillgen" / "guard.cjs"


@pytest.fixture
def host(tmp_path: Path, home: Path) -> Path:
    root = tmp_path / "bot"
    (root / "deploy").mkdir(parents=True)
    for path, text in UNITS.items():
        (root / path).write_text(text)
    (root / "index.js").write_text(INDEX)
    (root / "Dockerfile").write_text('FROM node:22\nCMD ["node", "index.js"]\n')
    package = {"name": "bot", "main": "index.js", "scripts": {"start": "node index.js"}}
    (root / "package.json").write_text(json.dumps(package))
    return root


@pytest.fixture
def skillgen(capfd: pytest.CaptureFixture[str], host: Path) -> Skillgen:
    def call(*arguments: object) -> Outcome:
        code = cli.run(["guard", str(host), *(str(argument) for argument in arguments)])
        out, err = capfd.readouterr()
        return Outcome(code, out, err)

    return call


def content_of(root: Path) -> dict[str, bytes]:
    """Every file of the host but skillgen's own record."""
    return {
        path.relative_to(root).as_posix(): path.read_bytes()
        for path in sorted(root.rglob("*"))
        if path.is_file() and ".skillgen" not in path.parts
    }


def gained(before: dict[str, bytes], after: dict[str, bytes]) -> dict[str, bytes]:
    return {path: text for path, text in after.items() if before.get(path) != text}


@pytest.mark.parametrize("path", UNITS)
def test_a_unit_is_guarded_and_given_back_to_the_byte(
    skillgen: Skillgen, host: Path, guard_file: Path, path: str, snapshot: Snapshot, tmp_path: Path
) -> None:
    before = content_of(host)
    dry = skillgen("--unit", host / path, "--dry-run")
    assert dry.code == 0, dry.err
    assert content_of(host) == before and not guard_file.exists()
    done = skillgen("--unit", host / path)
    assert done.code == 0, done.err
    changed = gained(before, content_of(host))
    assert changed
    for name, text in changed.items():
        if not name.endswith("guard.cjs"):
            shown = text.decode().replace(str(tmp_path), "/tmp/x").replace(__version__, "VERSION")
            snapshot.assert_match(shown, name.replace("/", "-"))
    again = skillgen("--unit", host / path)
    assert again.code == 0 and "nothing to do" in again.out, again
    status = cli.run(["status", str(host)])
    assert status == 0
    removed = skillgen("--unit", host / path, "--remove")
    assert removed.code == 0, removed.err
    assert content_of(host) == before
    # Other units may load it, and Node does not start without it.
    assert guard_file.exists() or path == "compose.yaml"


@pytest.mark.parametrize("path", UNITS)
def test_revert_takes_it_back_too(skillgen: Skillgen, host: Path, path: str) -> None:
    before = content_of(host)
    assert skillgen("--unit", host / path).code == 0
    assert cli.run(["revert", str(host)]) == 0
    assert content_of(host) == before


def test_status_names_the_guarded_units(
    skillgen: Skillgen, host: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    assert skillgen("--unit", host / "deploy/bot.service").code == 0
    cli.run(["status", str(host)])
    assert f"deploy/bot.service: guarded (skillgen {__version__})" in capfd.readouterr().out


def test_the_start_that_proves_it_names_the_hooks(
    skillgen: Skillgen, host: Path, guard_file: Path
) -> None:
    done = skillgen("--unit", host / "deploy/bot.service", "--format", "json")
    row = json.loads(done.out)["hosts"][0]
    assert row["guard"] == str(guard_file)
    assert f"loads the guard {__version__}" in row["proof"]


# -- systemd


def drop_in(host: Path) -> str:
    return (host / "deploy/bot.service.d/50-skillgen-guard.conf").read_text()


def environment_in(text: str) -> dict[str, str]:
    """By the project's own reader of units."""
    from modify.units.managers import systemd
    from modify.units.model import UnitText
    from skill.guard.values import systemd_variables

    content = text.encode()
    parsed = systemd.parse(UnitText("x.service.d/x.conf", content, 0, len(content), "systemd"))
    found: dict[str, str] = {}
    for item in parsed.all("Service", "Environment"):
        found |= systemd_variables(item.value)
    return found


def test_a_drop_in_keeps_the_options_and_quotes_the_path(
    skillgen: Skillgen, host: Path, guard_file: Path
) -> None:
    assert skillgen("--unit", host / "deploy/bot.service").code == 0
    found = environment_in(drop_in(host))
    assert found["NODE_OPTIONS"] == f'--max-old-space-size=512 --require="{guard_file}"'
    # By Node itself, blanks and all.
    report = {"NODE_OPTIONS": found["NODE_OPTIONS"], "SKILLGEN_GUARD_REPORT": "1"}
    said = run_node(report)
    assert json.loads(said)["file"] == str(guard_file)


def run_node(environment: dict[str, str]) -> str:
    node = shutil.which("node")
    assert node, "Node is needed"
    done = subprocess.run(
        [node, "-e", "0"], env=environment, capture_output=True, text=True, timeout=60, check=True
    )
    return done.stdout


def test_a_specifier_in_a_path_is_escaped(skillgen: Skillgen, host: Path, tmp_path: Path) -> None:
    guard = tmp_path / "100%h" / "guard.cjs"
    assert skillgen("--unit", host / "deploy/bot.service", "--guard-file", guard).code == 0
    assert "/100%%h/" in drop_in(host)
    assert guard.exists()


def test_an_environment_file_that_wins_is_named_with_the_line(
    skillgen: Skillgen, host: Path, guard_file: Path, tmp_path: Path
) -> None:
    file = tmp_path / "bot.env"
    file.write_text("# mine\nNODE_OPTIONS=--trace-warnings\n")
    unit = host / "deploy/bot.service"
    unit.write_text(SYSTEMD.replace("Restart=", f"EnvironmentFile=-{file}\nRestart="))
    before = content_of(host)
    done = skillgen("--unit", unit)
    assert done.code == 1
    line = f"NODE_OPTIONS='--trace-warnings --require=\"{guard_file}\"'"
    assert str(file) in done.out and line in done.out
    assert content_of(host) == before


def test_a_unit_that_cannot_see_a_home_gets_a_guard_outside(skillgen: Skillgen, host: Path) -> None:
    unit = host / "deploy/bot.service"
    unit.write_text(SYSTEMD.replace("Restart=", "ProtectHome=yes\nRestart="))
    done = skillgen("--unit", unit, "--guard-file", "/home/me/guard.cjs")
    assert done.code == 2
    assert "ProtectHome= hides it" in done.err
    assert skillgen("--unit", unit, "--dry-run").code == 0


def test_a_service_of_another_user_needs_a_path_that_it_can_pass(
    skillgen: Skillgen, host: Path, tmp_path: Path
) -> None:
    unit = host / "deploy/bot.service"
    unit.write_text(SYSTEMD.replace("Restart=", "User=bot\nRestart="))
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    done = skillgen("--unit", unit, "--guard-file", closed / "guard.cjs")
    assert done.code == 2
    assert "bot cannot pass through" in done.err
    assert not (closed / "guard.cjs").exists()


def test_a_unit_outside_of_the_host_gets_a_drop_in_there(
    skillgen: Skillgen, host: Path, home: Path
) -> None:
    folder = home / ".config/systemd/user"
    folder.mkdir(parents=True)
    unit = folder / "bot.service"
    unit.write_text(SYSTEMD)
    before = content_of(host)
    assert skillgen("--unit", unit).code == 0
    assert [path.name for path in (folder / "bot.service.d").iterdir()] == [
        "50-skillgen-guard.conf"
    ]
    assert unit.read_text() == SYSTEMD and content_of(host) == before
    assert skillgen("--unit", unit, "--remove").code == 0
    assert list(folder.iterdir()) == [unit]


def test_somebody_elses_drop_in_is_left(skillgen: Skillgen, host: Path) -> None:
    path = host / "deploy/bot.service.d/50-skillgen-guard.conf"
    path.parent.mkdir()
    path.write_text("[Service]\nNice=5\n")
    assert skillgen("--unit", host / "deploy/bot.service").code == 2
    assert skillgen("--unit", host / "deploy/bot.service", "--remove").code == 0
    assert path.read_text() == "[Service]\nNice=5\n"


# -- launchd


@pytest.mark.parametrize("more", ["", VARIABLES], ids=["without", "with"])
@pytest.mark.parametrize("line_end", ["\n", "\r\n"])
def test_a_property_list_gains_two_keys(
    skillgen: Skillgen, host: Path, guard_file: Path, more: str, line_end: str
) -> None:
    unit = host / "deploy/bot.plist"
    before = LAUNCHD.format(more=more).replace("\n", line_end).encode()
    unit.write_bytes(before)
    data = plistlib.loads(before)
    assert skillgen("--unit", unit).code == 0
    found = plistlib.loads(unit.read_bytes())
    variables = found.pop("EnvironmentVariables")
    known = data.pop("EnvironmentVariables", {})
    option = f'--require="{guard_file}"'
    assert found == data
    assert variables == {
        **known,
        "NODE_OPTIONS": f"{known['NODE_OPTIONS']} {option}" if known else option,
        "WHATSAPP_RECONNECT_DIR": str(host / ".whatsapp-reconnect"),
    }
    # launchd reads no comment within a value.
    assert b"<!--" not in unit.read_bytes().split(b"<string>--require")[-1].split(b"</string>")[0]
    assert skillgen("--unit", unit, "--remove").code == 0
    assert unit.read_bytes() == before


# -- compose


def test_an_override_mounts_guard_and_memory(skillgen: Skillgen, host: Path) -> None:
    assert skillgen("--unit", host / "compose.yaml").code == 0
    found = yaml.safe_load((host / "compose.override.yaml").read_text())
    assert found == {
        "services": {
            "bot": {
                "environment": {
                    "NODE_OPTIONS": (
                        "--max-old-space-size=512 --require=/skillgen-guard/guard.cjs"
                    ),
                    "WHATSAPP_RECONNECT_DIR": "/skillgen-guard/memory",
                },
                "volumes": [
                    "./.skillgen-guard/guard.cjs:/skillgen-guard/guard.cjs:ro",
                    "./.skillgen-guard/memory:/skillgen-guard/memory",
                ],
            }
        }
    }
    assert (host / ".skillgen-guard/guard.cjs").exists()
    assert (host / ".skillgen-guard/memory").is_dir()


def test_options_of_an_env_file_are_kept(skillgen: Skillgen, host: Path) -> None:
    (host / "bot.env").write_text('NODE_OPTIONS="--trace-exit"\n')
    listed = "    environment:\n      - NODE_OPTIONS=--max-old-space-size=512\n"
    (host / "compose.yaml").write_text(COMPOSE.replace(listed, "    env_file: bot.env\n"))
    assert skillgen("--unit", host / "compose.yaml").code == 0
    found = yaml.safe_load((host / "compose.override.yaml").read_text())
    options = found["services"]["bot"]["environment"]["NODE_OPTIONS"]
    assert options == "--trace-exit --require=/skillgen-guard/guard.cjs"


@pytest.mark.parametrize("name", ["compose.override.yaml", "compose.override.yml"])
def test_the_projects_own_override_is_left_and_told_what_to_add(
    skillgen: Skillgen, host: Path, name: str
) -> None:
    (host / name).write_text("services:\n  bot:\n    ports: ['1:1']\n")
    done = skillgen("--unit", host / "compose.yaml")
    assert done.code == 1
    assert (host / name).read_text() == "services:\n  bot:\n    ports: ['1:1']\n"
    assert f"{name}: is the project's own override" in done.out
    assert "./.skillgen-guard/guard.cjs:/skillgen-guard/guard.cjs:ro" in done.out


def test_a_service_that_nobody_can_tell_is_asked_for(skillgen: Skillgen, host: Path) -> None:
    text = "services:\n  a:\n    image: x\n    restart: always\n  b:\n    image: y\n"
    (host / "compose.yaml").write_text(text)
    done = skillgen("--unit", host / "compose.yaml")
    assert done.code == 2 and "--service (a, b)" in done.err
    assert skillgen("--unit", host / "compose.yaml", "--service", "b").code == 0
    found = yaml.safe_load((host / "compose.override.yaml").read_text())
    assert list(found["services"]) == ["b"]


# -- pm2 and supervisord


def test_an_ecosystem_file_takes_the_hosts_own(
    skillgen: Skillgen, host: Path, guard_file: Path
) -> None:
    assert skillgen("--unit", host / "ecosystem.config.js").code == 0
    node = shutil.which("node")
    assert node
    code = "console.log(JSON.stringify(require('./ecosystem.guard.config.cjs')))"
    done = subprocess.run([node, "-e", code], cwd=host, capture_output=True, text=True, check=True)
    bot, site = json.loads(done.stdout)["apps"]
    option, memory = f'--require="{guard_file}"', str(host / ".whatsapp-reconnect")
    assert site == {"name": "site", "script": "site.js"}
    assert bot["env"] == {
        "NODE_OPTIONS": f"--trace-warnings {option}",
        "PORT": "1",
        "WHATSAPP_RECONNECT_DIR": memory,
    }
    assert bot["env_production"]["NODE_OPTIONS"] == f"--trace-warnings {option}"


def test_supervisord_reads_the_guards_file_after_the_programs_own(
    skillgen: Skillgen, host: Path, guard_file: Path
) -> None:
    assert skillgen("--unit", host / "deploy/bot.conf").code == 0
    parser = UnhosedConfigParser()
    for path in sorted((host / "deploy").glob("*.conf")):
        parser.read(str(path))
    assert parser.get("program:bot", "command") == "node /srv/bot/index.js"
    found = dict_of_key_value_pairs(parser.get("program:bot", "environment"))
    assert found == {
        "GREETING": "one, two",
        "NODE_OPTIONS": f'--trace-warnings --require="{guard_file}" ',
        "WHATSAPP_RECONNECT_DIR": "/srv/bot/.whatsapp-reconnect",
    }


# -- what is refused


def test_a_bot_that_is_patched_needs_no_guard(skillgen: Skillgen, host: Path) -> None:
    from skill.render.style import Style
    from skill.render.typescript import render_channel_module

    (host / "whatsapp-reconnect.mjs").write_text(render_channel_module(Style(), "1", ".mjs"))
    before = content_of(host)
    for arguments in (["--unit", host / "deploy/bot.service"], [], ["--", "true"]):
        done = skillgen(*arguments)
        assert done.code == 2 and "needs no guard" in done.err, done
    assert content_of(host) == before


DIAL = """\
import makeWASocket from '@whiskeysockets/baileys';
export async function connect(auth) {
  const sock = makeWASocket({ auth });
  sock.ev.on('connection.update', ({ connection }) => {
    if (connection === 'close') connect(auth);
  });
}
"""


@pytest.mark.parametrize("place", ["here", "installed"])
def test_apply_says_that_the_host_is_guarded_as_well(
    skillgen: Skillgen,
    host: Path,
    home: Path,
    place: str,
    capfd: pytest.CaptureFixture[str],
) -> None:
    unit = host / "deploy/bot.service"
    if place == "installed":
        unit = home / ".config/systemd/user/bot.service"
        unit.parent.mkdir(parents=True)
        unit.write_text(SYSTEMD.replace("/srv/bot", str(host)))
    (host / "index.js").unlink()
    (host / "bot.mjs").write_text(DIAL)
    assert skillgen("--unit", unit).code == 0
    cli.run(["apply", str(host), "--format", "json"])
    warnings = json.loads(capfd.readouterr().out)["hosts"][0]["warnings"]
    shown = unit.relative_to(host) if place == "here" else unit
    [line] = [text for text in warnings if "guard" in text]
    assert line.startswith(f"{shown} loads the guard as well: each attempt waits and counts once")
    assert shlex.quote(str(unit)) in line
    assert skillgen("--unit", unit, "--remove").code == 0
    cli.run(["apply", str(host), "--format", "json"])
    assert not json.loads(capfd.readouterr().out)["hosts"][0]["warnings"]


def test_an_unguarded_host_is_patched_without_a_word_of_it(
    host: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    (host / "bot.mjs").write_text(DIAL)
    cli.run(["apply", str(host), "--format", "json"])
    assert not json.loads(capfd.readouterr().out)["hosts"][0]["warnings"]


def test_what_is_no_unit_is_said(skillgen: Skillgen, host: Path) -> None:
    assert skillgen("--unit", host / "index.js").code == 2
    assert skillgen("--unit", host / "nothing.service").code == 2


def test_a_foreign_file_in_the_guards_place_is_left(
    skillgen: Skillgen, host: Path, guard_file: Path
) -> None:
    guard_file.parent.mkdir(parents=True)
    guard_file.write_text("mine\n")
    before = content_of(host)
    assert skillgen("--unit", host / "deploy/bot.service").code == 2
    assert guard_file.read_text() == "mine\n" and content_of(host) == before


def test_a_node_that_cannot_be_guarded_stops_it(
    skillgen: Skillgen, host: Path, tmp_path: Path
) -> None:
    node = tmp_path / "old" / "node"
    node.parent.mkdir()
    node.write_text("#!/bin/sh\necho 'bad option: --require' >&2\nexit 9\n")
    node.chmod(0o755)
    unit = host / "deploy/bot.service"
    unit.write_text(SYSTEMD.replace("/usr/bin/env node", str(node)))
    before = content_of(host)
    done = skillgen("--unit", unit)
    assert done.code == 1 and "bad option" in done.err, "the guard's own file is written"
    assert "something was changed before that" in done.err
    assert content_of(host) == before


def test_a_program_that_lies_in_the_host_is_never_run(
    skillgen: Skillgen, host: Path, tmp_path: Path
) -> None:
    evil, sign = host / "node", tmp_path / "ran"
    evil.write_text(f"#!/bin/sh\ntouch {sign}\n")
    evil.chmod(0o755)
    unit = host / "deploy/bot.service"
    unit.write_text(SYSTEMD.replace("/usr/bin/env node", str(evil)))
    assert skillgen("--unit", unit).code == 0
    assert not sign.exists()


def test_an_upgrade_replaces_the_guard(
    skillgen: Skillgen, guard_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert skillgen().code == 0
    old = guard_file.read_bytes()
    from skill.guard import files
    from skill.guard.render import guard_identity, render_guard

    monkeypatch.setattr(files, "render_guard", lambda: render_guard("99.0.0"))
    assert skillgen().code in (0, 2)
    assert guard_identity(guard_file.read_bytes()) == ("99.0.0", True)
    assert old != guard_file.read_bytes()
    assert [path.name for path in guard_file.parent.iterdir()] == ["guard.cjs"]


def test_a_command_runs_with_the_guard(host: Path, home: Path, checkout: Path) -> None:
    import sys

    code = "console.log(process.env.WHATSAPP_RECONNECT_DIR, process.argv.length)"
    command = [sys.executable, "-I", checkout / "skill" / "__main__.py", "guard", host, "--"]
    environment: dict[str, Any] = {"PATH": os.environ["PATH"], "HOME": str(home)}
    environment["SKILLGEN_GUARD_REPORT"] = "1"
    done = subprocess.run(
        [*command, "node", "-e", code],
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    report, line = done.stdout.splitlines()
    assert json.loads(report)["skillgen"] == __version__
    assert line == f"{host / '.whatsapp-reconnect'} 1"


PYTHON = """\
from neonize.client import NewClient
from neonize.events import LoggedOutEv

client = NewClient("bot.db")


@client.event(LoggedOutEv)
def on_logged_out(_, __):
    client.stop()


client.connect()
"""


@pytest.mark.parametrize("words", [(), ("--unit", "deploy/bot.service"), ("--", "true")])
def test_a_python_bot_that_no_guard_reaches(
    host: Path, skillgen: Skillgen, guard_file: Path, words: tuple[str, ...]
) -> None:
    """Node's options are nothing to neonize; beside a Baileys channel they are of use."""
    (host / "bot.py").write_text(PYTHON)
    if not words:
        assert skillgen().code == 0
        guard_file.unlink()
    (host / "index.js").unlink()
    given = [str(host / word) if word.startswith("deploy/") else word for word in words]
    done = skillgen(*given)
    assert (done.code, done.out) == (2, "")
    [line] = done.err.splitlines()
    assert "connects through neonize, in Python, and the guard is for Node; instead: skill" in line
    assert not guard_file.exists() and not list((host / "deploy").glob("*.d"))
