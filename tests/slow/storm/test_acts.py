"""What a scenario does to a host beside WhatsApp: seen from tiny mains."""

from __future__ import annotations

from dataclasses import replace
from math import inf
from pathlib import Path

import pytest

from modify.units.supervisor import Supervisor
from skill.storm.node.run import prepared, simulate
from skill.storm.outcome import Outcome
from skill.storm.scenarios import WELL, Act, Bound, Does, Phase, Scenario
from skill.storm.supervisor import ALWAYS_5S, NONE

BOUND = Bound(day=100)
QUIET = Scenario("quiet", "nothing wrong", (Phase(inf, WELL),), BOUND, horizon_s=100.0)


def play(
    tmp_path: Path,
    node_tools: Path,
    text: str,
    *acts: Act,
    phases: tuple[Phase, ...] = QUIET.phases,
    supervisor: Supervisor = NONE,
    horizon_s: float = 100.0,
) -> Outcome:
    (tmp_path / "main.ts").write_text(text, "utf-8")
    scenario = replace(QUIET, acts=acts, phases=phases, horizon_s=horizon_s)
    [outcome] = simulate(
        tmp_path,
        "main.ts",
        driver="main",
        supervisor=supervisor,
        scenarios=[scenario],
        node_tools=node_tools,
    )
    assert outcome.not_run == ""
    return outcome


def said(outcome: Outcome) -> list[str]:
    return [text for _at, _level, text in outcome.log]


STAYS = "setInterval(() => {}, 60_000);"


def test_restart_asks_first_and_starts_at_once(tmp_path: Path, node_tools: Path) -> None:
    text = STAYS + "process.on('SIGTERM', () => setTimeout(() => process.exit(3), 2000));"
    outcome = play(
        tmp_path, node_tools, text, Act(10.0, "restart", "SIGTERM"), supervisor=ALWAYS_5S
    )
    assert outcome.exits_at == ((12.0, 3),)
    assert outcome.starts_at == (0.0, 12.0)


def test_who_does_not_listen_is_killed(tmp_path: Path, node_tools: Path) -> None:
    text = STAYS + "process.on('SIGTERM', () => console.log('no'));"
    outcome = play(tmp_path, node_tools, text, Act(10.0, "restart", "SIGTERM"))
    assert outcome.exits_at == ((20.0, "SIGKILL"),)
    assert outcome.starts_at == (0.0, 20.0)


def test_start_by_hand_only_where_nothing_runs(tmp_path: Path, node_tools: Path) -> None:
    text = "setTimeout(() => process.exit(0), 15_000)"
    acts = (Act(10.0, "start"), Act(40.0, "start"))
    assert play(tmp_path, node_tools, text, *acts).starts_at == (0.0, 40.0)


def test_repeated_act_spares_a_link_that_is_up(tmp_path: Path, node_tools: Path) -> None:
    text = "import makeWASocket from 'baileys'; makeWASocket({});" + STAYS
    act = Act(10.0, "restart", "SIGKILL", every_s=10.0, until_s=65.0, unless_up=True)
    refused = (Phase(35.0, Does("close", 0.3, 408)), Phase(inf, WELL))
    outcome = play(tmp_path, node_tools, text, act, phases=refused)
    assert outcome.starts_at == (0.0, 10.0, 20.0, 30.0, 40.0)
    always = replace(act, unless_up=False)
    outcome = play(tmp_path, node_tools, text, always, phases=refused)
    assert outcome.starts_at[-1] == 60.0


def test_stop_ends_a_service_that_has_no_other_way(tmp_path: Path, node_tools: Path) -> None:
    outcome = play(tmp_path, node_tools, STAYS, Act(10.0, "stop"), supervisor=ALWAYS_5S)
    assert outcome.exits_at == ((10.0, "SIGTERM"),)
    assert outcome.starts_at == (0.0,)
    again = Act(50.0, "restart", "SIGTERM")
    outcome = play(tmp_path, node_tools, STAYS, Act(10.0, "stop"), again, supervisor=ALWAYS_5S)
    assert outcome.starts_at == (0.0, 50.0)


