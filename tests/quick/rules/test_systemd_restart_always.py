"""systemd-restart-always: no-op cases first."""

from __future__ import annotations

from pathlib import Path

import pytest

from modify.rules.units.systemd_restart_always import rule
from tests.quick.rules.service_cases.harness import (
    NODE_START,
    SOUND,
    UNIT,
    check_noop,
    check_transformed,
    grown,
    look,
    parse_unit,
    unit,
    verify_with_systemd,
)

NOOP = {
    "on-failure with a limit is right": unit(),
    "no Restart= at all": unit(""),
    "Restart=no": unit("Restart=no\n"),
    "on-abnormal does not restart what exited": unit("Restart=on-abnormal\nRestartSec=1\n"),
    "on-watchdog stays": unit("Restart=on-watchdog\n"),
    "a longer pause stays": unit(
        "Restart=on-failure\nRestartSec=1min 30s\n", SOUND.replace("300", "900")
    ),
    "always in a comment": unit("# Restart=always\nRestart=on-failure\nRestartSec=10\n"),
    "always in a comment with a semicolon": unit(
        "; Restart=always\nRestart=on-failure\nRestartSec=10\n"
    ),
    "the last assignment wins": unit("Restart=always\nRestart=on-failure\nRestartSec=10\n"),
    "an empty assignment is ignored": unit("Restart=on-failure\nRestart=\nRestartSec=10\n"),
    "in the section of another program": unit() + "[X-Other]\nRestart=always\n",
    "a continued value is no directive": unit(
        "Environment=A=1 \\\nRestart=always\nRestart=on-failure\nRestartSec=10\n"
    ),
    "a comment inside a continued line": unit(
        "Environment=A=1 \\\n# Restart=always\n  B=2\nRestart=on-failure\nRestartSec=10\n"
    ),
    "oneshot": unit("Type=oneshot\nRestart=always\n", ""),
    "a foreign program": unit("Restart=always\n", "", "ExecStart=/usr/sbin/nginx -g 'daemon off;'"),
    "docker": unit("Restart=always\n", "", "ExecStart=/usr/bin/docker compose up"),
    "ollama": unit("Restart=always\n", "", "ExecStart=/usr/local/bin/ollama serve"),
    "a backup script of the host": unit(
        "Restart=always\n", "", "ExecStart=/opt/bot/scripts/backup.sh"
    ),
    "another entry of the host": unit(
        "Restart=always\n", "", "ExecStart=/usr/bin/node /opt/bot/dist/dashboard.js"
    ),
    "an ssh tunnel over several lines": unit(
        "Restart=always\n", "", "ExecStart=/usr/bin/ssh -NL 1:127.0.0.1:1 \\\n  -o BatchMode=yes"
    ),
}


@pytest.mark.parametrize("text", NOOP.values(), ids=NOOP.keys())
def test_left_as_it_is(tmp_path: Path, text: str) -> None:
    hand_offs, _ = check_noop(tmp_path, {UNIT: text})
    assert not hand_offs


def test_side_service_is_said(tmp_path: Path) -> None:
    _, patch = check_noop(tmp_path, {UNIT: NOOP["another entry of the host"]})
    assert [(note.path, note.kind) for note in patch.notes] == [(UNIT, "side-service")]


def test_right_unit_is_said(tmp_path: Path) -> None:
    _, patch = check_noop(tmp_path, {UNIT: unit()})
    assert [(note.path, note.line, note.kind) for note in patch.notes] == [(UNIT, 1, "right")]


