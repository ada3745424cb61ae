// usage: node to-javascript.mjs FROM TO NODE_MODULES
// Writes the JavaScript of every TypeScript file in FROM to TO: types blanked out
// (ts-blank-space), then formatted as the TypeScript is (prettier).
import { mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';

const [, , from, to, modules] = process.argv;
const require = createRequire(join(resolve(modules), 'x.js'));
const load = (path) => import(pathToFileURL(require.resolve(path)));
const { default: blank } = await load('ts-blank-space');
const { format } = require('prettier');

/** What a generic function takes and gives, for those who call it from checked JavaScript. */
function described(source) {
  const generic = /^( *)\/\*\* (.*) \*\/\n(?= *(?:export (?:async )?function )?\w+(<[^(]*>\(.*\)): (.*) \{$)/gm;
  const [, alias, meant] = /^type (\w+<S>) = (.*);$/m.exec(source) ?? [];
  return source.replace(generic, (_, indent, text, takes, gives) =>
    ['/**', ` * ${text}`, ` * @type {${takes.replace(alias, meant)} => ${gives}}`, ' */\n']
      .map((line) => indent + line)
      .join('\n'),
  );
}

mkdirSync(to, { recursive: true });
for (const name of readdirSync(from)) {
  if (!name.endsWith('.ts')) continue;
  const refuse = (node) => {
    throw new Error(`${name}: ${node.getText()} cannot be blanked out`);
  };
  const plain = blank(described(readFileSync(join(from, name), 'utf8')), refuse);
  // A blanked line is no line, and what is written above it goes with it.
  const marked = plain.replace(/^[ ;]+$/gm, '\0');
  const bare = marked.replace(/^ *\/\*\*(?:(?!\*\/)[^])*\*\/\n(?=\0)/gm, '');
  const lines = bare.replace(/\0\n/g, '').replace(/^import \{\s*\} from .*\n/gm, '');
  const text = await format(lines, { parser: 'babel', singleQuote: true });
  writeFileSync(join(to, name.replace(/ts$/, 'js')), text);
}
