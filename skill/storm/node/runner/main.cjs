'use strict';
/**
 * node main.cjs: runs a bundle through scenarios. The request is read from standard input; a line
 * of JSON for each scenario goes to file descriptor 3, which what a host prints cannot reach.
 *
 * request: {bundle, driver, registry, className, startName, readyLog, work, mainFile,
 * environment, supervisor, scenarios: [{id, creds, phases, acts, horizon_s, most, most_runs,
 * most_starts}], seed, limitMs, files, home, cwd}. The first line is the look at the healthy host: {"look": …}.
 */
const fs = require('node:fs');
const path = require('node:path');
const vm = require('node:vm');
const { credsText, rewritten } = require('./baileys.cjs');
const drivers = require('./drivers.cjs');
const { EXIT, World } = require('./engine.cjs');
const { makeGlobals, makeRequire } = require('./globals.cjs');

const request = JSON.parse(fs.readFileSync(0, 'utf8'));
const ANSWERS = 3;
const PARAMETERS = [
  '__load', '__wrapped', 'module', 'exports', 'require', 'process', 'console', 'setTimeout', 'setInterval',
  'setImmediate', 'clearTimeout', 'clearInterval', 'clearImmediate', 'Date', 'Math',
  'performance', 'fetch', 'AbortSignal', 'queueMicrotask', 'WebSocket', 'globalThis', 'global',
];
const program = vm.compileFunction(fs.readFileSync(request.bundle, 'utf8'), PARAMETERS, {
  filename: 'host.js',
});

Error.stackTraceLimit = 6; // a storm makes 144,000 errors

let world = null;
process.on('unhandledRejection', (reason) => {
  if (reason !== EXIT) world?.proc?.uncaught(reason, 'unhandledRejection');
});
process.on('uncaughtException', (error) => {
  if (error !== EXIT) world?.proc?.uncaught(error, 'uncaughtException');
});

function startHost(current, load) {
  const kinds = [new WeakMap(), new WeakMap()];
  const wrapped = (module, node, wrap) => {
    if (module === null || !['object', 'function'].includes(typeof module)) return wrap(module, node);
    const known = kinds[node ? 1 : 0];
    if (!known.has(module)) known.set(module, wrap(module, node));
    return known.get(module);
  };
  return (proc) => {
    const globals = makeGlobals(proc);
    proc.runsAtStart = current.runs.length;
    if (request.registry) proc.holds += 1; // another channel is connected
    const module = { exports: {} };
    const given = { ...globals, __load: load, __wrapped: wrapped, require: load, module, exports: module.exports };
    proc.holds += 1; // loading the program
    const loaded = program(...PARAMETERS.map((name) => given[name]));
    (async () => {
      try {
        if (loaded) {
          // A main that awaits its bot for ever is through when the link opens, too.
          if (request.driver === 'main') drivers.main(current, proc);
          proc.holds -= 1;
          proc.exitCode = 13; // Node: an unsettled top-level await at the end
          await loaded;
          proc.exitCode = proc.exitCode === 13 ? undefined : proc.exitCode;
          proc.holds += 1;
        }
        if (proc.dead) return;
        const driven = drivers[request.driver](current, proc, module.exports);
        proc.holds -= 1;
        await driven;
      } catch (error) {
        if (error !== EXIT) {
          if (!proc.dead) current.note(`the host does not start: ${error?.message ?? error}`);
          proc.uncaught(error, 'uncaughtException');
        }
      }
    })();
  };
}

/** A scenario's hand on the host's files; only those that are there, or were. */
function touch(authFolders, kind, value) {
  for (const auth of authFolders) {
    const creds = path.join(auth, 'creds.json');
    const memory = `${auth}-reconnect.json`;
    if (kind === 'creds' && value === 'deleted') fs.rmSync(creds, { force: true });
    else if (kind === 'creds' && value === 'renewed') {
      fs.mkdirSync(auth, { recursive: true });
      fs.writeFileSync(creds, credsText(true));
    } else if (kind === 'creds' && value === 'rewritten') {
      if (fs.existsSync(creds)) fs.writeFileSync(creds, rewritten(fs.readFileSync(creds, 'utf8')));
    } else if (kind === 'memory' && value === 'corrupt') {
      if (fs.existsSync(memory)) fs.writeFileSync(memory, '{"version": 1, "attempts": {"x-1": 17');
    } else if (kind === 'memory' && value === 'unwritable') world.denied = /-reconnect\.json/;
    else throw new Error(`no such act: ${kind} ${value}`);
  }
}