def test_stop_calls_the_channel_s_own_way(tmp_path: Path, node_tools: Path) -> None:
    text = """
    export class Line {
      async connect() { console.log('up') }
      async disconnect() { console.log('down') }
    }
    """
    (tmp_path / "line.ts").write_text(text, "utf-8")
    scenario = replace(QUIET, acts=(Act(10.0, "stop"),))
    [outcome] = simulate(tmp_path, "line.ts", scenarios=[scenario], node_tools=node_tools)
    assert said(outcome) == ["up", "down"]
    assert outcome.exits == {}


def test_clock_is_set_and_uptime_is_not(tmp_path: Path, node_tools: Path) -> None:
    text = """
    const from = Date.now();
    setInterval(() => console.log(Date.now() - from, performance.now(), process.uptime()), 20_000);
    """
    outcome = play(tmp_path, node_tools, text, Act(30.0, "clock", by_s=-3600.0))
    assert said(outcome)[:2] == ["20000 20000 20", "-3560000 40000 40"]


CREDENTIALS = """
import fs from 'fs';
import { useMultiFileAuthState } from 'baileys';
const line = async () => {
  const { state } = await useMultiFileAuthState('store/auth');
  const { noiseKey, registered, nextPreKeyId } = state.creds;
  console.log(noiseKey.public.toString('hex'), Boolean(registered), nextPreKeyId,
    fs.existsSync('store/auth/creds.json'));
};
line();
setInterval(line, 10_000);
"""


def test_credentials_renewed_rewritten_deleted(tmp_path: Path, node_tools: Path) -> None:
    acts = (
        Act(5.0, "creds", "rewritten"),
        Act(15.0, "creds", "renewed"),
        Act(25.0, "creds", "deleted"),
    )
    seen = [line.split() for line in said(play(tmp_path, node_tools, CREDENTIALS, *acts))]
    first, rewritten, renewed, deleted = seen[:4]
    assert rewritten[0] == first[0] and rewritten[2] != first[2]
    assert renewed[0] != first[0] and renewed[1] == "true"
    assert deleted[1:] == ["false", "1", "false"]


MEMORY = """
import fs from 'fs';
import { useMultiFileAuthState } from 'baileys';
await useMultiFileAuthState('store/auth');
const file = 'store/auth-reconnect.json';
const write = () => {
  console.log(fs.existsSync(file) ? fs.readFileSync(file, 'utf8') : 'none');
  for (const name of [file, 'store/other.json']) {
    try { fs.writeFileSync(name + '.tmp', '{}'); fs.renameSync(name + '.tmp', name) }
    catch (error) { console.log(name, error.code) }
  }
};
write();
setInterval(write, 10_000);
"""


def test_memory_is_damaged_or_refuses(tmp_path: Path, node_tools: Path) -> None:
    acts = (Act(5.0, "memory", "corrupt"), Act(15.0, "memory", "unwritable"))
    seen = said(play(tmp_path, node_tools, MEMORY, *acts, horizon_s=25.0))
    assert seen[0] == "none"
    assert seen[1].startswith('{"version": 1, "attempts"') and not seen[1].endswith("}")
    assert seen[2:] == ["{}", "store/auth-reconnect.json EACCES"]


def test_two_processes_share_files_and_one_session(tmp_path: Path, node_tools: Path) -> None:
    text = """
    import fs from 'fs';
    import makeWASocket from 'baileys';
    const other = fs.existsSync('pid') ? Number(fs.readFileSync('pid', 'utf8')) : 0;
    fs.writeFileSync('pid', String(process.pid));
    console.log(other ? process.kill(other, 0) : 'first', other !== process.pid);
    makeWASocket({}).ev.on('connection.update', ({ connection, lastDisconnect }) =>
      console.log(other ? 'second' : 'first', connection,
        lastDisconnect?.error?.output.statusCode ?? ''));
    """
    outcome = play(tmp_path, node_tools, text + STAYS, Act(50.0, "second"))
    assert outcome.starts_at == (0.0, 50.0)
    assert [line.strip() for line in said(outcome)] == [
        "first true",
        "first connecting",
        "first open",
        "true true",
        "second connecting",
        "second open",
        "first close 440",
    ]
    assert outcome.up_at_end