CHANGED = {
    "always, pause 5": ("Restart=always\nRestartSec=5\n", "Restart=on-failure\nRestartSec=10\n"),
    "on-success": ("Restart=on-success\nRestartSec=10\n", "Restart=on-failure\nRestartSec=10\n"),
    "no pause": ("Restart=always\nUser=bot\n", "Restart=on-failure\nRestartSec=10\nUser=bot\n"),
    "pause with a unit": ("Restart=always\nRestartSec=5s\n", "Restart=on-failure\nRestartSec=10\n"),
    "pause in ms": ("Restart=always\nRestartSec=500ms\n", "Restart=on-failure\nRestartSec=10\n"),
    "pause of a span": (
        "Restart=always\nRestartSec=5s 900ms\n",
        "Restart=on-failure\nRestartSec=10\n",
    ),
    "pause zero": ("Restart=always\nRestartSec=0\n", "Restart=on-failure\nRestartSec=10\n"),
    "longer pause stays": (
        "Restart=always\nRestartSec=30\n",
        "Restart=on-failure\nRestartSec=30\n",
    ),
    "a minute stays": ("Restart=always\nRestartSec=50s\n", "Restart=on-failure\nRestartSec=50s\n"),
    "pause before": ("RestartSec=5\nRestart=always\n", "RestartSec=10\nRestart=on-failure\n"),
    "blanks around the sign": (
        "Restart = always \nRestartSec = 5\n",
        "Restart = on-failure \nRestartSec = 10\n",
    ),
    "the last one counts": (
        "Restart=no\nRestart=always\nRestartSec=10\n",
        "Restart=no\nRestart=on-failure\nRestartSec=10\n",
    ),
    "a comment is not continued": (
        "; see \\\nRestart=always\n# and \\\nRestartSec=5\n",
        "; see \\\nRestart=on-failure\n# and \\\nRestartSec=10\n",
    ),
    "comments stay": (
        "# keep me\nRestart=always\n; me too\nRestartSec=5\n",
        "# keep me\nRestart=on-failure\n; me too\nRestartSec=10\n",
    ),
    "an exit status that prevents": (
        "Restart=always\nRestartPreventExitStatus=78\n",
        "Restart=on-failure\nRestartSec=10\nRestartPreventExitStatus=78\n",
    ),
    "143 may be clean": (
        "Restart=always\nSuccessExitStatus=143\nRestartSec=10\n",
        "Restart=on-failure\nSuccessExitStatus=143\nRestartSec=10\n",
    ),
}


@pytest.mark.parametrize(("before", "after"), CHANGED.values(), ids=CHANGED.keys())
def test_changed(tmp_path: Path, before: str, after: str) -> None:
    patch = check_transformed(tmp_path, UNIT, unit(before), unit(grown(after)))
    assert [finding.rule for finding in patch.findings] == [rule.id]
    service = parse_unit(unit(after))["Service"]
    assert service["Restart"] == ["on-failure"]


@pytest.mark.system
@pytest.mark.parametrize(("_before", "after"), CHANGED.values(), ids=CHANGED.keys())
def test_systemd_accepts(tmp_path: Path, _before: str, after: str) -> None:
    verify_with_systemd(tmp_path, unit(grown(after)))


def test_crlf_tabs_and_missing_final_newline(tmp_path: Path) -> None:
    before = unit("Restart=always").rstrip("\n").replace("\n", "\r\n")
    after = grown(unit("Restart=on-failure\nRestartSec=10")).rstrip("\n").replace("\n", "\r\n")
    check_transformed(tmp_path, UNIT, before, after)


def test_last_line_without_newline(tmp_path: Path) -> None:
    before = f"[Unit]\n{SOUND}[Service]\n{NODE_START}\nRestart=always"
    after = grown(before.replace("always", "on-failure\nRestartSec=10\n")).rstrip("\n")
    check_transformed(tmp_path, UNIT, before, after)


def test_byte_order_and_foreign_bytes_stay(tmp_path: Path) -> None:
    before = unit("Restart=always\nRestartSec=10\n").replace("=Bot", "=B\u00f6t \U0001f916")
    check_transformed(tmp_path, UNIT, before, grown(before.replace("always", "on-failure")))


STARTS = {
    "relative to the working directory": "WorkingDirectory=/srv/x\n"
    "ExecStart=/usr/bin/node dist/index.js",
    "the source, by tsx": "ExecStart=/usr/bin/npx tsx /srv/x/src/index.ts",
    "options before the script": "ExecStart=/usr/bin/node --import tsx/esm "
    "--max-old-space-size=99 src/index.ts",
    "npm start": "ExecStart=/usr/bin/npm --prefix /opt/bot start",
    "npm run start": "ExecStart=/usr/bin/npm run start",
    "pnpm start": "ExecStart=/usr/local/bin/pnpm -C /opt/bot start",
    "a login shell": "ExecStart=/bin/bash -lc 'cd /opt/bot && exec node dist/index.js'",
    "env": "ExecStart=/usr/bin/env NODE_ENV=production node %h/bot/dist/index.js",
    "a wrapper": "ExecStart=/usr/bin/onecli run -- /usr/bin/node dist/index.js",
    "a path with blanks": 'ExecStart="/usr/bin/node" "/opt/my bot/dist/index.js"',
    "an exec prefix": "ExecStart=-/usr/bin/node /opt/bot/dist/index.js",
    "an earlier command taken back": "ExecStart=/bin/old\nExecStart=\n"
    "ExecStart=/usr/bin/node dist/index.js",
    "a continued line": "ExecStart=/usr/bin/node \\\n"
    "  --enable-source-maps \\\n  /opt/bot/dist/index.js",
    "placeholders": "ExecStart={{NODE_PATH}} {{PROJECT_ROOT}}/dist/index.js",
    "a start script of the host": "ExecStart=/opt/bot/scripts/start.sh",
}


