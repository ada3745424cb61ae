'use strict';
/**
 * How a host's main is modelled when only its channel file is run.
 *
 * Each driver gets the bundle's exports and the process; it reports proc.settled(ok) when
 * the host's connect(), setup() or main did, and does what real mains do then: NanoClaw v1
 * awaits connect() and exits 1 when it rejects; v2's registry logs a rejected setup() and
 * lives on with its other channels.
 */
const { EXIT, turnOf } = require('./engine.cjs');
const { stub } = require('./stubs.cjs');

/** Seconds after the first start at which the channel's other entries are tried while not open. */
const PROBE_S = 31;
const ENTRIES = ['connect', 'start', 'init', 'initialize', 'run', 'launch', 'listen', 'open'];
const TEARDOWNS = ['disconnect', 'teardown', 'stop', 'shutdown', 'close', 'destroy'];
const FOLDER = /(dir|folder|path)$/i;
/** In the text of a function that makes a socket, patched or not. */
const DIALS = /make\w*WA\w*Socket|\breconnect\.socket\(|baileys\w*\.default\b/i;
const STARTERS = /^(main|start\w*|run|boot\w*|init\w*|connect\w*)$/;

/** A value that fits the name of a parameter or a setting; undefined where none is plain. */
function plausible(name) {
  if (FOLDER.test(name)) return 'store/auth';
  if (/(number|phone|jid|owner)$/i.test(name)) return '15550001111';
  if (/^id$|Id$|_id$|name$|session$|instance$|account$|key$|token$|client$|user$/i.test(name)) return 'main';
  if (/^(is|has|should|force|use|with)[A-Z]/.test(name)) return false;
  if (/^(on[A-Z]|cb$|callback$|done$|next$)/.test(name)) return () => {};
  return undefined;
}

/** The parameters of a function's text, up to the first that has a default. */
function parameters(text) {
  const found = [''];
  let depth = 0;
  for (const one of text.slice(text.indexOf('(') + 1)) {
    if ('([{'.includes(one)) depth += 1;
    else if (')]}'.includes(one) && (depth -= 1) < 0) break;
    if (one === ',' && depth === 0) found.push('');
    else found[found.length - 1] += one;
  }
  const names = found.map((one) => one.trim()).filter((one) => one && !one.startsWith('...'));
  const first = names.findIndex((one) => !/^[{[]/.test(one) && one.includes('='));
  return first < 0 ? names : names.slice(0, first);
}

const NAMES = new Map(); // of the parameters, by function: read once, and not at each start

function namesOf(work, read) {
  const key = `${work.name} ${work.length}`;
  if (!NAMES.has(key)) NAMES.set(key, read(Function.prototype.toString.call(work)));
  return NAMES.get(key);
}

/** What a host's main would give to its function. */
function argumentsFor(world, work) {
  const names = namesOf(work, (text) => {
    const single = /^(?:async\s+)?([\w$]+)\s*=>/.exec(text);
    return withDefaults(single ? [single[1]] : parameters(text), text);
  });
  return names.map(([name, left]) => plausible(name) ?? hostOptions(world, left));
}

/** Each parameter with the names of those of its options that the function has a value for itself. */
function withDefaults(names, text) {
  return names.map((name) => {
    const patterns = [name.startsWith('{') ? name : ''];
    const left = new Set();
    if (/^\w+$/.test(name)) {
      patterns.push(...matches(text, `\\{([^{}]*)\\}\\s*=\\s*${name}\\b`));
      for (const one of matches(text, `(?<![!\\w.])${name}\\??\\.(\\w+)\\s*(?:\\?\\?|\\|\\|)`)) left.add(one);
    }
    for (const one of patterns) for (const key of matches(one, '(\\w+)\\s*=(?![=>])')) left.add(key);
    return [name, left];
  });
}

const matches = (text, pattern) => [...text.matchAll(new RegExp(pattern, 'g'))].map(([, one]) => one);

/** The same for `new`; a class without a constructor has that of its base. */
function argumentsForNew(world, Class) {
  const names = namesOf(Class, (text) => {
    const at = text.search(/\bconstructor\s*\(/);
    return withDefaults(at < 0 ? ['', '', ''] : parameters(text.slice(at)), text.slice(Math.max(at, 0)));
  });
  return names.map(([name, left]) => plausible(name) ?? hostOptions(world, left));
}

/** left: the names of what is not given. */
function hostOptions(world, left = new Set()) {
  const rest = stub(world, 'host');
  return new Proxy(
    {
      registeredGroups: () => ({}),
      onMessage() {},
      onChatMetadata() {},
      otherChannelConnected: () => Boolean(world.registry), // what a patched channel asks
    },
    {
      get(target, key) {
        if (key in target) return target[key];
        // A channel that is told where its credentials are: where this runner keeps them.
        return plausible(String(key)) ?? (left.has(key) ? undefined : rest[key]);
      },
    },
  );
}

/** Calls what a host may call before the link is open; a use of the missing socket is an error. */
function probe(world, proc, calls) {
  if (world.probed) return;
  world.probed = true;
  const timer = proc.globals.setTimeout(async () => {
    // A host that still waits for its channel does not use it.
    if (proc.openSockets > 0 || !proc.resolved) return;
    for (const call of calls) {
      try {
        await call();
      } catch (error) {
        world.log('probe', [error]); // a socket that is not open may refuse; a missing one not
      }
    }
  }, PROBE_S * 1000);
  timer.unref();
}

async function connectChannel(world, proc, channel, method = 'connect') {
  rememberTeardown(proc, channel);
  probe(world, proc, [
    () => channel.setTyping?.('15550002222@s.whatsapp.net', true),
    () => channel.isConnected?.(),
  ]);
  try {
    await channel[method](...argumentsFor(world, channel[method]));
  } catch (error) {
    if (error === EXIT || proc.dead) return;
    world.log('main', [error]);
    world.note(`${method}() rejects: ${error?.message ?? error}`);
    proc.settled(false);
    proc.guard(() => proc.globals.process.exit(1));
    return;
  }
  if (proc.dead) return;
  proc.holds += 1; // the message loop runs from here on
  proc.settled(true);
}

/** How a host's main ends the channel, if the channel has a way. */
function rememberTeardown(proc, channel) {
  const name = TEARDOWNS.find((one) => typeof channel[one] === 'function');
  if (!name) return;
  proc.teardown = async () => {
    try {
      await channel[name]();
    } catch (error) {
      if (error !== EXIT) proc.world.log('main', [error]);
    }
  };
}

/** Whether the file has a bot running one turn of the event loop after its import. */
async function startsItself(world, proc) {
  await turnOf(proc.globals);
  return world.runs.length > proc.runsAtStart;
}

async function runClass(world, proc, exported) {
  const { className, startName: method = 'connect' } = world;
  // It is not asked for a second one.
  if (await startsItself(world, proc)) return proc.settled(true);
  const wanted = (value) =>
    typeof value === 'function' && typeof (value.prototype?.[method] ?? value[method]) === 'function';
  const every = Object.values(exported);
  const all = every.filter(wanted);
  // Its method may be a field, which only an object has.
  const named = every.find((one) => typeof one === 'function' && one.name === className);
  const Channel = all.find((one) => one.name === className) ?? all[0] ?? named;
  const made = every.find((value) => typeof value === 'object' && typeof value?.[method] === 'function');
  if (!Channel && made) return connectChannel(world, proc, made, method);
  if (Channel && typeof Channel[method] === 'function' && !Channel.prototype?.[method]) {
    return connectChannel(world, proc, Channel, method);
  }
  if (!Channel) throw new Error(`the channel file exports no class with a ${method}() method`);
  await connectChannel(world, proc, new Channel(...argumentsForNew(world, Channel)), method);
}

async function runFactory(world, proc, exported) {
  const registered = proc.captured.find((args) => args.length > 1);
  const factory = registered?.[1]?.factory ?? registered?.[1];
  if (typeof factory === 'function') return runChannel(world, proc, await factory(hostOptions(world)));
  const wanted = (name) => /^create\w*(Channel|Adapter)$/i.test(name);
  const name = [world.startName, ...Object.keys(exported).filter(wanted)].find(
    (one) => typeof exported[one] === 'function',
  );
  if (!name) throw new Error('the channel file registers no channel factory');
  const made = await exported[name](...argumentsFor(world, exported[name]));
  if (made === undefined && world.runs.length > proc.runsAtStart) return proc.settled(true);
  return runChannel(world, proc, made);
}

async function runChannel(world, proc, channel) {
  if (!channel) {
    world.note('the factory returned no channel');
    proc.holds += 1;
    return;
  }
  if (typeof channel.setup !== 'function') {
    const entry = ENTRIES.find((one) => typeof channel[one] === 'function');
    if (!entry) throw new Error('what the factory returns has no way to connect');
    return connectChannel(world, proc, channel, entry);
  }
  rememberTeardown(proc, channel);
  proc.holds += 1; // v2: delivery and sweep loops run whatever the channels do
  const to = '15550002222@s.whatsapp.net';
  const file = { filename: 'a.png', data: Buffer.alloc(1) };
  probe(world, proc, [
    () => channel.setTyping?.(to, null),
    () => channel.isConnected?.(),
    () =>
      channel.deliver?.(to, null, {
        kind: 'chat',
        content: { operation: 'reaction', emoji: 'x', messageId: 'M1' },
      }),
    () => channel.deliver?.(to, null, { kind: 'chat', content: { text: 'x' }, files: [file] }),
  ]);
  const setup = {
    conversations: [],
    onInbound() {},
    onInboundEvent() {},
    onMetadata() {},
    onAction() {},
  };
  try {
    await channel.setup(setup);
  } catch (error) {
    if (error === EXIT || proc.dead) return;
    world.note(`setup() rejects: ${error?.message ?? error}`);
    proc.settled(false);
    return;
  }
  proc.settled(true);
}

/** The import starts it, or else an exported start function does. */
async function runModule(world, proc, exported) {
  const isFunction = (one) => typeof exported[one] === 'function';
  const starter =
    Object.keys(exported).find((one) => STARTERS.test(one) && isFunction(one)) ??
    Object.keys(exported).find((one) => isFunction(one) && DIALS.test(exported[one]));
  const name = isFunction(world.startName) ? world.startName : starter;
  // An import that starts by itself has called something by now; a timer of its own may be
  // what it waits on, or, where the function to call is known, just some clean-up.
  const idle = proc.holds;
  const started = await startsItself(world, proc);
  const busy = !world.hasMain && (proc.holds > idle || (name === starter && idle > Number(world.registry) + 1));
  if (busy || started || !name) return proc.settled(true);
  const { prototype } = exported[name];
  const isClass = /^class\b/.test(Function.prototype.toString.call(exported[name]));
  const dials = Object.getOwnPropertyNames(isClass ? prototype : {}).find(
    (one) => one !== 'constructor' && DIALS.test(Object.getOwnPropertyDescriptor(prototype, one).value),
  );
  if (dials) {
    const made = new exported[name](...argumentsForNew(world, exported[name]));
    return connectChannel(world, proc, made, dials);
  }
  try {
    await exported[name](...argumentsFor(world, exported[name]));
  } catch (error) {
    if (error === EXIT || proc.dead) return;
    world.note(`${name}() rejects: ${error?.message ?? error}`);
    proc.settled(false);
    proc.guard(() => proc.globals.process.exit(1));
    return;
  }
  proc.settled(true);
}

/** The host's own main does it all; ready is its log line, or else the first open. */
async function runMain(world, proc) {
  if (!world.readyLog) proc.settled(true);
}

module.exports = { class: runClass, factory: runFactory, module: runModule, main: runMain };
