import * as fs from 'fs';
import { fileURLToPath } from 'url';

// --- Baileys: which of a bot's modules it is ---

const GUARD_TEXT = `globalThis[Symbol.for('whatsapp-reconnect.guard')]`;

/** Finds the ES modules that are Baileys, whatever its package is called. */
export function finder() {
  const packages = new Map();

  /** The nearest package.json: its folder, and what it says. */
  function packageOf(file) {
    let folder = file;
    for (;;) {
      const parent = folder.replace(/[/\\][^/\\]*$/, '');
      if (parent === folder || parent === '') return undefined;
      folder = parent;
      if (!packages.has(folder)) packages.set(folder, describe(folder));
      const found = packages.get(folder);
      if (found) return found;
    }
  }

  function describe(folder) {
    try {
      const text = fs.readFileSync(`${folder}/package.json`, 'utf8');
      const name = String(JSON.parse(text).name);
      const isNamed = /baileys/i.test(name);
      return { folder, isNamed, isLike: /baileys|libsignal/i.test(text) };
    } catch {
      return undefined;
    }
  }

  /** The text of a module that exports Baileys wrapped, if it is Baileys. */
  function standIn({ url, format }, parent) {
    if (!url.startsWith('file:') || !parent?.startsWith('file:'))
      return undefined;
    const isAdded = /\/whatsapp-reconnect\.[cm]?[jt]s$/.test(url);
    if (isAdded) return standInForAdded(url);
    if (!url.includes('/node_modules/') && !/baileys/i.test(url))
      return undefined;
    const file = fileURLToPath(url);
    const found = packageOf(file);
    // What it imports of itself stays as it is.
    if (!found?.isLike || packageOf(fileURLToPath(parent)) === found)
      return undefined;
    const text = fs.readFileSync(file, 'utf8');
    return wrapping(text, url, isCommon(text, format), found.isNamed);
  }

  /** A module of skillgen in the bot's source: the bot is held already. */
  function standInForAdded(url) {
    const text = fs.readFileSync(fileURLToPath(url), 'utf8');
    if (!/\bclass Reconnect\b/.test(text)) return undefined;
    const inner = JSON.stringify(url);
    return `export * from ${inner}; ${GUARD_TEXT}?.stepAside();`;
  }

  return standIn;
}

/** Whether a file is CommonJS; Node may not know it yet. */
export function isCommon(text, format) {
  if (format === 'commonjs' || format === 'module') return format !== 'module';
  return !/^\s*(import|export)(\s+\w|\s*[{*'"])|[;}](import|export)\s*[{*]/m.test(
    text,
  );
}

/** The text of a module that imports `inner` and exports it wrapped. */
export function wrapping(text, inner, isPlain, isNamed) {
  const names = (isPlain ? assigned : exported)(text, isNamed);
  if (names.length === 0) return undefined;
  const from = JSON.stringify(inner);
  return [
    `export * from ${from}; import * as all from ${from};`,
    `const wrapped = ${GUARD_TEXT}?.wrap(all) ?? all;`,
    isPlain ? 'const given = wrapped.default;' : 'const given = wrapped;',
    ...names.map((name) => `const _${name} = given.${name};`),
    `export { ${names.map((name) => `_${name} as ${name}`).join(', ')} };`,
    isPlain ? 'export default given;' : '',
  ].join('\n');
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

/** Whether a CommonJS module's exports are those of Baileys. */
export function isBaileys(found, request) {
  if (!/^(object|function)$/.test(typeof found) || !found) return false;
  const has = (name) => Object.prototype.hasOwnProperty.call(found, name);
  if (has('proto') || has('initAuthCreds') || has('DisconnectReason')) {
    return has('makeWASocket') || has('default');
  }
  // One of its inner modules, asked for by a path.
  const isInside = /baileys/i.test(request);
  return isInside && (has('default') || has('useMultiFileAuthState'));
}