function isInside(folder) {
  return !path.isAbsolute(folder) && !folder.startsWith('..');
}

async function play(scenario, authFolders, looking = false) {
  // One place for all scenarios, since the bundle knows it by name; empty at each start.
  const { home, cwd } = request;
  for (const folder of [home, cwd]) fs.rmSync(folder, { recursive: true, force: true });
  fs.mkdirSync(path.join(home, 'tmp'), { recursive: true });
  fs.mkdirSync(cwd, { recursive: true });
  process.chdir(cwd);
  for (const [name, text] of Object.entries(request.files)) fs.writeFileSync(name, text);
  const folders = [...authFolders].filter(isInside);
  for (const auth of folders) {
    fs.mkdirSync(auth, { recursive: true });
    fs.writeFileSync(path.join(auth, 'creds.json'), credsText(scenario.creds === 'linked'));
  }
  const current = (world = new World({
    scenario,
    supervisor: request.supervisor,
    seed: request.seed,
    limit_ms: request.limitMs,
  }));
  current.looking = looking;
  current.environment = { ...request.environment, HOME: home };
  current.mainFile = request.mainFile;
  current.registry = request.registry;
  current.className = request.className ?? undefined;
  current.startName = request.startName ?? undefined;
  current.readyLog = request.readyLog ? new RegExp(request.readyLog) : null;
  current.files = (kind, value) => touch(folders, kind, value);
  const began = performance.now();
  await current.run(startHost(current, makeRequire(current)));
  const took = performance.now() - began;
  process.chdir(request.work);
  return { current, took };
}

function seconds(ms) {
  return ms === null ? null : Math.round(ms) / 1000;
}

function printable(arg) {
  if (arg instanceof Error) return arg.message;
  if (typeof arg === 'string') return arg.trimEnd();
  try {
    return JSON.stringify(arg, (_key, value) => (value instanceof Error ? value.message : value));
  } catch {
    return String(arg);
  }
}

function say(value) {
  const text = Buffer.from(`${JSON.stringify(value)}\n`);
  for (let sent = 0; sent < text.length; ) sent += fs.writeSync(ANSWERS, text, sent);
}

const WELL = { kind: 'open', after_s: 0.5, close_after_s: null, kill_after_s: null, code: null };
const LOOK = {
  id: 'look',
  creds: 'linked',
  horizon_s: 60,
  phases: [{ until_s: Infinity, attempts: null, does: WELL, lookup_fails: false }],
};

/** Where does this host keep its credentials, and does it dial at all? Short healthy runs show it. */
async function look() {
  const folders = new Set(['store/auth']);
  for (;;) {
    const { current } = await play(LOOK, folders, true);
    const known = folders.size;
    for (const folder of current.authFolders) if (isInside(folder)) folders.add(folder);
    if (current.attempts.length || folders.size === known) return { current, folders };
  }
}

async function main() {
  const { current: seen, folders } = await look();
  say({
    look: {
      attempts: seen.attempts.length,
      opened: seen.opens.length,
      settled_ok: seen.settled?.ok ?? null,
      folders: [...folders],
      notes: seen.notes,
      faults: [...seen.faults.values()].map((fault) => fault.text),
    },
  });
  for (const scenario of request.scenarios) {
    const { current, took } = await play(scenario, folders);
    say({
      scenario: scenario.id,
      not_run: current.notRun,
      attempts_at: current.attempts.map(seconds),
      runs_at: current.runs.map(seconds),
      opens_at: current.opens.map(seconds),
      starts_at: current.starts.map(seconds),
      exits: current.exits.map(([at, code]) => [seconds(at), code]),
      settled_s: seconds(current.settled?.at ?? null),
      settled_ok: current.settled?.ok ?? null,
      first_up_s: seconds(current.firstUp),
      ready_s: seconds(current.ready),
      up_at_end: current.upAtEnd,
      more: current.more,
      saves: current.saves,
      faults: [...current.faults.values()],
      notes: current.notes,
      log: [...current.head, ...current.tail].map(([at, level, args]) => [
        seconds(at),
        level,
        args.map(printable).join(' '),
      ]),
      real_s: Math.round(took) / 1000,
    });
  }
}

main().catch((error) => {
  process.stderr.write(`${error?.stack ?? error}\n`);
  process.exit(1);
});