def test_phase_of_so_many_attempts(tmp_path: Path, node_tools: Path) -> None:
    text = """
    import makeWASocket from 'baileys';
    const dial = () => makeWASocket({}).ev.on('connection.update', (update) => {
      if (update.connection === 'close') {
        const { error } = update.lastDisconnect;
        console.log(error?.output?.statusCode, error?.data?.expire, error === undefined);
        setTimeout(dial, 1000);
      }
    });
    dial();
    """
    phases = (
        Phase(inf, Does("close", 0.3, 402, data={"expire": 60}), attempts=1),
        Phase(inf, Does("close", 0.3, None), attempts=2),
        Phase(inf, Does("close", 0.3, 0), attempts=3),
        Phase(inf, WELL),
    )
    outcome = play(tmp_path, node_tools, text, phases=phases)
    assert said(outcome) == ["402 60 false", "  false", "  true"]
    assert outcome.attempts == 4 and outcome.up_at_end


@pytest.mark.parametrize(
    ("rules", "text", "starts"),
    [
        # As pm2 7.0.4 and supervisord 4.3.0 did when they were run for real.
        (Supervisor("pm2", "always", max_restarts=16, min_uptime_s=1.0), "0", 16),
        (Supervisor("pm2", "always", max_restarts=3, min_uptime_s=5.0), "1", 3),
        (Supervisor("pm2", "always", prevent_codes=(0,), max_restarts=16, min_uptime_s=1.0),
         "0", 1),
        (Supervisor("supervisord", "on-failure", prevent_codes=(0,), max_restarts=3,
                    min_uptime_s=1.0), "0", 4),
        (Supervisor("supervisord", "on-failure", prevent_codes=(0,), max_restarts=3), "0", 1),
        (Supervisor("shell", "on-failure", 5.0), "0", 1),
        (Supervisor("shell", "always", 5.0), "0", 21),
        (Supervisor("shell", "always", 5.0, backoff_s=300.0), "1", 5),
    ],
)  # fmt: skip
def test_other_supervisors(
    tmp_path: Path, node_tools: Path, rules: Supervisor, text: str, starts: int
) -> None:
    outcome = play(tmp_path, node_tools, f"process.exit({text})", supervisor=rules)
    assert outcome.starts == starts


def test_pm2_backs_off_to_fifteen_seconds(tmp_path: Path, node_tools: Path) -> None:
    rules = Supervisor("pm2", "always", max_restarts=16, min_uptime_s=0.0, backoff_s=0.1)
    text = "setTimeout(() => process.exit(1), 2000)"
    outcome = play(tmp_path, node_tools, text, supervisor=rules, horizon_s=400.0)
    gaps = [b - a - 2 for a, b in zip(outcome.starts_at, outcome.starts_at[1:], strict=False)]
    assert gaps[:3] == pytest.approx([0.1, 0.15, 0.225], abs=0.001)
    assert gaps[-1] == pytest.approx(15.0)


@pytest.mark.parametrize(
    ("bound", "act", "text"),
    [
        (Bound(day=9, first_s=0.0), None, "the first attempt is delayed"),
        (Bound(day=9, quiet=(20.0, 90.0)), None, "1 attempts after second 20, none promised"),
        (Bound(day=9, clean=True), Act(60.0, "restart", "SIGKILL"),
         "ends with SIGKILL, status 0 promised"),
    ],
)  # fmt: skip
def test_broken_bounds_are_told(
    tmp_path: Path, node_tools: Path, bound: Bound, act: Act | None, text: str
) -> None:
    dials = "import make from 'baileys'; setTimeout(() => make({}), 30_000);" + STAYS
    outcome = play(tmp_path, node_tools, dials, *([act] if act else []))
    assert outcome.broken() == []
    judged = replace(outcome, scenario=replace(outcome.scenario, bound=bound))
    assert judged.broken() == [text]


