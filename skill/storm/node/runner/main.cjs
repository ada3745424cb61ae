'use strict';
/**
 * node main.cjs: runs a bundle through scenarios. The request is read from standard input; a line
 * of JSON for each scenario goes to file descriptor 3, which what a host prints cannot reach.
 *
 * request: {bundle, index, root, entry, first, driver, registry, className, startName, readyLog,
 * work, environment, supervisor, scenarios: [{id, creds, phases, acts, horizon_s, most, most_runs,
 * most_starts}], seed, limitMs, home, cwd, baileys, guard}. first: a file that is run before the
 * entry, or ''. The first line is the look at the healthy host: {"look": …}.
 */
const fs = require('node:fs');
const path = require('node:path');
const vm = require('node:vm');
const { BufferJSON, credsText, rewritten } = require('./baileys.cjs');
const drivers = require('./drivers.cjs');
const { EXIT, World, turnOf } = require('./engine.cjs');
const { settingsFor } = require('./environment.cjs');
const { HostFiles } = require('./files.cjs');
const { makeGlobals, makeRequire } = require('./globals.cjs');
const { Library, Program } = require('./modules.cjs');

const request = JSON.parse(fs.readFileSync(0, 'utf8'));
const ANSWERS = 3;
const PARAMETERS = [
  'process', 'console', 'setTimeout', 'setInterval',
  'setImmediate', 'clearTimeout', 'clearInterval', 'clearImmediate', 'Date', 'Math', 'JSON',
  'performance', 'fetch', 'structuredClone', 'AbortSignal', 'queueMicrotask', 'WebSocket', 'globalThis', 'global',
];
const library = new Library({ ...request, home: request.cwd, parameters: PARAMETERS });
const hostFiles = new HostFiles(library.files, request.root, request.cwd);
const BAILEYS = new Set(request.baileys);
const isBaileys = (name) => BAILEYS.has(name) || /^(@whiskeysockets\/|@adiwajshing\/)?baileys(\/|$)/.test(name);
const guarding = request.guard
  ? vm.compileFunction(request.guard, ['module', 'exports', 'require', ...PARAMETERS], { filename: 'guard.cjs' })
  : null;

Error.stackTraceLimit = 6; // a storm makes 144,000 errors

let world = null;
process.on('unhandledRejection', (reason) => {
  if (reason !== EXIT) world?.proc?.uncaught(reason, 'unhandledRejection');
});
process.on('uncaughtException', (error) => {
  if (error !== EXIT) world?.proc?.uncaught(error, 'uncaughtException');
});

/**
 * What this host is helped with: its own stores (else they are stood in for), its settings, and
 * whether its database knows a session and a person answers at its terminal (rows.cjs, answers.cjs).
 */
let help = { stores: false, settings: {}, rows: '' };

/** What Baileys is under the guard: wrapped anew at each start, under each of its names. */
function guarded(load, globals) {
  if (!guarding) return load;
  const known = new Map();
  return (name) => {
    if (!isBaileys(name)) return load(name);
    if (!known.has(name)) {
      const module = { exports: {} };
      guarding(module, module.exports, load, ...globals);
      known.set(name, module.exports.wrapExports(load(name)));
    }
    return known.get(name);
  };
}

/** So many turns of its event loop a main has, at one instant, before its channel is asked to dial. */
const MAINS_TURNS = 32;

