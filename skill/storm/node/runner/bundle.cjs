'use strict';
/**
 * node bundle.cjs: turns a host's modules into what the runner runs, each by itself.
 *
 * The request is read from standard input: {root, tools, files, scripts}, the latter two relative
 * paths, POSIX. A line for each script goes to file descriptor 3: {path, kind, heavy, text}.
 * kind: "cjs", left as it is; "esm", CommonJS made of an ES module or of TypeScript; "async", the
 * same of one that awaits at its top level, or imports one that does; "bad", text is its error.
 * heavy: it opens a database. Runs no code of the host.
 */
const fs = require('node:fs');
const { createRequire } = require('node:module');
const path = require('node:path');
const vm = require('node:vm');
const { Resolver } = require('./resolve.cjs');

const request = JSON.parse(fs.readFileSync(0, 'utf8'));
const esbuild = createRequire(path.join(request.tools, 'package.json'))('esbuild');
const read = (file) => fs.readFileSync(path.join(request.root, file), 'utf8');
const resolver = new Resolver(request.files, read);
/** So many at a time, and so many characters in all. */
const AT_ONCE = 64;
const MOST_TEXT = 64 << 20;
/** A module on a database is a store that main opens; alone it would only throw. */
const HEAVY =
  /from\s+['"](better-sqlite3|sqlite3|node:sqlite|pg|mysql2?|mongoose|mongodb|ioredis|redis|@prisma\/client|level|lowdb)['"/]/;
const IMPORTED = /\brequire\("([^"\n]+)"\)/g;
const OPTIONS = {
  platform: 'node',
  target: 'node20',
  charset: 'utf8',
  logLevel: 'silent',
  define: { 'import.meta': '__meta' },
  // As most bots are compiled: parameters of a constructor are fields before the others are set.
  tsconfigRaw: { compilerOptions: { experimentalDecorators: true, useDefineForClassFields: false } },
};

const types = new Map();
/** "module", "commonjs", or undefined where the nearest package.json says neither. */
function typeOf(folder) {
  if (!types.has(folder)) {
    const file = path.posix.join(folder, 'package.json');
    let type;
    if (resolver.files.has(file)) {
      try {
        type = JSON.parse(read(file)).type;
      } catch {
        // as without it
      }
    } else if (folder !== '.') type = typeOf(path.posix.dirname(folder));
    types.set(folder, type);
  }
  return types.get(folder);
}

/** As Node decides: by the name, by package.json, and where that says nothing, by the syntax. */
function isCommonJs(file, text) {
  const end = path.extname(file);
  if (end === '.cjs') return true;
  if (end !== '.js') return false;
  const type = typeOf(path.posix.dirname(file));
  return type === undefined ? parses(text) : type !== 'module';
}

function parses(text) {
  try {
    return Boolean(new vm.Script(`(function (exports, require, module, __filename, __dirname) {${text}\n})`));
  } catch {
    return false;
  }
}

