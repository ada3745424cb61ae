import * as fs from 'fs';
import * as Module from 'module';
import { basename } from 'path';
import { pathToFileURL } from 'url';

import { ADDED, MEETING, finder, isBaileys } from './baileys.js';
import { isCommon, marked, wrapping } from './baileys.js';
import { holdDestination } from './destination.js';
import { complain, meet, wrapExports } from './wrap.js';

// --- Start: hooks into whatever loads modules here ---

const GUARD_VERSION = '0.0.0';
const GUARD = Symbol.for('whatsapp-reconnect.guard');
/** Set while register() starts the thread of the hooks. */
const STARTING = 'WHATSAPP_GUARD_STARTING';
const IS_APART = process.env[STARTING] !== undefined;
const REQUESTED = /\bwhatsapp-reconnect(\.[cm]?[jt]s)?$/;
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
    meet,
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
      if (REQUESTED.test(request)) meet(found);
      return isBaileys(found, request) ? wrapExports(found) : found;
    } catch {
      return found;
    }
  };
  // An import of CommonJS takes the exports from the module itself.
  const run = Module._extensions['.js'];
  Module._extensions['.js'] = function guarded(module, file, ...rest) {
    Reflect.apply(run, this, [module, file, ...rest]);
    try {
      const { exports: found } = module;
      if (isBaileys(found, file)) module.exports = wrapExports(found);
    } catch {
      // It stays as it is.
    }
  };
  return '_load';
}

function hookImport() {
  if (process.versions.bun) return hookBun();
  const { register, registerHooks } = Module;
  if (typeof registerHooks === 'function') return hookModules(registerHooks);
  return typeof register === 'function' ? hookReader(register) : undefined;
}

/**
 * In Node before 22.15, hooks run in a thread of their own, which takes longer
 * to start than many a bot. No such version asks it for what it loads by
 * itself, and what it reads for an import is read by this function.
 */
function hookReader(register) {
  const { standIn } = finder();
  const read = fs.promises.readFile;
  const replaced = (url, bytes) => {
    try {
      const inner = marked(url.href);
      const found = standIn(url.href, undefined, { inner, given: bytes });
      // CommonJS is wrapped where it is required, by Node's own import, too.
      return found === undefined || found.isPlain
        ? bytes
        : Buffer.from(found.text);
    } catch {
      return bytes;
    }
  };
  fs.promises.readFile = new Proxy(read, {
    apply(_, self, all) {
      const found = Reflect.apply(read, self, all);
      const [url, options] = all;
      if (!(url instanceof URL) || options !== undefined) return found;
      return found.then((bytes) => replaced(url, bytes));
    },
  });
  hookLoaders(register);
  return 'readFile';
}

/** Where others bring loaders, that thread reads what is imported. */
function hookLoaders(register) {
  let isDone = false;
  const registerOurs = () => {
    if (isDone) return;
    isDone = true;
    try {
      process.env[STARTING] = '1';
      register(pathToFileURL(__filename));
    } catch (error) {
      complain(error);
    } finally {
      delete process.env[STARTING];
    }
  };
  Module.register = new Proxy(register, {
    apply(_, self, all) {
      registerOurs();
      return Reflect.apply(register, self, all);
    },
  });
  Module.syncBuiltinESMExports();
  const options = [...process.execArgv, process.env.NODE_OPTIONS ?? ''];
  if (options.some((option) => /--(experimental-)?loader\b/.test(option))) {
    registerOurs();
  }
}

/** Bun asks a plugin; of a path that it names, it wants the text in any case. */
function hookBun() {
  const filter = /baileys[^/\\]*[/\\](lib[/\\])?index\.[cm]?js$/i;
  const onLoad = ({ path }) => {
    let contents = fs.readFileSync(path, 'utf8');
    try {
      const isPlain = isCommon(contents, undefined);
      const found = wrapping(contents, `${path}?inner`, isPlain, true);
      contents = found?.text ?? contents;
    } catch (error) {
      complain(error);
    }
    return { contents, loader: 'js' };
  };
  const onAdded = ({ path }) => {
    const contents = `${fs.readFileSync(path, 'utf8')}\n${MEETING}`;
    return { contents, loader: /ts$/.test(path) ? 'ts' : 'js' };
  };
  const setup = (build) => {
    build.onLoad({ filter }, onLoad);
    build.onLoad({ filter: ADDED }, onAdded);
  };
  globalThis.Bun.plugin({ name: 'whatsapp-guard', setup });
  return 'plugin';
}

/** For the thread of the hooks, where little is as slow as asking it. */
function loaderHooks() {
  const { standIn } = finder();
  const replaced = (found, url) => {
    try {
      const { format, source: given } = found;
      const { text } =
        standIn(url, format, { inner: marked(url), given }) ?? {};
      if (text === undefined) return found;
      return { format: 'module', source: text, shortCircuit: true };
    } catch {
      return found;
    }
  };
  return {
    async load(url, context, next) {
      return replaced(await next(url, context), url);
    },
  };
}

/** From Node 22.15 on. */
function hookModules(registerHooks) {
  const { isWithin, standIn } = finder();
  const texts = new Map();
  const waiting = new Set();
  let loading;
  // This hook slows every module, so it is there while it is needed only.
  const load = (url, context, next) => {
    if (!waiting.delete(url)) return next(url, context);
    if (waiting.size === 0) loading.deregister();
    return { format: 'module', source: texts.get(url), shortCircuit: true };
  };
  const standInFor = ({ url, format }, parent) => {
    if (isWithin(url, parent)) return undefined;
    const outer = marked(url);
    if (!texts.has(outer)) {
      const text = standIn(url, format)?.text;
      if (text === undefined) return undefined;
      texts.set(outer, text);
      if (waiting.size === 0) loading = registerHooks({ load });
      waiting.add(outer);
    }
    return { url: outer, format: 'module', shortCircuit: true };
  };
  const resolve = (request, context, next) => {
    const found = next(request, context);
    holdDestination(found.url);
    // What require() returns is wrapped where it returns.
    if (context.conditions?.includes('require')) return found;
    try {
      return standInFor(found, context.parentURL) ?? found;
    } catch {
      return found;
    }
  };
  registerHooks({ resolve });
  return 'registerHooks';
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
if (IS_APART) Object.assign(exports, loaderHooks());
else start();
