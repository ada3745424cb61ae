'use strict';
/**
 * The host's modules: compiled once for all scenarios, evaluated anew at each start of its process.
 *
 * A CommonJS module is run as Node runs it: not strict unless it says so, with its own require(),
 * __dirname and cycles. What no file answers is stood in for (globals.cjs).
 */
const fs = require('node:fs');
const { isBuiltin } = require('node:module');
const path = require('node:path');
const { fileURLToPath, pathToFileURL } = require('node:url');
const vm = require('node:vm');
const { NUMBER, SETTINGS, filledIn } = require('./environment.cjs');
const { Resolver } = require('./resolve.cjs');
const { isStub, stub } = require('./stubs.cjs');

const REGISTRY = /(^|\/)(channel-)?registry(\.[cm]?[jt]s)?$/;
/** A constant of a list of kinds: `WHATSAPP_BAILEYS: 'baileys'`. */
const NAMES_BAILEYS = /\b\w*baileys\w*["']?\]?\s*[:=]\s*["']([\w-]*baileys[\w-]*)["']/i;
const SCRIPT = /\.[cm]?[jt]sx?$/;
const WITHIN = {
  cjs: 'exports, require, module, __filename, __dirname, __import',
  esm: 'exports, require, module, __filename, __dirname, __import, __meta, __toESM, __decorateClass, __linked, __names, __all',
};
WITHIN.async = WITHIN.esm;

