// The tools of a host's project, asked many times and started once: tsc, prettier and vitest of
// the node tools, as their command lines run them. A line of JSON in, {tool, cwd, words}; a line
// out, {code, stdout, stderr}. Ends with its input.
//
//   node tools.mjs NODE_TOOLS
//
// tsc: what TypeScript has read of a package, and bound, serves every host with the same options.
import { realpathSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { pathToFileURL } from 'node:url';

const modules = realpathSync(join(process.argv[2], 'node_modules'));
const require = createRequire(join(modules, 'x.js'));
const load = (name) => import(pathToFileURL(join(modules, name)));
const said = { stdout: '', stderr: '' };
// Nothing that a tool prints may pass for an answer.
const answer = process.stdout.write.bind(process.stdout);
process.stdout.write = (text) => Boolean((said.stdout += text));
process.stderr.write = (text) => Boolean((said.stderr += text));

const sources = new Map();

/** tsc --noEmit --project cwd. */
function tsc(cwd) {
  const ts = require('typescript');
  const lines = { getCurrentDirectory: () => cwd, getCanonicalFileName: (name) => name, getNewLine: () => '\n' };
  const report = (found) => {
    process.stdout.write(ts.formatDiagnostics(found, lines));
    return found.length > 0 ? 2 : 0;
  };
  const fatal = [];
  const config = ts.getParsedCommandLineOfConfigFile(join(cwd, 'tsconfig.json'), { noEmit: true }, {
    ...ts.sys,
    getCurrentDirectory: () => cwd,
    onUnRecoverableConfigFileDiagnostic: (one) => fatal.push(one),
  });
  if (!config) return report(fatal);
  const host = ts.createCompilerHost(config.options);
  const { getSourceFile } = host;
  const { configFilePath, outDir, rootDir, baseUrl, ...rest } = config.options;
  const options = JSON.stringify(rest);
  host.getCurrentDirectory = () => cwd;
  host.getSourceFile = (name, how, ...more) => {
    if (!name.startsWith(`${modules}/`)) return getSourceFile(name, how, ...more);
    const key = JSON.stringify([name, how, options]);
    if (!sources.has(key)) sources.set(key, getSourceFile(name, how, ...more));
    return sources.get(key);
  };
  const { fileNames: rootNames, projectReferences, errors } = config;
  const program = ts.createProgram({ rootNames, options: config.options, projectReferences, host });
  return report([...errors, ...ts.getPreEmitDiagnostics(program)]);
}

async function prettier(_cwd, words) {
  const { run } = await load('prettier/internal/legacy-cli.mjs');
  await run(words);
  return process.exitCode ?? 0;
}

async function vitest(cwd, words) {
  const { parseCLI, startVitest } = await load('vitest/dist/node.js');
  const { filter, options } = parseCLI(['vitest', ...words]);
  const run = await startVitest('test', filter, { ...options, root: cwd, run: true, watch: false });
  await run.close();
  return process.exitCode ?? 0;
}

const TOOLS = { tsc, prettier, vitest };
for await (const line of createInterface({ input: process.stdin })) {
  const { tool, cwd, words } = JSON.parse(line);
  Object.assign(said, { stdout: '', stderr: '' });
  process.exitCode = undefined;
  process.chdir(cwd);
  let code;
  try {
    code = await TOOLS[tool](cwd, words);
  } catch (error) {
    code = 1;
    said.stderr += error?.stack ?? error;
  }
  answer(`${JSON.stringify({ code, ...said })}\n`);
}
