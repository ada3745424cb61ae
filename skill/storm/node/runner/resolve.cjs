'use strict';
/** Which file of the host an import names, as Node, TypeScript's settings and its own packages say. */
const path = require('node:path').posix;

/** Tried after a name, in this order. */
const ENDS = [
  '', '.ts', '.tsx', '.mts', '.cts', '.js', '.mjs', '.cjs', '.jsx', '.json',
  '/index.ts', '/index.tsx', '/index.mts', '/index.js', '/index.mjs', '/index.cjs', '/index.json',
];
/** Folders that a build writes, and where its sources are. */
const BUILT = /^(dist|build|lib|out)\//;

/** JSON with comments and trailing commas, as tsconfig.json has them; {} where it cannot be read. */
function settings(text) {
  const plain = text.replace(/("(?:\\.|[^"\\])*")|\/\*[\s\S]*?\*\/|\/\/.*/g, (_all, kept) => kept ?? '');
  try {
    return Object(JSON.parse(plain.replace(/,(?=\s*[}\]])/g, '')));
  } catch {
    return {};
  }
}

class Resolver {
  /** files: relative paths, POSIX. read: the text of one of them. */
  constructor(files, read) {
    this.files = new Set(files);
    this.read = read;
    this.known = new Map();
    this.aliases = [...this.files].flatMap((file) => this.aliasesOf(file));
    this.aliases.sort((a, b) => b.folder.length - a.folder.length);
  }

  /** {folder, pattern: [before, after the star], targets} of a settings file. */
  aliasesOf(file) {
    const name = path.basename(file);
    const isPackage = name === 'package.json';
    if (!isPackage && !/^[tj]sconfig[\w.-]*\.json$/.test(name)) return [];
    const folder = path.dirname(file);
    const found = settings(this.read(file));
    const made = (pattern, targets, whole = false) => ({
      folder: whole ? '.' : folder,
      pattern: pattern.split('*'),
      targets: targets.filter((one) => typeof one === 'string').map((one) => path.join(folder, one)),
    });
    if (!isPackage) {
      const { baseUrl, paths } = Object(found.compilerOptions);
      const from = typeof baseUrl === 'string' ? baseUrl : '.';
      const own = Object.entries(Object(paths)).map(([pattern, targets]) =>
        made(pattern, [].concat(targets).map((one) => path.join(from, String(one)))),
      );
      return typeof baseUrl === 'string' ? [...own, made('*', [path.join(baseUrl, '*')])] : own;
    }
    const imports = Object.entries(Object(found.imports)).map(([pattern, target]) =>
      made(pattern, Object.values(typeof target === 'string' ? [target] : Object(target))),
    );
    const short = Object.entries(Object(found._moduleAliases)).flatMap(([pattern, target]) => [
      made(pattern, [target]),
      made(`${pattern}/*`, [`${target}/*`]),
    ]);
    if (typeof found.name !== 'string' || folder === '.') return [...imports, ...short];
    const mains = [found.source, found.main, found.module, 'src/index', 'index'].filter(Boolean);
    const sources = mains.flatMap((one) => {
      const main = path.normalize(String(one));
      return [main, main.replace(BUILT, 'src/').replace(/\.[cm]?js$/, '')];
    });
    return [...imports, ...short, made(found.name, sources, true), made(`${found.name}/*`, ['*', 'src/*'], true)];
  }

  /** The path of the file that `name` means in a file of `folder`, or null. */
  find(folder, name) {
    const key = `${folder}\n${name}`;
    if (!this.known.has(key)) this.known.set(key, this.look(folder, name));
    return this.known.get(key);
  }

  look(folder, name) {
    if (/^\.{0,2}\//.test(name) || name === '.' || name === '..') {
      return this.file(path.join(folder, name));
    }
    for (const { folder: scope, pattern, targets } of this.aliases) {
      if (scope !== '.' && folder !== scope && !folder.startsWith(`${scope}/`)) continue;
      const [before, after] = pattern;
      const fits =
        after === undefined
          ? name === before
          : name.length >= before.length + after.length && name.startsWith(before) && name.endsWith(after);
      if (!fits) continue;
      const rest = name.slice(before.length, name.length - (after ?? '').length);
      for (const target of targets) {
        const found = this.file(target.replace('*', () => rest));
        if (found) return found;
      }
    }
    return null;
  }

  /** A TypeScript source is imported as .js (NodeNext); both are tried. */
  file(target) {
    const base = path.normalize(target);
    if (base.startsWith('..')) return null;
    const bases = [base.replace(/\.([cm]?)js$/, '.$1ts'), base.replace(/\.jsx?$/, '.tsx'), base];
    for (const one of new Set(bases)) {
      for (const end of ENDS) {
        const file = path.normalize(one + end);
        if (this.files.has(file)) return file;
      }
    }
    const own = path.join(base, 'package.json');
    if (!this.files.has(own)) return null;
    const { main } = settings(this.read(own));
    return typeof main === 'string' && path.normalize(main) !== '.' ? this.file(path.join(base, main)) : null;
  }
}

module.exports = { Resolver };