function startHost(current, load) {
  return (proc) => {
    const own = makeGlobals(proc);
    const globals = PARAMETERS.map((name) => own[name]);
    proc.runsAtStart = current.runs.length;
    if (request.registry) proc.holds += 1; // another channel is connected
    proc.program = new Program({
      library,
      globals,
      packages: guarded(load, globals),
      world: current,
      files: hostFiles,
      options: {
        capture: request.driver === 'factory',
        stubHeavy: !help.stores && ['class', 'factory'].includes(request.driver),
      },
    });
    proc.holds += 1; // loading the program
    if (request.first) proc.program.start(request.first);
    const module = proc.program.start(request.entry);
    const loaded = module.promise;
    (async () => {
      try {
        for (let turn = 0; request.first && turn < MAINS_TURNS; turn += 1) await turnOf(own);
        if (loaded) {
          // A main that awaits its bot forever is through when the link opens, too.
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

/** The credentials of a bot that is linked, as a database gives them. */
const linked = () => JSON.parse(credsText(true), BufferJSON.reviver);

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
  hostFiles.fresh();
  const folders = [...authFolders].filter(isInside).map((folder) => folder || '.');
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
  current.help = { rows: help.rows, kind: help.rows ? library.kind : '' };
  current.stored = help.rows && scenario.creds === 'linked' ? linked() : null;
  current.environment = { ...help.settings, ...request.environment, HOME: home };
  current.hostFiles = hostFiles;
  current.mainFile = path.join(cwd, request.entry);
  current.registry = request.registry;
  current.hasMain = Boolean(request.first); // it runs, and the channel is asked to dial
  current.className = request.className ?? undefined;
  current.startName = request.startName ?? undefined;
  current.readyLog = request.readyLog ? new RegExp(request.readyLog) : null;
  current.files = (kind, value) => {
    if (help.rows && kind === 'creds' && value !== 'rewritten') current.stored = value === 'renewed' ? linked() : null;
    touch(folders, kind, value);
  };
  const began = performance.now();
  await current.run(startHost(current, makeRequire(current, isBaileys)));
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
    if (current.opens.length || folders.size === known) return { current, folders };
  }
}

/** So many times more is a host asked which settings it wants, for it may ask for one at a time. */
const MOST_ASKED = 4;

/**
 * Some hosts start only with their settings, or with their own stores; and some dial only for a
 * session that their database knows, or once a person has answered: that is made up if asked for.
 */
async function lookWithHelp() {
  const plain = await look();
  const done = ({ current }) => current.opens.length || current.notRun;
  if (done(plain)) return plain;
  const read = (file) => hostFiles.read(path.join(request.cwd, file));
  const stores = ['class', 'factory'].includes(request.driver) ? [false, true] : [false];
  const unanswered = new Set(plain.current.unanswered);
  for (const rows of request.madeUp ? ['lists', 'all'] : ['']) {
    for (const own of stores) {
      const unset = new Set();
      let seen = own || rows ? await lookWith({ stores: own, settings: {}, rows }) : plain;
      for (let asked = 0; !done(seen) && asked < MOST_ASKED; asked += 1) {
        const known = unset.size;
        for (const name of seen.current.unset) unset.add(name);
        if (unset.size === known && asked) break;
        seen = await lookWith({ stores: own, settings: settingsFor(unset, library.files, read), rows });
      }
      for (const name of seen.current.unanswered) unanswered.add(name);
      if (!seen.current.opens.length) continue;
      for (const [name, value] of Object.entries(help.settings)) {
        if (seen.current.asked.has(name)) seen.current.standIns.add(`${name}=${value}`);
      }
      return { current: seen.current, folders: help.folders };
    }
  }
  help = { stores: false, settings: {}, rows: '' };
  return { ...plain, unanswered: unanswered.size > 0 };
}

async function lookWith(some) {
  help = some;
  const seen = await look();
  help.folders = seen.folders;
  return seen;
}

async function main() {
  const { current: seen, folders, unanswered = false } = await lookWithHelp();
  say({
    look: {
      attempts: seen.attempts.length,
      opened: seen.opens.length,
      settled_ok: seen.settled?.ok ?? null,
      folders: [...folders],
      stood_in: [...seen.standIns],
      unanswered,
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

main().then(
  () => process.exit(0), // whatever a host has left open
  (error) => {
    process.stderr.write(`${error?.stack ?? error}\n`);
    process.exit(1);
  },
);
