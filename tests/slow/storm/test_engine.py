"""What a process sees: time, exits, errors, files and network, from tiny mains."""

from __future__ import annotations

from pathlib import Path

import pytest

from modify.units.supervisor import Supervisor
from skill.storm.node.run import simulate
from skill.storm.outcome import Outcome, StormError, busiest_hour
from skill.storm.scenarios import EXTRA
from skill.storm.supervisor import ALWAYS_5S, COMPOSE_ALWAYS, LAUNCHD_KEEP_ALIVE, NONE

HEALTHY = next(scenario for scenario in EXTRA if scenario.id == "healthy")


def run(
    tmp_path: Path,
    node_tools: Path,
    text: str,
    *,
    supervisor: Supervisor = NONE,
    name: str = "main.ts",
) -> Outcome:
    (tmp_path / name).write_text(text, "utf-8")
    [outcome] = simulate(
        tmp_path,
        name,
        driver="main",
        supervisor=supervisor,
        scenarios=[HEALTHY],
        node_tools=node_tools,
    )
    return outcome


def said(outcome: Outcome) -> list[str]:
    return [text for _at, _level, text in outcome.log]


@pytest.mark.parametrize(
    ("text", "ends"),
    [
        ("process.exit(3)", (0.0, 3)),
        ("setTimeout(() => process.exit(), 2500); process.exitCode = 4", (2.5, 4)),
        ("setTimeout(() => {}, 1500)", (1.5, 0)),
        ("setTimeout(() => {}, 1500).unref()", (0.0, 0)),
        ("Promise.reject(new Error('lost'))", (0.0, 1)),
        ("setTimeout(() => { throw new Error('bang') }, 700)", (0.7, 1)),
        ("await new Promise((r) => setTimeout(r, 900)); process.exit(6)", (0.9, 6)),
        ("await new Promise(() => {})", (0.0, 13)),
        ("process.kill(process.pid, 'SIGTERM'); setInterval(() => {}, 9)", (0.0, "SIGTERM")),
        (
            "process.on('SIGTERM', () => process.exit(7)); setInterval(() => {}, 9000);"
            "setTimeout(() => process.kill(process.pid), 2000)",
            (2.0, 7),
        ),
        ("const t = setInterval(() => { if (performance.now() >= 50) clearInterval(t) }, 10)",
         (0.05, 0)),
    ],
)  # fmt: skip
def test_ends_as_node_does(
    tmp_path: Path, node_tools: Path, text: str, ends: tuple[float, int | str]
) -> None:
    assert run(tmp_path, node_tools, text).exits_at == (ends,)


def test_own_handlers_are_asked_first(tmp_path: Path, node_tools: Path) -> None:
    text = """
    process.on('unhandledRejection', (reason) => console.log('kept', String(reason)));
    process.on('exit', (code) => console.log('code', code));
    Promise.reject(new Error('lost'));
    setTimeout(() => process.exit(2), 1000);
    """
    outcome = run(tmp_path, node_tools, text)
    assert outcome.exits == {"2": 1}
    assert said(outcome) == ["kept Error: lost", "code 2"]
    assert [fault.kind for fault in outcome.faults] == ["unhandledRejection"]


def test_nothing_of_a_dead_process_goes_on(tmp_path: Path, node_tools: Path) -> None:
    text = """
    import fs from 'node:fs';
    import makeWASocket from 'baileys';
    async function work() { try { process.exit(1) } catch (error) {
      await null; fs.writeFileSync('late', 'x'); makeWASocket({}); } }
    if (fs.existsSync('late')) console.log('a dead process wrote');
    setTimeout(() => console.log('a dead process ran'), 10);
    work();
    """
    outcome = run(tmp_path, node_tools, text, supervisor=ALWAYS_5S)
    assert (outcome.attempts, said(outcome)) == (0, [])
    assert outcome.exits == {"1": 17_280}