/** import() is the runner's, in whatever module it stands. */
const withImport = (text) => text.replace(/(?<![\w$.])import(?=\s*\()/g, '__import');

function complaint(file, error) {
  const { text, location } = error.errors?.[0] ?? { text: error.message };
  return `${file}${location ? `:${location.line}` : ''}: ${text}`;
}

async function made(file) {
  const text = read(file).replace(/^\uFEFF?#!.*/, '');
  const record = { path: file, kind: 'cjs', heavy: HEAVY.test(text), text };
  const loader = path.extname(file).slice(1).replace(/^[cm]/, '');
  if (isCommonJs(file, text)) return { ...record, text: withImport(text) };
  try {
    const { code } = await esbuild.transform(text, { ...OPTIONS, loader, format: 'cjs', sourcefile: file });
    return { ...record, kind: 'esm', text: shared(code) };
  } catch (error) {
    if (!/[Tt]op-level await/.test(error.message)) return { ...record, kind: 'bad', text: complaint(file, error) };
    return waiting(record, text, loader);
  }
}

/**
 * The runner's helpers instead of one in each module: what __toESM makes is made once, not once a
 * start, and __decorateClass knows a decorator that is only stood in for.
 */
const HELPERS = /^var (__toESM|__decorateClass) = /gm;
const shared = (code) => `'use strict';{${withImport(code).replace(HELPERS, 'var $1_ = ')}\n}`;

/** An ES module as the body of an async function, which CommonJS text cannot be. */
async function waiting(record, text, loader) {
  const external = {
    name: 'external',
    setup: (build) => build.onResolve({ filter: /.*/ }, (one) => ({ path: one.path, external: true })),
  };
  try {
    // A name made up at run time would have esbuild look for files that fit.
    const { code } = await esbuild.transform(text, { ...OPTIONS, loader, format: 'esm' });
    const { outputFiles } = await esbuild.build({
      ...OPTIONS,
      stdin: { contents: withImport(code), loader: 'js', sourcefile: record.path, resolveDir: '/' },
      bundle: true,
      write: false,
      format: 'esm',
      plugins: [external],
    });
    return { ...record, kind: 'async', text: asynchronous(outputFiles[0].text.replace(HELPERS, 'var $1_ = ')) };
  } catch (error) {
    return { ...record, kind: 'bad', text: complaint(record.path, error) };
  }
}

/** esbuild writes each import at a line's start, and one list of exports at the end. */
function asynchronous(code) {
  const getters = [];
  const body = code
    .replace(/^export \{([^}]*)\};?\s*$/m, (_all, names) => {
      for (const one of names.split(',').map((name) => name.trim()).filter(Boolean)) {
        const [local, shown = local] = one.split(/\s+as\s+/);
        getters.push(`${JSON.stringify(shown.replace(/^"|"$/g, ''))}: () => ${local}`);
      }
      return '';
    })
    .replace(/^export \* from (".*?");?$/gm, '__all(exports, await __linked($1));')
    .replace(/^import (".*?")(?: with \{.*\})?;?$/gm, 'await __linked($1);')
    .replace(/^import ([^"]+?) from (".*?")(?: with \{.*\})?;?$/gm, (_all, names, from) => {
      const [, first, , list] = /^(?:([\w$]+)(,\s*)?)?([\s\S]*)$/.exec(names);
      const space = /^\* as ([\w$]+)$/.exec(list);
      const bound = [];
      if (first) bound.push([first, 'default']);
      if (list.startsWith('{')) {
        for (const one of list.slice(1, -1).split(',').map((name) => name.trim()).filter(Boolean)) {
          const [shown, local = shown] = one.split(/\s+as\s+/);
          bound.push([local, shown.replace(/^"|"$/g, '')]);
        }
      }
      if (space) bound.push([space[1], null]);
      const set = bound.map(([local, shown]) => `${local} = __m${shown === null ? '' : `[${JSON.stringify(shown)}]`};`);
      return `let ${bound.map(([local]) => local).join(', ')};await __linked(${from}, (__m) => {${set.join(' ')}});`;
    });
  return `'use strict';return (async () => {__names(exports, {${getters.join(', ')}});${body}\n})();`;
}

/** Those that import one that awaits have to await it, and so on. */
async function spread(records) {
  const byPath = new Map(records.map((one) => [one.path, one]));
  const importers = new Map();
  for (const one of records) {
    if (one.kind !== 'esm') continue;
    for (const [, name] of one.text.matchAll(IMPORTED)) {
      const target = resolver.find(path.posix.dirname(one.path), name);
      if (target) importers.set(target, [...(importers.get(target) ?? []), one]);
    }
  }
  const left = records.filter((one) => one.kind === 'async');
  for (const one of left) {
    for (const importer of importers.get(one.path) ?? []) {
      if (byPath.get(importer.path).kind !== 'esm') continue;
      const loader = path.extname(importer.path).slice(1).replace(/^[cm]/, '');
      const text = read(importer.path).replace(/^\uFEFF?#!.*/, '');
      Object.assign(importer, await waiting(importer, text, loader));
      left.push(importer);
    }
  }
}

function say(value) {
  const answer = Buffer.from(`${JSON.stringify(value)}\n`);
  for (let sent = 0; sent < answer.length; ) sent += fs.writeSync(3, answer, sent);
}

async function main() {
  const records = [];
  let size = 0;
  for (let at = 0; at < request.scripts.length && size < MOST_TEXT; at += AT_ONCE) {
    const some = await Promise.all(request.scripts.slice(at, at + AT_ONCE).map(made));
    records.push(...some);
    size += some.reduce((sum, one) => sum + one.text.length, 0);
  }
  await spread(records);
  records.forEach(say);
}

main().then(
  () => process.exit(0),
  (error) => {
    process.stderr.write(`${error?.message ?? error}\n`);
    process.exit(1);
  },
);
