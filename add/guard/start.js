import * as fs from 'fs';
import * as Module from 'module';
import { basename } from 'path';
import { pathToFileURL } from 'url';

import { finder, isBaileys, isCommon, wrapping } from './baileys.js';
import { holdDestination } from './destination.js';
import { complain, stepAside, wrapExports } from './wrap.js';

// --- Start: hooks into whatever loads modules here ---

const GUARD_VERSION = '0.0.0';
const GUARD = Symbol.for('whatsapp-reconnect.guard');
/** Set while register() starts the thread of the hooks. */
const STARTING = 'WHATSAPP_GUARD_STARTING';
const IS_APART = process.env[STARTING] !== undefined;
const SCHEME = 'whatsapp-guard:';
const PACKAGE_MANAGER =
  /^(npm|npx|pnpm|pnpx|yarn|corepack)(-cli)?(\.[cm]?js)?$/;

/** Each of them on its own: what this version of Node lacks, it lacks. */
const HOOKS = { require: hookRequire, import: hookImport, dial: hookDial };

function start() {
  const isThere = globalThis[GUARD] !== undefined;
  const name = basename(process.argv[1] ?? '');
  if (isThere || PACKAGE_MANAGER.test(name)) return;
  const guard = {
    version: GUARD_VERSION,
    hooks: {},
    wrap: wrapExports,
    stepAside,
  };
  Object.defineProperty(globalThis, GUARD, { value: guard });
  for (const [kind, hook] of Object.entries(HOOKS)) {
    try {
      guard.hooks[kind] = hook();
    } catch (error) {
      complain(error);
    }
  }
  if (process.env.SKILLGEN_GUARD_REPORT) report(guard);
}

/** What `skillgen guard` reads from a start that only proves that it loads. */
function report({ version, hooks }) {
  const node = process.versions.node;
  console.log(
    JSON.stringify({ skillgen: version, file: __filename, node, hooks }),
  );
}

function hookRequire() {
  const load = Module._load;
  Module._load = function guarded(request, ...rest) {
    const found = Reflect.apply(load, this, [request, ...rest]);
    try {
      holdDestination(request);
      if (/whatsapp-reconnect$|whatsapp-reconnect\.[cm]?[jt]s$/.test(request)) {
        if (found?.Reconnect) stepAside();
      }
      return isBaileys(found, request) ? wrapExports(found) : found;
    } catch {
      return found;
    }
  };
  return '_load';
}

function hookImport() {
  if (process.versions.bun) return hookBun();
  const { register, registerHooks } = Module;
  if (typeof registerHooks === 'function') {
    registerHooks(hooks());
    return 'registerHooks';
  }
  if (typeof register !== 'function') return undefined;
  // In Node before 22.15, hooks run in a thread of their own.
  try {
    process.env[STARTING] = '1';
    register(pathToFileURL(__filename));
  } finally {
    delete process.env[STARTING];
  }
  return 'register';
}

/** Bun asks a plugin; of a path that it names, it wants the text in any case. */
function hookBun() {
  const filter = /baileys[^/\\]*[/\\](lib[/\\])?index\.[cm]?js$/i;
  const onLoad = ({ path }) => {
    const text = fs.readFileSync(path, 'utf8');
    const isPlain = isCommon(text, undefined);
    const found = wrapping(text, `${path}?inner`, isPlain, true);
    return { contents: found || text, loader: 'js' };
  };
  const setup = (build) => build.onLoad({ filter }, onLoad);
  globalThis.Bun.plugin({ name: 'whatsapp-guard', setup });
  return 'plugin';
}

function hooks() {
  const standIn = finder();
  const sources = new Map();
  const redirect = (found, { conditions, parentURL }) => {
    if (!IS_APART) holdDestination(found.url);
    // What require() returns is wrapped where it returns.
    if (conditions?.includes('require')) return found;
    try {
      const source = standIn(found, parentURL);
      if (source === undefined) return found;
      const url = SCHEME + found.url;
      sources.set(url, source);
      return { url, format: 'module', shortCircuit: true };
    } catch {
      return found;
    }
  };
  return {
    resolve(request, context, next) {
      const found = next(request, context);
      if (typeof found?.then !== 'function') return redirect(found, context);
      return found.then((resolved) => redirect(resolved, context));
    },
    load(url, context, next) {
      const source = sources.get(url);
      if (source === undefined) return next(url, context);
      return { format: 'module', source, shortCircuit: true };
    },
  };
}

/** Loading them takes longer than all the rest, so they are left to the bot. */
function hookDial() {
  const isSeen = typeof Module.registerHooks === 'function';
  if (!isSeen || process.versions.bun) {
    holdDestination('http');
    holdDestination('https');
  }
  return 'request';
}

// This file is loaded in the thread of the hooks, too, and is its module there.
if (IS_APART) Object.assign(exports, hooks());
else start();