def test_files_last_over_restarts_and_stay_inside(tmp_path: Path, node_tools: Path) -> None:
    text = """
    import { promises as fs } from 'fs';
    import * as path from 'path';
    import { homedir } from 'os';
    async function main() {
      const file = path.join(path.dirname(new URL(import.meta.url).pathname), 'count');
      const seen = Number(await fs.readFile(file, 'utf8').catch(() => 0));
      await fs.writeFile(file, String(seen + 1));
      await fs.writeFile(path.join(homedir(), 'own'), 'x');
      await fs.writeFile('OUTSIDE', 'x').catch((error) => console.log(error.code));
      console.log(seen);
      process.exit(seen < 3 ? 1 : 0);
    }
    main();
    """.replace("OUTSIDE", str(tmp_path / "outside"))
    on_failure = Supervisor("systemd", "on-failure", 1.0)
    outcome = run(tmp_path, node_tools, text, supervisor=on_failure)
    denied = "ERR_ACCESS_DENIED"
    assert said(outcome) == [denied, "0", denied, "1", denied, "2", denied, "3"]
    assert [path.name for path in tmp_path.iterdir()] == ["main.ts"]


def test_time_is_virtual_everywhere(tmp_path: Path, node_tools: Path) -> None:
    text = """
    import { setTimeout as sleep } from 'node:timers/promises';
    import { promisify } from 'util';
    import { performance as clock } from 'perf_hooks';
    const from = Date.now();
    await sleep(60_000);
    await promisify(setTimeout)(60_000);
    await new Promise((r) => AbortSignal.timeout(60_000).addEventListener('abort', r) ??
      setTimeout(() => {}, 61_000));
    console.log(Date.now() - from, new Date().toISOString(), clock.now(),
      process.uptime(), process.hrtime.bigint() / 1000000n + '');
    """
    seen = said(run(tmp_path, node_tools, text))
    assert seen == ["180000 2026-03-01T00:03:00.000Z 180000 180 180000"]


def test_uses_of_a_missing_socket_are_seen_though_caught(tmp_path: Path, node_tools: Path) -> None:
    text = """
    import pino from 'pino';
    let sock;
    try { await sock.sendMessage('a', {}) } catch (err) { pino().debug({ err }, 'not sent') }
    """
    assert len(run(tmp_path, node_tools, text).undefined_socket) == 1


def test_missing_packages_and_files_are_stubs(tmp_path: Path, node_tools: Path) -> None:
    text = """
    import express, { Router } from 'express';
    import Database from 'better-sqlite3';
    import { gone } from './gone.js';
    import { execSync } from 'child_process';
    import https from 'https';
    const app = express();
    app.use(new Router().get('/', () => {}));
    for (const row of new Database('x').prepare('y').all()) console.log(row);
    const late = await import('qrcode');
    await late.toString('x');
    late.toString('x');
    gone.thing(execSync('docker info').toString());
    await gone().then(() => console.log('then'));
    https.get('https://example.invalid', () => console.log('network!'));
    """
    outcome = run(tmp_path, node_tools, text)
    assert outcome.exits == {"0": 1}
    assert outcome.faults == ()
    assert "network!" not in said(outcome)


def test_plain_javascript_and_commonjs(tmp_path: Path, node_tools: Path) -> None:
    text = """
    const { default: makeWASocket, DisconnectReason } = require('@whiskeysockets/baileys');
    const sock = makeWASocket({});
    sock.ev.process(async (events) => {
      if (events['connection.update']) console.log(JSON.stringify(events['connection.update']));
    });
    console.log(DisconnectReason.loggedOut, __dirname.endsWith('host'));
    """
    outcome = run(tmp_path, node_tools, text, name="main.cjs")
    assert said(outcome)[0] == "401 true"
    assert '{"connection":"open"}' in said(outcome)
    assert outcome.attempts == 1