def test_what_hangs_or_lasts_is_not_run(tmp_path: Path, node_tools: Path) -> None:
    text = """
    import fs from 'fs';
    if (Date.now() > Date.UTC(2026, 2, 1) + 70_000) for (;;) {}
    setTimeout(() => process.exit(1), 1000);
    """
    (tmp_path / "main.ts").write_text(text, "utf-8")
    with prepared(tmp_path, "main.ts", driver="main", node_tools=node_tools) as trial:
        rules = Supervisor("systemd", "always", 1.0)
        short = replace(QUIET, id="short", horizon_s=3.0)
        told: list[str] = []
        hung, well = trial.run(
            [QUIET, short],
            supervisor=rules,
            limit_s=0.5,
            progress=lambda outcome: told.append(outcome.scenario.id),
        )
    assert "did not return" in hung.not_run and hung.broken() == []
    assert well.not_run == "" and well.starts == 2
    assert told == ["quiet", "short"]


def test_host_that_never_returns_is_asked_once(tmp_path: Path, node_tools: Path) -> None:
    (tmp_path / "main.ts").write_text("for (;;) {}", "utf-8")
    with prepared(tmp_path, "main.ts", driver="main", node_tools=node_tools) as trial:
        outcomes = trial.run([QUIET, replace(QUIET, id="again")], limit_s=0.5)
    assert [one.not_run for one in outcomes] == ["the host's code did not return within 4 s"] * 2


def test_what_takes_too_long_is_cut_short(tmp_path: Path, node_tools: Path) -> None:
    (tmp_path / "main.ts").write_text("setInterval(() => {}, 1)", "utf-8")
    endless = replace(QUIET, horizon_s=1e6)
    with prepared(tmp_path, "main.ts", driver="main", node_tools=node_tools) as trial:
        [outcome] = trial.run([endless], supervisor=NONE, limit_s=0.2)
    assert outcome.not_run.startswith("cut short at hour ")


def test_look_tells_whether_a_host_dials(tmp_path: Path, node_tools: Path) -> None:
    text = """
    import fs from 'fs';
    import path from 'path';
    import { makeWASocket, useMultiFileAuthState } from 'baileys';
    const folder = path.join(process.cwd(), 'data', 'wa');
    const linked = fs.existsSync(path.join(folder, 'creds.json'));
    if (!linked) { console.error('link me'); process.exit(1) }
    const { state } = await useMultiFileAuthState(folder);
    makeWASocket({ auth: state });
    """
    (tmp_path / "main.ts").write_text(text, "utf-8")
    with prepared(tmp_path, "main.ts", driver="main", node_tools=node_tools) as trial:
        look = trial.look()
        [outcome] = trial.run([QUIET])
    assert (look.attempts, look.opened) == (1, 1)
    assert "data/wa" in look.folders
    assert outcome.attempts == 1
    (tmp_path / "main.ts").write_text("throw new Error('no token')", "utf-8")
    with prepared(tmp_path, "main.ts", driver="main", node_tools=node_tools) as trial:
        look = trial.look()
    assert look.attempts == 0
    assert look.problems == ("no token",)


def test_scenario_without_the_runner_s_answer_was_not_run(tmp_path: Path, node_tools: Path) -> None:
    (tmp_path / "main.ts").write_text("", "utf-8")
    with prepared(tmp_path, "main.ts", driver="main", node_tools=node_tools) as trial:
        [outcome] = trial.run([replace(QUIET, acts=(Act(1.0, "creds", "nonsense"),))])
    assert outcome.not_run == "Error: no such act: creds nonsense"
    assert outcome.broken() == []
