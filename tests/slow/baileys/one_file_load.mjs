// Runs whole.cjs, which one_file.mjs made beside a copy of this file, as V8 has compiled it before.
import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Script } from 'node:vm';

const url = new URL('whole.cjs', import.meta.url).href;
const filename = fileURLToPath(url);
const compiled = `${filename}.compiled`;
const cachedData = existsSync(compiled) ? readFileSync(compiled) : undefined;
// It is ASCII.
export const script = new Script(readFileSync(filename, 'latin1'), { filename, cachedData });
const whole = { exports: {} };
const require = createRequire(url);
script.runInThisContext()(whole.exports, require, whole, filename, dirname(filename), url);
export default whole.exports;