def test_ended_socket_closes_once(tmp_path: Path, node_tools: Path) -> None:
    text = """
    import { makeWASocket } from '@whiskeysockets/baileys';
    const sock = makeWASocket({});
    sock.ev.on('connection.update', (update) => {
      console.log(update.connection);
      if (update.connection === 'open') { sock.end(undefined); sock.end(undefined); }
    });
    """
    assert said(run(tmp_path, node_tools, text)) == ["connecting", "open", "close"]


def test_launchd_and_compose_wait_as_they_do(tmp_path: Path, node_tools: Path) -> None:
    quick = "setTimeout(() => process.exit(0), 4000)"
    starts = run(tmp_path, node_tools, quick, supervisor=LAUNCHD_KEEP_ALIVE).starts_at
    assert starts[:3] == (0.0, 10.0, 20.0)
    starts = run(tmp_path, node_tools, "process.exit(0)", supervisor=COMPOSE_ALWAYS).starts_at
    assert starts[:4] == (0.0, 0.1, 0.3, 0.7)
    assert starts[-1] - starts[-2] == pytest.approx(60.0)


def test_spinning_host_is_stopped(tmp_path: Path, node_tools: Path) -> None:
    text = "const spin = () => setImmediate(spin); spin()"
    assert any("spins" in note for note in run(tmp_path, node_tools, text).notes)


def test_unreadable_host_is_said(tmp_path: Path, node_tools: Path) -> None:
    with pytest.raises(StormError, match=r"main\.ts:1: "):
        run(tmp_path, node_tools, "const = 1")
    with pytest.raises(StormError, match="no such file"):
        simulate(tmp_path, "gone.ts", node_tools=node_tools)


def test_a_class_whose_file_starts_its_own_bot_is_not_called(
    tmp_path: Path, node_tools: Path
) -> None:
    text = """
    import makeWASocket, { useMultiFileAuthState } from '@whiskeysockets/baileys';
    export class Line {
      async connect() {
        const { state } = await useMultiFileAuthState('store/auth');
        makeWASocket({ auth: state });
      }
    }
    function main() { void new Line().connect(); }
    main();
    """
    (tmp_path / "line.ts").write_text(text, "utf-8")
    [outcome] = simulate(
        tmp_path, "line.ts", driver="class", scenarios=[HEALTHY], node_tools=node_tools
    )
    assert outcome.attempts == 1


def test_hour_is_open_at_its_start() -> None:
    assert busiest_hour([]) == 0
    assert busiest_hour([0.0, 3599.9, 3600.0]) == 2
    assert busiest_hour([0.0, 1.0, 3600.5, 3600.9]) == 3
    assert busiest_hour([13078.957, 16678.957]) == 1


def test_getters_of_the_global_object(tmp_path: Path, node_tools: Path) -> None:
    text = """
    import { webcrypto } from 'crypto';
    if (!globalThis.crypto) (globalThis as any).crypto = webcrypto;
    console.log(globalThis.crypto === webcrypto, typeof crypto.randomUUID());
    (globalThis as any).crypto = 'mine';
    console.log(globalThis.crypto);
    """
    assert said(run(tmp_path, node_tools, text)) == ["true string", "mine"]
    assert said(run(tmp_path, node_tools, text)) == ["true string", "mine"]


def test_channel_that_is_told_its_folder(tmp_path: Path, node_tools: Path) -> None:
    text = """
    import { makeWASocket, useMultiFileAuthState } from 'baileys';
    export class Line {
      constructor(private options: { authDir: string }) {}
      async connect() {
        const { state } = await useMultiFileAuthState(this.options.authDir);
        console.log(state.creds.registered);
        makeWASocket({ auth: state });
      }
    }
    """
    (tmp_path / "line.ts").write_text(text, "utf-8")
    [outcome] = simulate(tmp_path, "line.ts", scenarios=[HEALTHY], node_tools=node_tools)
    assert said(outcome) == ["true"]
    assert outcome.attempts == 1 and outcome.ready_s is not None