/** A name without the query that makes an import a new one, and the query. */
function apart(name) {
  if (!/^file:|^[./]/.test(name)) return [name, ''];
  const [plain] = name.split(/[?#]/, 1);
  return [plain.startsWith('file:') ? fileURLToPath(plain) : plain, name.slice(plain.length)];
}

function isLocal(name) {
  return /^\.{0,2}\//.test(name) || name === '.' || name === '..';
}

/** Exports under their names, as an import sees them; of CommonJS the whole is the default, too. */
function toESM(whole, known) {
  if (whole === null || !['object', 'function'].includes(typeof whole)) return { default: whole };
  if (whole.__esModule || isStub(whole)) return whole;
  if (known.has(whole)) return known.get(whole);
  const names = Object.create(Object.getPrototypeOf(whole));
  for (const [name, { enumerable }] of Object.entries(Object.getOwnPropertyDescriptors(whole))) {
    if (name !== 'default') Object.defineProperty(names, name, { get: () => whole[name], enumerable });
  }
  Object.defineProperty(names, 'default', { value: whole, enumerable: true });
  known.set(whole, names);
  return names;
}

/** Whether a module has begun, and cannot go on before the importer has. */
function waitsFor(record, importer) {
  if (record.begun && !record.promise) return true;
  for (let one = record; one; one = one.waitsFor) if (one === importer) return true;
  return false;
}

/** As TypeScript applies decorators; one that is only stood in for changes nothing. */
function decorateClass(decorators, target, key, kind) {
  let result = kind > 1 ? undefined : kind ? Object.getOwnPropertyDescriptor(target, key) : target;
  for (const decorator of [...decorators].reverse()) {
    const made = decorator && (kind ? decorator(target, key, result) : decorator(result));
    if (made && !isStub(made)) result = made;
  }
  if (kind && result) Object.defineProperty(target, key, result);
  return result;
}

function names(exports, getters) {
  Object.defineProperty(exports, '__esModule', { value: true });
  for (const name of Object.keys(getters)) {
    Object.defineProperty(exports, name, { get: getters[name], enumerable: true, configurable: true });
  }
}

function all(exports, from) {
  for (const name of Object.keys(from)) {
    if (name === 'default' || Object.hasOwn(exports, name)) continue;
    Object.defineProperty(exports, name, { get: () => from[name], enumerable: true });
  }
}

/** The texts of the host's modules, as bundle.cjs made them, and what is compiled of them. */
class Library {
  /** bundle: the file with all texts. index: {files: {path: size}, modules: {path: [kind, heavy, from, length]}}. */
  constructor({ bundle, index, root, home, parameters }) {
    this.bundle = fs.openSync(bundle, 'r');
    const { files, modules } = JSON.parse(fs.readFileSync(index, 'utf8'));
    this.files = files;
    this.modules = new Map(Object.entries(modules));
    this.home = home;
    this.parameters = parameters;
    this.resolver = new Resolver(Object.keys(files), (file) => fs.readFileSync(path.join(root, file), 'utf8'));
    this.compiled = new Map();
    this.filled = new Map(); // files of settings: their text with numbers filled in, and for which names
  }

  /** What the host itself calls Baileys, among the kinds of channel that it knows; or "". */
  get kind() {
    this.named ??= [...this.modules.keys()].map((file) => NAMES_BAILEYS.exec(this.text(file))?.[1]).find(Boolean) ?? '';
    return this.named;
  }

  text(file) {
    const [, , from, length] = this.modules.get(file);
    const bytes = Buffer.alloc(length);
    for (let got = 0; got < length; ) got += fs.readSync(this.bundle, bytes, got, length - got, from + got);
    return bytes.toString('utf8');
  }

  /** A function of the process's globals that gives a function of the module's own names. */
  compile(file, kind, text, key) {
    if (!this.compiled.has(key)) {
      const whole = `return function (${WITHIN[kind]}) {${text}\n}`;
      this.compiled.set(key, vm.compileFunction(whole, this.parameters, { filename: file }));
    }
    return this.compiled.get(key);
  }
}

/** The modules of one start. */
class Program {
  /** globals: values of the parameters. packages: what a name that is no file's gives. */
  constructor({ library, globals, packages, world, files, options }) {
    Object.assign(this, { library, globals, packages, world, files, options });
    this.records = new Map();
    this.main = null;
    this.wrapped = (world.wrapped ??= new WeakMap());
    this.toESM = (whole) => toESM(whole, this.wrapped);
  }

  /** Evaluate the program's entry; its record, whose promise is set where it awaits. */
  start(file) {
    return this.record(file, path.join(this.library.home, file), '');
  }

  /** What a module in the file `from` gets for a name: a record of a file of the host, or a value. */
  open(from, name) {
    const { capture, stubHeavy } = this.options;
    const [local, query] = apart(String(name));
    const isPath = isLocal(local);
    if (isPath && capture && REGISTRY.test(local)) return { exports: this.packages('capture:registry') };
    const file = this.find(from, local);
    if (file && stubHeavy && this.library.modules.get(file)?.[1]) return { exports: this.packages(local) };
    if (file) return this.record(file, path.join(this.library.home, file), query);
    if (!isPath) return { exports: this.packages(local) };
    return this.written(path.resolve(path.dirname(from), local)) ?? this.missing(local);
  }

  /** The host's file, relative, that a name in the file `from` means, or null. */
  find(from, name) {
    const { home, resolver } = this.library;
    const folder = path.dirname(from);
    if (!isLocal(name)) return isBuiltin(name) ? null : resolver.find(path.relative(home, folder) || '.', name);
    const at = path.relative(home, path.resolve(folder, name));
    return at.startsWith('..') ? null : resolver.find('.', `./${at}`);
  }

  /** A file that the host itself has written. */
  written(target) {
    for (const end of ['', '.js', '.cjs', '.json']) {
      const place = target + end;
      if (!this.files.isFile(place)) continue;
      const text = this.files.read(place);
      if (place.endsWith('.json')) return { exports: JSON.parse(text) };
      const record = this.made(place);
      const factory = vm.compileFunction(`return function (${WITHIN.cjs}) {${text}\n}`, this.library.parameters);
      this.evaluate(record, factory, 'cjs');
      return record;
    }
    return null;
  }

  /** A file of the host's that is not there: built, or kept out of its repository. */
  missing(name) {
    if (!path.isAbsolute(name)) return { exports: this.packages(name) };
    throw Object.assign(new Error(`Cannot find module '${name}'`), { code: 'MODULE_NOT_FOUND' });
  }

  made(place) {
    return { id: place, filename: place, exports: {}, loaded: false, children: [], paths: [], promise: null };
  }

  record(file, place, query) {
    const key = place + query;
    const known = this.records.get(key);
    if (known) return known;
    const record = this.made(place);
    this.main ??= record;
    this.records.set(key, record);
    try {
      if (this.library.modules.has(file)) this.run(file, record);
      else record.exports = this.data(file, place);
    } catch (error) {
      this.records.delete(key);
      throw error;
    }
    record.loaded = true;
    return record;
  }

  run(file, record) {
    const [kind] = this.library.modules.get(file);
    const { world, library } = this;
    if (SETTINGS.test(file) && !library.filled.has(file)) library.filled.set(file, filledIn(library.text(file)));
    const { text: filled, names } = library.filled.get(file) ?? { names: [] };
    if (names.length) world.ask(file);
    const made = names.length > 0 && Boolean(world.help.rows);
    if (made) for (const name of names) world.standIns.add(`${name}=${NUMBER}`);
    const key = made ? `${file} filled` : file;
    const text = library.compiled.has(key) ? '' : made ? filled : library.text(file);
    if (kind === 'bad') throw new SyntaxError(text || library.text(file));
    this.evaluate(record, library.compile(file, kind, text, key), kind);
  }

  evaluate(record, factory, kind) {
    const place = record.filename;
    const require = this.requireOf(record);
    record.require = require;
    const own = factory(...this.globals);
    const load = (name) => this.dynamic(record, name);
    if (kind === 'cjs') {
      own.call(record.exports, record.exports, require, record, place, path.dirname(place), load);
      return;
    }
    const meta = {
      url: pathToFileURL(place).href,
      filename: place,
      dirname: path.dirname(place),
      main: record === this.main,
      resolve: (name) => pathToFileURL(require.resolve(name)).href,
    };
    record.begun = true;
    const linked = (name, bind) => this.linked(record, name, bind);
    const typed = /\.[cm]?tsx?$/.test(place); // compiled to CommonJS, or hardly ever asks for them
    const folder = typed ? path.dirname(place) : undefined;
    const done = own(
      ...[record.exports, require, record, typed ? place : undefined, folder, load, meta],
      ...[this.toESM, decorateClass, linked, names, all],
    );
    record.begun = false;
    if (kind !== 'async') return;
    record.promise = done;
    done.then(
      () => (record.promise = null),
      () => {},
    );
  }

  /** createRequire() of Node's module. */
  requireAt(from) {
    const [place] = apart(from instanceof URL ? from.href : String(from));
    return this.requireOf(this.made(place));
  }

  requireOf(record) {
    const require = (name) => {
      if (this.world.proc?.dead) return stub(this.world, String(name));
      return this.open(record.filename, name).exports;
    };
    require.main = this.main;
    require.cache = {};
    require.extensions = {};
    require.resolve = (name) => {
      const file = this.find(record.filename, String(name));
      return file ? path.join(this.library.home, file) : String(name);
    };
    return require;
  }

  /**
   * `import … from` in a module that awaits: the exports once they are there, given to `bind`. Of a
   * module that itself waits for this one they are bound as they are, and again when it is through.
   */
  async linked(importer, name, bind = () => {}) {
    const record = this.open(importer.filename, name);
    const give = () => bind(this.toESM(record.exports));
    if (waitsFor(record, importer)) {
      try {
        give();
      } catch {
        // its names have no values yet
      }
      Promise.resolve().then(() => record.promise).then(give, () => {});
      return record.exports;
    }
    importer.waitsFor = record;
    if (record.promise) await record.promise;
    importer.waitsFor = null;
    give();
    return record.exports;
  }

  async dynamic(importer, name) {
    await null;
    if (this.world.proc?.dead) return new Promise(() => {});
    const record = this.open(importer.filename, name);
    if (record.promise) await record.promise;
    return this.toESM(record.exports);
  }

  /** A file that is no script: JSON, or a text. */
  data(file, place) {
    const text = this.files.read(place);
    if (file.endsWith('.json')) return JSON.parse(text.replace(/^\uFEFF/, ''));
    if (/\.(node|wasm)$/.test(file)) return {};
    if (SCRIPT.test(file)) throw new SyntaxError(`${file}: too large to be read as a program`);
    return text;
  }
}

module.exports = { Library, Program };
