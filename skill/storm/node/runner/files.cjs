'use strict';
/**
 * The host's files where its code looks for them: each is copied when it is first asked for.
 *
 * A scenario begins with an empty folder, and starts the host up to 17,280 times. What the host
 * has written, changed or deleted since stays so.
 */
const fs = require('node:fs');
const path = require('node:path');
const { fileURLToPath } = require('node:url');

/** So many names are remembered as asked for, before they are looked at again. */
const MOST_KNOWN = 20_000;
/** Both of their arguments are paths. */
const TWO = /^(rename|copyFile|cp|link)(Sync)?$/;

class HostFiles {
  /** sizes: {path: size} of the host's files, relative. root: where they are. home: where they go. */
  constructor(sizes, root, home) {
    this.root = root;
    this.home = home;
    this.tree = new Map([['', new Map()]]);
    for (const [file, size] of Object.entries(sizes)) {
      const parts = file.split('/');
      for (let depth = 1; depth <= parts.length; depth += 1) {
        const [folder, here] = [parts.slice(0, depth - 1).join('/'), parts.slice(0, depth).join('/')];
        if (!this.tree.has(folder)) this.tree.set(folder, new Map());
        this.tree.get(folder).set(parts[depth - 1], depth === parts.length ? size : -1);
        if (depth < parts.length && !this.tree.has(here)) this.tree.set(here, new Map());
      }
    }
    this.fresh();
  }

  /** The folder is empty again. */
  fresh() {
    this.known = new Set();
    this.there = new Set(['']); // brought
    this.named = new Set(); // of the right size, and empty: their folder was listed
  }

  /** Before the operation `name` of fs runs with these arguments. */
  bring(name, args) {
    for (const arg of TWO.test(name) ? args.slice(0, 2) : args.slice(0, 1)) {
      if (typeof arg === 'string') this.one(arg);
      else if (arg instanceof URL && arg.protocol === 'file:') this.one(fileURLToPath(arg));
    }
    if (/^(readdir|opendir|cp|glob)/.test(name)) this.list(args[0], Boolean(args[1]?.recursive) || name.startsWith('cp'));
  }

  relative(given) {
    const found = path.relative(this.home, path.resolve(given));
    return found.startsWith('..') ? null : found;
  }

  one(given) {
    if (this.known.has(given)) return;
    if (this.known.size > MOST_KNOWN) this.known.clear();
    this.known.add(given);
    // What lies before a ".." has to be there for the system to pass it.
    for (const { index } of given.matchAll(/\/\.\.(?=\/|$)/g)) this.one(given.slice(0, index));
    const at = this.relative(given);
    if (at !== null) this.fetch(at);
  }

  /** Whether it is in place; it stays away where the host has removed its folder. */
  fetch(at) {
    if (this.there.has(at)) return true;
    const folder = path.dirname(at) === '.' ? '' : path.dirname(at);
    const size = this.tree.get(folder)?.get(path.basename(at));
    if (size === undefined || !this.fetch(folder)) return false;
    const target = path.join(this.home, at);
    const isNamed = this.named.delete(at);
    if (!fs.existsSync(isNamed ? target : path.dirname(target))) return false;
    this.there.add(at);
    if (size < 0) fs.mkdirSync(target, { recursive: true });
    else fs.copyFileSync(path.join(this.root, at), target);
    return true;
  }

  /** The names in a folder, without their contents. */
  list(given, deep) {
    const at = typeof given === 'string' ? this.relative(given) : null;
    if (at === null || !this.tree.has(at) || !fs.existsSync(path.join(this.home, at))) return;
    for (const [name, size] of this.tree.get(at)) {
      const child = at ? `${at}/${name}` : name;
      if (size < 0) {
        this.fetch(child);
        if (deep) this.list(path.join(this.home, child), true);
      } else if (!this.there.has(child) && !this.named.has(child)) {
        this.named.add(child);
        fs.writeFileSync(path.join(this.home, child), '');
        fs.truncateSync(path.join(this.home, child), size);
      }
    }
  }

  isFile(place) {
    this.one(place);
    return fs.statSync(place, { throwIfNoEntry: false })?.isFile() ?? false;
  }

  read(place) {
    this.one(place);
    return fs.readFileSync(place, 'utf8');
  }
}

module.exports = { HostFiles };
