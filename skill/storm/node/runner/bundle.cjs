'use strict';
/**
 * node bundle.cjs: bundles a host's entry into the text of one function body.
 *
 * The request is read from standard input: {root, entry, tools, virtualRoot, capture, stubHeavy,
 * guard}; {text} goes to file descriptor 3. Bare imports become load("name") calls, answered by
 * globals.cjs; relative ones are the host's real files, or stubs where they are missing. guard:
 * the text of a module whose wrapExports() Baileys goes through, or ''. Runs no code of the host.
 */
const fs = require('node:fs');
const { builtinModules, createRequire } = require('node:module');
const path = require('node:path');
const { pathToFileURL } = require('node:url');

const request = JSON.parse(fs.readFileSync(0, 'utf8'));
const esbuild = createRequire(path.join(request.tools, 'package.json'))('esbuild');
const root = fs.realpathSync(request.root);
const BUILTIN = new Set(builtinModules);
/** A module on a database is a store that main opens; alone it would only throw. */
const HEAVY =
  /from\s+['"](better-sqlite3|sqlite3|node:sqlite|pg|mysql2?|mongoose|mongodb|ioredis|redis|@prisma\/client|level|lowdb)['"/]/;
const REGISTRY = /(^|\/)(channel-)?registry(\.[cm]?[jt]s)?$/;
const BAILEYS = /^(@whiskeysockets\/|@adiwajshing\/)?baileys$/;
const GUARD = 'skillgen:guard';
const SUFFIXES = ['', '.ts', '.tsx', '.mts', '.cts', '.js', '.mjs', '.cjs', '.json', '/index.ts', '/index.js'];

/** A TypeScript source is imported as .js (NodeNext); both are tried. */
function resolveFile(from, name) {
  const base = path.resolve(from, name);
  const bases = [base.replace(/\.([cm]?)js$/, '.$1ts'), base.replace(/\.jsx?$/, '.tsx'), base];
  for (const one of bases) {
    for (const suffix of SUFFIXES) {
      const file = one + suffix;
      if (fs.existsSync(file) && fs.statSync(file).isFile()) return fs.realpathSync(file);
    }
  }
  return null;
}

/** Nothing but the host's own files is read, whatever its imports and its tsconfig.json say. */
function isOwn(file) {
  const from = path.relative(root, fs.realpathSync(file));
  return from !== '' && !from.startsWith('..') && !path.isAbsolute(from);
}

/** What a bot imports by a bare name; Baileys as the guard gives it. */
function shimmed(name) {
  const load = `__load(${JSON.stringify(name)})`;
  if (!request.guard || !BAILEYS.test(name)) return `module.exports = ${load}`;
  return `module.exports = require('${GUARD}').wrapExports(${load})`;
}

function virtual(file) {
  return path.join(request.virtualRoot, path.relative(root, file));
}

const plugin = {
  name: 'skillgen',
  setup(build) {
    const shim = (name) => ({ path: name, namespace: 'load' });
    build.onResolve({ filter: /.*/ }, async (args) => {
      if (args.kind === 'entry-point') return undefined;
      if (args.pluginData === 'own') return undefined;
      const name = args.path;
      if (name === GUARD) return { path: name, namespace: 'guard' };
      if (name.startsWith('.') || path.isAbsolute(name)) {
        if (request.capture && REGISTRY.test(name)) return shim('capture:registry');
        const file = resolveFile(args.resolveDir, name);
        if (!file || !isOwn(file)) return shim(name);
        if (request.stubHeavy && /\.[cm]?[jt]s$/.test(file) && HEAVY.test(fs.readFileSync(file, 'utf8'))) {
          return shim(name);
        }
        return { path: file };
      }
      const bare = name.replace(/^node:/, '');
      if (!BUILTIN.has(bare) && /^(@\/|~|#|src\/)/.test(name)) {
        const found = await build.resolve(name, {
          resolveDir: args.resolveDir,
          kind: args.kind,
          importer: args.importer,
          pluginData: 'own',
        });
        if (!found.errors.length && found.path && !found.path.includes('node_modules') && isOwn(found.path)) {
          return { path: found.path };
        }
      }
      return shim(name);
    });
    build.onLoad({ filter: /.*/, namespace: 'load' }, (args) => ({
      contents: shimmed(args.path),
      loader: 'js',
    }));
    build.onLoad({ filter: /.*/, namespace: 'guard' }, () => ({ contents: request.guard, loader: 'js' }));
    build.onLoad({ filter: /\.[cm]?[jt]sx?$/, namespace: 'file' }, (args) => {
      let text = fs.readFileSync(args.path, 'utf8').replace(/^﻿?#!.*/, '');
      const place = virtual(args.path);
      if (/\bimport\.meta\b/.test(text)) {
        const meta = { url: pathToFileURL(place).href, filename: place, dirname: path.dirname(place) };
        text = text.replace(/\bimport\.meta\.(url|filename|dirname)\b/g, (_all, key) =>
          JSON.stringify(meta[key]),
        );
        text = text.replace(/\bimport\.meta\b/g, `(${JSON.stringify(meta)})`);
      }
      for (const [name, value] of [['__filename', place], ['__dirname', path.dirname(place)]]) {
        if (text.includes(name) && !new RegExp(`(const|let|var)\\s+${name}\\b`).test(text)) {
          text = text.replace(new RegExp(`\\b${name}\\b`, 'g'), JSON.stringify(value));
        }
      }
      const kind = path.extname(args.path).slice(1).replace(/^[cm]/, '');
      return { contents: text, loader: kind, resolveDir: path.dirname(args.path) };
    });
  },
};

async function main() {
  const options = {
    entryPoints: [path.resolve(root, request.entry)],
    absWorkingDir: root,
    bundle: true,
    write: false,
    platform: 'node',
    target: 'node20',
    logLevel: 'silent',
    charset: 'utf8',
    plugins: [plugin],
    loader: { '.node': 'empty', '.wasm': 'empty', '.md': 'text', '.txt': 'text', '.html': 'text' },
  };
  let text;
  try {
    text = (await esbuild.build({ ...options, format: 'cjs' })).outputFiles[0].text;
    text = `(function () {${text}\n})();`;
  } catch (error) {
    if (!/[Tt]op-level await/.test(error.message)) throw error;
    // ES modules may await at top level; CommonJS text cannot, an async function can.
    text = (await esbuild.build({ ...options, format: 'esm' })).outputFiles[0].text;
    text = text.replace(/^export \{([\s\S]*?)\};?\s*$/m, (_all, names) =>
      names
        .split(',')
        .map((one) => one.trim())
        .filter(Boolean)
        .map((one) => one.split(/\s+as\s+/))
        .map(([local, shown = local]) => `module.exports[${JSON.stringify(shown)}] = ${local};`)
        .join('\n'),
    );
    text = `return (async function () {${text}\n})();`;
  }
  // Its wrapper of a module (a getter per name) is made once a scenario, not once a start.
  text = text.replace(
    /var __toESM = (?=\(mod, isNodeMode, target\) =>)/,
    'var __toESM = (mod, node) => __wrapped(mod, node, __wrap);\nvar __wrap = ',
  );
  const answer = Buffer.from(`${JSON.stringify({ text })}\n`);
  for (let sent = 0; sent < answer.length; ) sent += fs.writeSync(3, answer, sent);
}

main().catch((error) => {
  const first = error.errors?.[0];
  const where = first?.location ? `${first.location.file}:${first.location.line}: ` : '';
  process.stderr.write(`${where}${first?.text ?? error.message}\n`);
  process.exit(1);
});
