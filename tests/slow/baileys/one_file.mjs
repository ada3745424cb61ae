// usage: node one_file.mjs PACKAGE TARGET
// Makes the folder TARGET a package of the same name and version as the one in the folder PACKAGE,
// a Baileys: its own code with its own exports, but all in one file, which V8 has compiled before.
// A bot loads it in less than half the time. PACKAGE lies in a node_modules with esbuild and all
// that Baileys depends on; what a bot may have of that by itself is no part of the file.
import { copyFileSync, readFileSync, realpathSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

const [source, target] = process.argv.slice(2).map((folder) => realpathSync(folder));
const { build } = createRequire(join(source, 'package.json'))('esbuild');
const { name, version, main } = JSON.parse(readFileSync(join(source, 'package.json'), 'utf8'));
const lib = join(target, 'lib');
const optional = ['audio-decode', 'jimp', 'link-preview-js', 'qrcode-terminal', 'sharp'];
await build({
  entryPoints: [join(source, main)],
  outfile: join(lib, 'whole.cjs'),
  bundle: true,
  platform: 'node',
  format: 'cjs',
  charset: 'ascii',
  external: ['@hapi/boom', 'pino', ...optional],
  // Names stay as they are: those of functions and classes can be seen.
  minifyWhitespace: true,
  // A script that was compiled before cannot import(): a promise of a require() does the same.
  supported: { 'dynamic-import': false },
  define: { 'import.meta.url': '__url' },
  banner: { js: '(function (exports, require, module, __filename, __dirname, __url) {' },
  footer: { js: '})' },
  logLevel: 'error',
});
copyFileSync(new URL('one_file_load.mjs', import.meta.url), join(lib, 'load.mjs'));
const { default: whole, script } = await import(pathToFileURL(join(lib, 'load.mjs')));
writeFileSync(join(lib, 'whole.cjs.compiled'), script.createCachedData());

const names = Object.keys(whole).filter((one) => one !== 'default');
writeFileSync(
  join(lib, 'index.js'),
  `import whole from './load.mjs';
const { ${names.join(', ')} } = whole;
export { ${names.join(', ')} };
export default whole.default;
`,
);
const manifest = { name, version, type: 'module', main: 'lib/index.js' };
writeFileSync(join(target, 'package.json'), JSON.stringify(manifest));
