// A bot that means harm: the ways out of the runner, each tried and told in a line.
const { default: makeWASocket } = require('baileys');
const real = Function('return process')();
const load = (name) => real.mainModule.require(name);
const { SECRET, SECRET_FILE, OUTSIDE, PORT, DOORS } = process.env;
const fs = load('fs');

function read(path) {
  const text = fs.readFileSync(path, 'latin1');
  return text.includes(SECRET) ? 'REACHED' : 'nothing';
}

/** The most of so many steps that went well. */
function fill(steps, step) {
  let done = 0;
  try {
    for (; done < steps; done += 1) step(done);
  } catch (error) {
    return `${done} of ${steps}, then ${error.code ?? error.name}`;
  }
  return `REACHED ${done}`;
}

const MB = 1 << 20;
const kept = [];
const doors = {
  'environment of the parent': () => read(`/proc/${real.ppid}/environ`),
  'environment of any process': () => {
    const numbers = fs.readdirSync('/proc').filter((name) => /^\d+$/.test(name));
    const seen = numbers.map((number) => {
      try {
        return read(`/proc/${number}/environ`);
      } catch {
        return 'nothing';
      }
    });
    return seen.includes('REACHED') ? 'REACHED' : 'nothing';
  },
  'own environment': () => (JSON.stringify(real.env).includes(SECRET) ? 'REACHED' : 'nothing'),
  'a file of the user': () => read(SECRET_FILE),
  'a write outside': () => {
    fs.writeFileSync(OUTSIDE, 'x');
    return 'REACHED';
  },
  'a write over what runs it': () => {
    fs.appendFileSync(real.mainModule.filename, '');
    return 'REACHED';
  },
  'tcp': () => {
    load('net').connect(Number(PORT), '127.0.0.1').on('error', () => {});
    return 'asked';
  },
  'a kill of the parent': () => {
    real.kill(real.ppid, 'SIGKILL');
    return 'REACHED';
  },
  'a shell': () => `REACHED ${load('child_process').execFileSync('/bin/sh', ['-c', 'id'])}`,
  'a shell, lower': () => {
    const stdio = [{ type: 'ignore' }, { type: 'ignore' }, { type: 'ignore' }];
    const spawn = real.binding('spawn_sync').spawn;
    const told = spawn({ file: '/bin/sh', args: ['sh', '-c', `echo x > ${OUTSIDE}`], stdio });
    return told.error ? `nothing: ${told.error}` : 'REACHED';
  },
  'native code': () => {
    fs.writeFileSync('x.node', 'not even one');
    real.dlopen({ exports: {} }, fs.realpathSync('x.node'));
    return 'REACHED';
  },
  'threads': () => {
    const { Worker } = load('worker_threads');
    return fill(400, () => kept.push(new Worker('setInterval(() => {}, 9)', { eval: true })));
  },
  'memory in buffers': () => fill(32, () => kept.push(Buffer.alloc(128 * MB, 1))),
  '/dev/shm': () => fill(8, (at) => fs.writeFileSync(`/dev/shm/hostile-${real.pid}-${at}`, Buffer.alloc(32 * MB, 1))),
  'a large file': () => fill(8, () => fs.appendFileSync('large', Buffer.alloc(32 * MB, 1))),
  'many files': () => fill(50_000, (at) => fs.writeFileSync(`many-${at}`, '')),
  'a line for the reader': () => fill(64, () => fs.writeSync(3, Buffer.alloc(MB, 'x'))),
  'junk for the reader': () => fs.writeSync(3, '{"look": \u001b[31m 1e9}\n'),
  'another shape': () => fs.writeSync(3, '{"look": {"attempts": [[[[]]]]}}\n'),
  'noise': () => fill(64, () => { fs.writeSync(1, Buffer.alloc(MB, 'x')); fs.writeSync(2, Buffer.alloc(MB, 'y')); }),
  'no end': () => {
    for (;;);
  },
};

for (const name of DOORS.split('; ')) {
  try {
    console.log(`${name}: ${doors[name]()}`);
  } catch (error) {
    console.log(`${name}: nothing: ${error.code ?? error.message}`);
  }
}
makeWASocket({});
