'use strict';
/** Where a host's files lie that are not in its own folder, and how it looks through its folders. */
const fs = require('node:fs');
const path = require('node:path');

/** Folders that have one for each account in them. */
const ACCOUNTS = /^(instances?|sessions?|accounts?|auths?|auth_\w+|tokens?|credentials?|creds|devices?|clients?)$/i;

/** A host that looks for its accounts finds one, where it does not dial otherwise. */
function accountIn(world, given) {
  if (!world.looking || typeof given !== 'string' || !ACCOUNTS.test(path.basename(given))) return;
  const folder = path.relative(process.cwd(), path.resolve(given));
  const inside = (one) => one.isDirectory();
  if (folder.startsWith('..') || (fs.existsSync(given) && fs.readdirSync(given, { withFileTypes: true }).some(inside))) return;
  world.ask('folder');
  if (world.help.rows) world.authFolders.add(path.join(folder, 'main'));
}

const MAKES = /^(writeFile|appendFile|mkdir|mkdtemp|open|copyFile|rename|cp|symlink|link)(Sync)?$/;

/**
 * Puts what a host writes outside of its folder and home below the latter, and reads it from there:
 * a folder in /tmp, say. Changes the paths among the arguments of an operation of fs.
 */
function elsewhere(world) {
  const { HOME: home } = world.environment;
  const own = path.dirname(home);
  const places = new Map();
  return (name, args) => {
    for (const at of /^(rename|copyFile|cp|link)(Sync)?$/.test(name) ? [0, 1] : [0]) {
      const given = args[at];
      if (typeof given !== 'string' || !path.isAbsolute(given) || given.startsWith(`${own}/`)) continue;
      const place = path.join(home, 'elsewhere', given);
      const reads = !MAKES.test(name) || (/^open/.test(name) && /^(r|undefined)$/.test(String(args[1])));
      if (!reads && !places.has(given) && (fs.existsSync(path.dirname(given)) || args[1]?.recursive)) {
        places.set(given, place);
        fs.mkdirSync(path.dirname(place), { recursive: true });
        world.standIns.add(given.split('/').slice(0, 3).join('/'));
      }
      if (fs.existsSync(reads ? place : path.dirname(place))) args[at] = place;
    }
  };
}

/** What opendir() gives, without the event loop's own time, which virtual time cannot see. */
function opened(place, options) {
  const entries = fs.readdirSync(place, { ...Object(options), withFileTypes: true });
  const next = () => entries.shift() ?? null;
  return {
    path: place,
    readSync: next,
    read: async () => next(),
    closeSync() {},
    close: async () => {},
    async *[Symbol.asyncIterator]() {
      for (let one = next(); one; one = next()) yield one;
    },
  };
}

module.exports = { accountIn, elsewhere, opened };
