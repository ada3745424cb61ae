"""Bots that dial by another library than Baileys: named, and their units patched."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from skill.host import Host
from skill.options import Options
from skill.plan import Plan, make_plan
from tests import harness

UNIT = "[Unit]\nDescription=x\n\n[Service]\nExecStart={}\nRestart=always\n"
COMPOSE = (
    "services:\n  bot:\n    build: .\n    restart: always\n  db:\n"
    "    image: mariadb\n    restart: always\n"
)
JAVASCRIPT = {
    "whatsapp-web.js": "const {{ Client }} = require('{0}');\nnew Client({{}}).initialize();\n",
    "@wppconnect-team/wppconnect": "const w = require('{0}');\nw.create();\n",
    "venom-bot": "const venom = require('{0}');\nvenom.create();\n",
    "@open-wa/wa-automate": "const {{ create }} = require('{0}');\ncreate({{}});\n",
}
SETS = {
    "whatsapp-web.js": "qrMaxRetries",
    "@wppconnect-team/wppconnect": "autoClose",
    "venom-bot": "autoClose",
    "@open-wa/wa-automate": "restartOnCrash",
    "whatsmeow": "AutoReconnectHook",
    "whatsapp-rust": "enable_auto_reconnect",
}
GO = {
    "go.mod": (
        "module example.com/you/waba/v2\n\ngo 1.23\n\nrequire go.mau.fi/whatsmeow v0.0.0-2025\n"
    ),
    "main.go": (
        'package main\n\nimport "go.mau.fi/whatsmeow"\n\n'
        "func main() { whatsmeow.NewClient(nil, nil) }\n"
    ),
    "Dockerfile": 'FROM golang AS b\nRUN go build -o /waba .\nFROM scratch\nENTRYPOINT ["/waba"]\n',
}
RUST = {
    "Cargo.toml": (
        '[package]\nname = "waba"\nversion = "0.1.0"\n\n[dependencies]\nwhatsapp-rust = "0.7"\n'
    ),
    "src/main.rs": "fn main() {}\n",
    "Dockerfile": 'FROM rust AS b\nRUN cargo build --release\nFROM debian\nCMD ["/usr/bin/waba"]\n',
}


def plan_of(folder: Path, files: dict[str, str]) -> Plan:
    harness.write(folder, files)
    return make_plan(Host(folder), Options())


def check(plan: Plan, library: str, program: str) -> None:
    [dial] = [found for found in plan.findings if found.rule == "ungated-connect"]
    assert dial.is_hand_off and dial.message.startswith(f"{library} connects to WhatsApp")
    assert SETS[library] in dial.accept
    after = {change.path: (change.after or b"").decode() for change in plan.changes}
    assert set(after) == {"bot.service", "compose.yml"}, (program, plan.notes)
    assert (
        "Restart=on-failure" in after["bot.service"] and "StartLimitBurst=5" in after["bot.service"]
    )
    assert after["compose.yml"] == COMPOSE.replace("restart: always", "restart: unless-stopped", 1)


@pytest.mark.parametrize("library", JAVASCRIPT)
def test_javascript(tmp_path: Path, library: str) -> None:
    package = {"main": "index.js", "dependencies": {library: "^1"}}
    files = {
        "package.json": json.dumps(package),
        "index.js": JAVASCRIPT[library].format(library),
        "Dockerfile": 'FROM node\nCMD ["node", "index.js"]\n',
        "compose.yml": COMPOSE,
        "bot.service": UNIT.format("/usr/bin/node /opt/bot/index.js"),
    }
    check(plan_of(tmp_path, files), library, "index.js")


@pytest.mark.parametrize("start", ["/opt/bot/waba", "/usr/local/bin/waba --verbose", "go run ."])
def test_go(tmp_path: Path, start: str) -> None:
    files = {**GO, "compose.yml": COMPOSE, "bot.service": UNIT.format(start)}
    check(plan_of(tmp_path, files), "whatsmeow", start)


@pytest.mark.parametrize("start", ["/opt/bot/target/release/waba", "cargo run --release"])
def test_rust(tmp_path: Path, start: str) -> None:
    files = {**RUST, "compose.yml": COMPOSE, "bot.service": UNIT.format(start)}
    check(plan_of(tmp_path, files), "whatsapp-rust", start)


def test_commands_and_binaries_have_names_of_their_own(tmp_path: Path) -> None:
    go = {
        "go.mod": GO["go.mod"],
        "cmd/gateway/main.go": GO["main.go"],
        "bot.service": UNIT.format("/opt/gateway"),
    }
    assert [c.path for c in plan_of(tmp_path / "go", go).changes] == ["bot.service"]
    rust = {
        "Cargo.toml": RUST["Cargo.toml"],
        "src/bin/line.rs": "fn main() {}\n",
        "bot.service": UNIT.format("/opt/line"),
    }
    assert [c.path for c in plan_of(tmp_path / "rust", rust).changes] == ["bot.service"]


@pytest.mark.parametrize(
    "start", ["/usr/bin/backup", "/usr/bin/node /opt/dashboard/index.js", "/opt/bot/waba-exporter"]
)
def test_another_program_stays(tmp_path: Path, start: str) -> None:
    plan = plan_of(tmp_path, {**GO, "bot.service": UNIT.format(start)})
    assert not plan.changes


def test_a_program_that_ends_with_0_may_count_on_a_restart(tmp_path: Path) -> None:
    main = GO["main.go"].replace("{ whats", "{ defer os.Exit(0); whats")
    plan = plan_of(tmp_path, {**GO, "main.go": main, "bot.service": UNIT.format("/opt/bot/waba")})
    [found] = [found for found in plan.findings if found.rule == "systemd-restart-always"]
    assert found.is_hand_off and found.reason.startswith("main.go:5:")
    [unit] = plan.changes
    assert b"Restart=always" in (unit.after or b"") and b"StartLimitBurst=5" in (unit.after or b"")


def test_a_library_that_is_only_needed_by_another_is_none(tmp_path: Path) -> None:
    module = GO["go.mod"].replace("v0.0.0-2025", "v0.0.0-2025 // indirect")
    files = {**GO, "go.mod": module, "bot.service": UNIT.format("/opt/bot/waba")}
    assert not plan_of(tmp_path, files).findings
