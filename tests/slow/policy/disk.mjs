// A disk in memory. The module under test is bundled with it in place of 'fs', so that
// many thousand lives take seconds; real files are tested in reconnect.test.ts.
import { basename, dirname } from 'node:path';

const state = (globalThis.skillgenDisk ??= { files: new Map(), folders: new Set(), locked: false });
export const { files, folders } = state;

const fail = (code) => {
  throw Object.assign(new Error(code), { code });
};

export function readFileSync(file) {
  return files.get(file) ?? fail('ENOENT');
}

export function writeFileSync(file, text) {
  if (!folders.has(dirname(file))) fail('ENOENT');
  if (state.locked) fail('EACCES');
  files.set(file, text);
}

export function renameSync(from, to) {
  files.set(to, files.get(from) ?? fail('ENOENT'));
  files.delete(from);
}

/** Rights are lost: reading goes on, writing fails. */
export function lock() {
  state.locked = true;
}

export function wipe() {
  files.clear();
  folders.clear();
  state.locked = false;
}

export function lstatSync(file) {
  const text = files.get(file) ?? fail('ENOENT');
  return { isFile: () => true, size: text.length, mtimeMs: 0 };
}

export function readdirSync(folder) {
  if (!folders.has(folder)) fail('ENOENT');
  const inside = [...files.keys()].filter((file) => dirname(file) === folder);
  return inside.map((file) => basename(file));
}

export function rmSync(file) {
  files.delete(file);
}
export const mkdirSync = (folder) => void folders.add(folder);
export const accessSync = () => undefined;
export const constants = { W_OK: 2 };
