"""The restart rules that a host's own unit comes to."""

from __future__ import annotations

from pathlib import Path

import pytest

from modify.units.supervisor import Supervisor
from skill.host import Host
from skill.storm.host.units import OwnUnit, own_unit
from skill.storm.supervisor import (
    ALWAYS_5S,
    LAUNCHD_KEEP_ALIVE,
    LAUNCHD_ON_FAILURE,
    NONE,
    ON_FAILURE_10S,
)

CHANNEL = """import makeWASocket from 'baileys';
export async function connect() {
  makeWASocket({}).ev.on('connection.update', ({ connection }) => {
    if (connection === 'close') connect();
  });
}
connect();
"""
UNIT = """[Unit]
Description=Bot
{unit}

[Service]
ExecStart=/usr/bin/node /opt/bot/src/index.js
{service}

[Install]
WantedBy=default.target
"""
PLIST = """<?xml version="1.0" encoding="UTF-8"?>
<plist version="1.0">
<dict>
    <key>Label</key>
    <string>com.bot</string>
    <key>ProgramArguments</key>
    <array>
        <string>/usr/bin/node</string>
        <string>/opt/bot/src/index.js</string>
    </array>
    {keep}
</dict>
</plist>
"""


def unit_of(root: Path, **files: str) -> OwnUnit:
    """What the host with these files (``__`` for a slash, ``_`` for a dot) runs under."""
    (root / "src").mkdir()
    (root / "src/index.js").write_text(CHANNEL, "utf-8")
    (root / "package.json").write_text('{"main": "src/index.js", "type": "module"}', "utf-8")
    for name, text in files.items():
        path = root / name.replace("__", "/").replace("_", ".")
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, "utf-8")
    return own_unit(Host(root))


@pytest.mark.parametrize(
    ("unit", "service", "rules"),
    [
        ("", "Restart=always\nRestartSec=5", ALWAYS_5S),
        (
            "",
            "Restart=on-failure\nStartLimitIntervalSec=300\nStartLimitBurst=3",
            Supervisor("systemd", "on-failure", 0.1, 10.0, 3),
        ),
        (
            "StartLimitIntervalSec=5min\nStartLimitBurst=5",
            "Restart=on-failure\nRestartSec=10\nRestartPreventExitStatus=78 SIGKILL",
            Supervisor("systemd", "on-failure", 10.0, 300.0, 5, (78,)),
        ),
        (
            "StartLimitIntervalSec=300\nStartLimitBurst=5",
            "Restart=on-failure\nRestartSec=10\nRestartSteps=4\nRestartMaxDelaySec=5min",
            ON_FAILURE_10S,
        ),
        ("", "StartLimitInterval=60", Supervisor("systemd", "no", 0.1, 60.0, 5)),
        (
            "",
            "Restart=always\nRestart=on-failure\nRestartForceExitStatus=75",
            Supervisor("systemd", "on-failure", 0.1, 10.0, 5, force_codes=(75,)),
        ),
        ("StartLimitIntervalSec=0", "Restart=always", Supervisor("systemd", "always", 0.1, 0.0, 5)),
    ],
)
def test_systemd_as_systemd_reads_it(
    tmp_path: Path, unit: str, service: str, rules: Supervisor
) -> None:
    text = UNIT.format(unit=unit, service=service)
    assert unit_of(tmp_path, bot_service=text).rules == rules


@pytest.mark.parametrize(
    ("keep", "rules"),
    [
        ("<key>KeepAlive</key>\n    <true/>", LAUNCHD_KEEP_ALIVE),
        (
            "<key>KeepAlive</key><dict><key>SuccessfulExit</key><false/></dict>",
            LAUNCHD_ON_FAILURE,
        ),
        # Its keys are ORed: with a second one it is started after exit 0, too.
        (
            "<key>KeepAlive</key><dict><key>SuccessfulExit</key><false/>"
            "<key>Crashed</key><true/></dict>",
            LAUNCHD_KEEP_ALIVE,
        ),
        (
            "<key>KeepAlive</key><true/><key>ThrottleInterval</key><integer>30</integer>",
            Supervisor("launchd", "always", 30.0),
        ),
        ("", Supervisor("launchd", "no", 10.0)),
    ],
)
def test_launchd(tmp_path: Path, keep: str, rules: Supervisor) -> None:
    assert unit_of(tmp_path, com_bot_plist=PLIST.format(keep=keep)).rules == rules


@pytest.mark.parametrize(
    ("restart", "rules"),
    [
        ("always", Supervisor("compose", "always")),
        ("unless-stopped", Supervisor("compose", "unless-stopped")),
        ('"no"', Supervisor("compose", "no")),
        ("on-failure:5", Supervisor("compose", "on-failure", max_restarts=5)),
        ("${POLICY:-always}", Supervisor("compose", "always")),
    ],
)
def test_compose(tmp_path: Path, restart: str, rules: Supervisor) -> None:
    text = (
        f"services:\n  bot:\n    build: .\n    command: node src/index.js\n    restart: {restart}\n"
    )
    assert unit_of(tmp_path, compose_yml=text).rules == rules


def test_pm2(tmp_path: Path) -> None:
    text = (
        "module.exports = { apps: [{ name: 'bot', script: 'src/index.js', autorestart: true,\n"
        "  stop_exit_codes: [0], min_uptime: 5000, exp_backoff_restart_delay: 100 }] };\n"
    )
    found = unit_of(tmp_path, ecosystem_config_cjs=text)
    assert found.rules == Supervisor(
        "pm2", "always", prevent_codes=(0,), max_restarts=16, min_uptime_s=5.0, backoff_s=0.1
    )
    assert found.path == "ecosystem.config.cjs"


def test_supervisord(tmp_path: Path) -> None:
    text = "[program:bot]\ncommand=node src/index.js\nautorestart=true\nstartsecs=0\n"
    assert unit_of(tmp_path, supervisord_conf=text).rules == Supervisor(
        "supervisord", "always", prevent_codes=(0,), max_restarts=3
    )


def test_loop_of_a_shell_script(tmp_path: Path) -> None:
    text = "#!/bin/sh\nwhile true; do\n  node src/index.js\n  sleep 5\ndone\n"
    assert unit_of(tmp_path, run_sh=text).rules == Supervisor("shell", "always", 5.0)


def test_unit_in_a_template_literal_with_its_line(tmp_path: Path) -> None:
    text = UNIT.format(unit="", service="Restart=always\nRestartSec=7")
    text = text.replace("/usr/bin/node /opt/bot/", "${node} ${projectRoot}/")
    found = unit_of(tmp_path, setup__service_js=f"export const unit = `{text}`;\n")
    assert (found.path, found.line) == ("setup/service.js", 7)
    assert found.rules.restart_s == 7.0
    assert found.text == "systemd, Restart=always (setup/service.js:7)"


def test_systemd_before_launchd_and_nothing_of_others(tmp_path: Path) -> None:
    side = UNIT.format(unit="", service="Restart=always").replace("src/index.js", "dashboard.js")
    own = UNIT.format(unit="StartLimitIntervalSec=300\nStartLimitBurst=5", service="RestartSec=10")
    own = own.replace("RestartSec", "Restart=on-failure\nRestartSec")
    plist = PLIST.format(keep="<key>KeepAlive</key><true/>")
    found = unit_of(tmp_path, a_service=side, bot_service=own, com_bot_plist=plist)
    assert (found.path, found.rules) == ("bot.service", ON_FAILURE_10S)


def test_no_unit(tmp_path: Path) -> None:
    found = unit_of(tmp_path)
    assert found.rules == NONE
    assert found.text == "nothing that starts it again"
