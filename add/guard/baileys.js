import * as fs from 'fs';
import { fileURLToPath } from 'url';

// --- Baileys: which of a bot's modules it is ---

const GUARD_TEXT = `globalThis[Symbol.for('whatsapp-reconnect.guard')]`;
/** At the end of an address: this one was made here. */
const MARK = 'whatsapp-guard';
/** Megabytes of it in each copy, and no function that is wrapped. */
const PROTOCOL = '/WAProto/';
const IN_PACKAGE = /^.+\/node_modules\/(?:@[^/]+\/)?[^/]+(?=\/)/;
/** One of them is in each module that is wrapped, but for a package's entry. */
const WORDS = ['makeWASocket', 'useMultiFileAuthState'];
export const ADDED = /[/\\]whatsapp-reconnect\.[cm]?[jt]s$/;

/** What shows the guard a module that skillgen added, at the end of its text. */
export const MEETING = `${GUARD_TEXT}?.meet({
  Reconnect: typeof Reconnect === 'function' && Reconnect,
});`;

/** Finds the ES modules that are Baileys, whatever its package is called. */
export function finder() {
  const packages = new Map();

  /** The package of a module; undefined: none that has to do with Baileys. */
  function packageOf(url) {
    const [folder] = IN_PACKAGE.exec(url) ?? [];
    if (folder !== undefined) return described(folder);
    // A copy in the bot's own source.
    if (!/baileys/i.test(url)) return undefined;
    const parts = url.split('/');
    for (let depth = parts.length - 1; depth > 3; depth -= 1) {
      const found = described(parts.slice(0, depth).join('/'));
      if (found) return found;
    }
    return undefined;
  }

  function described(folder) {
    if (!packages.has(folder)) packages.set(folder, describe(folder));
    return packages.get(folder);
  }

  function describe(folder) {
    try {
      const file = fileURLToPath(`${folder}/package.json`);
      const text = fs.readFileSync(file, 'utf8');
      const { name, main, module, exports } = JSON.parse(text);
      const entries = JSON.stringify([main ?? 'index.js', module, exports]);
      const isNamed = /baileys/i.test(String(name));
      const isLike = /baileys|libsignal/i.test(text);
      return { folder, entries, isNamed, isLike };
    } catch {
      return undefined;
    }
  }

  /** Whether a package, or a stand-in, imports what is its own: that stays. */
  function isWithin(url, parent) {
    if (!url.startsWith('file:') || !parent?.startsWith('file:')) return true;
    if (parent === marked(url)) return true;
    const found = ADDED.test(url) ? undefined : packageOf(url);
    return found !== undefined && packageOf(parent) === found;
  }

  /**
   * A module that exports `url` wrapped, if that is Baileys; it imports `inner`.
   * `given` is what Node has read of it, if anything.
   */
  function standIn(url, format, { inner = url, given } = {}) {
    if (!url.startsWith('file:') || url.endsWith(MARK)) return undefined;
    const isAdded = ADDED.test(url);
    const found = isAdded ? undefined : packageOf(url);
    const isScript = /\.[cm]?js(\?|$)/.test(url) && !url.includes(PROTOCOL);
    if (!isAdded && !(found?.isLike && isScript)) return undefined;
    const bytes = given ?? fs.readFileSync(fileURLToPath(url));
    if (isAdded) return added(String(bytes), inner);
    const isNamed = found?.isNamed && isEntry(found, url);
    if (!isNamed && !WORDS.some((word) => bytes.includes(word)))
      return undefined;
    const text = String(bytes);
    return wrapping(text, inner, isCommon(text, format), isNamed);
  }

  return { isWithin, standIn };
}

/** The same module's address once more, for its stand-in or for itself. */
export function marked(url) {
  return `${url}${url.includes('?') ? '&' : '?'}${MARK}`;
}

/** A module that skillgen added to the bot's source; the guard is shown it. */
function added(text, inner) {
  const isOurs = /\bclass Reconnect(Stopped| extends Gate)\b/.test(text);
  if (!isOurs || /\bexport default\b/.test(text)) return undefined;
  const from = JSON.stringify(inner);
  const lines = `export * from ${from}; import * as all from ${from};`;
  return { text: `${lines} ${GUARD_TEXT}?.meet(all);`, isPlain: false };
}

/** Whether a package's own description names this module. */
function isEntry({ folder, entries }, url) {
  const [path] = url.slice(folder.length + 1).split('?');
  const plain = path.replace(/(\/index)?\.[cm]?js$/, '');
  return [path, plain].some((name) =>
    new RegExp(`["/]${name.replace(/[^\w/]/g, '\\$&')}/?"`).test(entries),
  );
}

/** Whether a file is CommonJS; Node may not know it yet. */
export function isCommon(text, format) {
  if (format === 'commonjs' || format === 'module') return format !== 'module';
  return !/^\s*(import|export)(\s+\w|\s*[{*'"])|[;}](import|export)\s*[{*]/m.test(
    text,
  );
}

/** A module that imports `inner` and exports it wrapped. */
export function wrapping(text, inner, isPlain, isNamed) {
  const names = (isPlain ? assigned : exported)(text, isNamed);
  if (names.length === 0) return undefined;
  const from = JSON.stringify(inner);
  const lines = [
    `export * from ${from}; import * as all from ${from};`,
    `const wrapped = ${GUARD_TEXT}?.wrap(all) ?? all;`,
    isPlain ? 'const given = wrapped.default;' : 'const given = wrapped;',
    // Not const: a module that is imported in a circle may look too early.
    ...names.map((name) => `var _${name} = given.${name};`),
    `export { ${names.map((name) => `_${name} as ${name}`).join(', ')} };`,
    isPlain ? 'export default given;' : '',
  ];
  return { text: lines.join('\n'), isPlain };
}

/** Which of the names that are wrapped a module exports; none: not Baileys. */
function exported(text, isNamed) {
  const hasDefault = /\bexport\s*(default\b|\{[^}]*\bdefault\b)/.test(text);
  const hasAll = /\bexport\s*\*/.test(text);
  const isMade = /\bexport\s*(\{[^}]*|const |function )\bmakeWASocket\b/.test(
    text,
  );
  const isMeant = isNamed || /\bmakeWASocket\b/.test(text);
  const isIt = isMade || (isMeant && hasDefault);
  const folder = /\bexport\b[^;]*\buseMultiFileAuthState\b/.test(text);
  const names = [];
  if (isIt && hasDefault) names.push('default');
  if (isMade || (isNamed && isIt && hasAll)) names.push('makeWASocket');
  if (folder || (isIt && hasAll)) names.push('useMultiFileAuthState');
  return names;
}

/** The same of a module in CommonJS; all of it is its default, too. */
function assigned(text, isNamed) {
  const isMade = /\bexports\.makeWASocket\b|\bmakeWASocket\s*:/.test(text);
  const isIt = isMade || (isNamed && /\bexports\.default\b/.test(text));
  return isIt ? ['makeWASocket', 'useMultiFileAuthState'] : [];
}

/** Whether exports are those of Baileys, or of the one of its modules at `path`. */
export function isBaileys(found, path) {
  if (!/^(object|function)$/.test(typeof found) || !found) return false;
  const has = (name) => Object.prototype.hasOwnProperty.call(found, name);
  const isMade = has('makeWASocket') || has('default');
  if (has('proto') || has('initAuthCreds') || has('DisconnectReason')) {
    return isMade;
  }
  if (!/baileys/i.test(path)) return false;
  if (has('makeWASocket') || has('useMultiFileAuthState')) return true;
  return has('default') && found.default?.name === 'makeWASocket';
}