@pytest.mark.parametrize("start", STARTS.values(), ids=STARTS.keys())
def test_what_starts_the_host(tmp_path: Path, start: str) -> None:
    script = "#!/bin/sh\nset -e\ncd /opt/bot\nexport A=1\nexec node dist/index.js\n"
    check_transformed(
        tmp_path,
        UNIT,
        unit("Restart=always\nRestartSec=10\n", start=start),
        grown(unit("Restart=on-failure\nRestartSec=10\n", start=start)),
        others={"scripts/start.sh": script},
    )


def test_a_status_of_its_own_for_a_restart_is_a_failure_anyway(tmp_path: Path) -> None:
    line = "RestartForceExitStatus=75\n"
    check_transformed(
        tmp_path,
        UNIT,
        unit(f"Restart=always\nRestartSec=10\n{line}"),
        grown(unit(f"Restart=on-failure\nRestartSec=10\n{line}")),
    )


HAND_OFFS = {
    "restarts itself by a clean exit": (
        "RestartForceExitStatus=0 75\n",
        NODE_START,
        "RestartForceExitStatus",
    ),
    "calls a crash clean": ("SuccessExitStatus=1 143\n", NODE_START, "SuccessExitStatus"),
    "a computed program": ("", "ExecStart=${START_COMMAND}", "cannot tell"),
    "a pipe hides the status": (
        "",
        "ExecStart=/bin/sh -c 'node dist/index.js | tee bot.log'",
        "pipe",
    ),
    "a script that loops": ("", "ExecStart=/opt/bot/scripts/loop.sh", "loop"),
    "a script that is not there": (
        "",
        "ExecStart=/opt/bot/start-bot.sh",
        "not a file of this project",
    ),
}


@pytest.mark.parametrize(("line", "start", "reason"), HAND_OFFS.values(), ids=HAND_OFFS.keys())
def test_handed_off(tmp_path: Path, line: str, start: str, reason: str) -> None:
    loop = "#!/bin/sh\nwhile true; do\n  node dist/index.js\n  [ -f x ] && exit 3\ndone\n"
    text = unit(f"Restart=always\nRestartSec=10\n{line}", start=start)
    others = {"scripts/loop.sh": loop} if "loop.sh" in start else {}
    hand_offs, _ = check_noop(tmp_path, {UNIT: text, **others})
    hand_offs = [finding for finding in hand_offs if finding.path == UNIT]
    assert [finding.rule for finding in hand_offs] == [rule.id]
    assert reason in hand_offs[0].reason
    assert hand_offs[0].line == text[: text.index("Restart=")].count("\n") + 1


def test_computed_policy_is_handed_off(tmp_path: Path) -> None:
    text = unit("Restart={{ restart_policy }}\nRestartSec=10\n")
    hand_offs, _ = check_noop(tmp_path, {"deploy/bot.service.j2": text})
    assert "does not run the code" in hand_offs[0].reason


def test_drop_in_follows_its_unit(tmp_path: Path) -> None:
    drop_in = "[Service]\nRestart=always\nRestartSec=10\n"
    check_transformed(
        tmp_path,
        "deploy/bot.service.d/restart.conf",
        drop_in,
        grown(drop_in.replace("always", "on-failure")),
        others={UNIT: unit()},
    )


def test_folder_without_a_channel_is_left(tmp_path: Path) -> None:
    files = {UNIT: unit("Restart=always\n", ""), "src/whatsapp.ts": "export {};\n"}
    hand_offs, patch = check_noop(tmp_path, files)
    assert not hand_offs
    assert not patch.notes


def test_only_skill_assets(tmp_path: Path) -> None:
    asset = ".claude/skills/add-whatsapp/add/deploy/bot.service"
    text = unit("Restart=always\n", "")
    patch = look(tmp_path, {UNIT: text, asset: text}, only_skill_assets=True)
    assert set(patch.edits) == {asset}
    assert {finding.path for finding in patch.findings} == {asset}


def test_rules_are_independent(tmp_path: Path) -> None:
    patch = look(tmp_path, {UNIT: unit("Restart=always\n", "")}, select=frozenset({rule.id}))
    assert {finding.rule for finding in patch.findings} == {rule.id}
    patch = look(tmp_path, {}, ignore=frozenset({rule.id}))
    assert rule.id not in {finding.rule for finding in patch.findings}
