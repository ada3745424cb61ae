'use strict';
/** node play_supervisor.cjs MODULE: [{rules, ends}] on standard input, the start times of each on output. */
const fs = require('node:fs');
const { Supervisor } = require(process.argv[2]);

function starts({ rules, ends }) {
  const supervisor = new Supervisor(rules);
  const found = [];
  let now = 0;
  for (const [life, end] of ends) {
    if (!supervisor.allows(now)) break;
    found.push(now / 1000);
    const startedAt = now;
    now += life * 1000;
    const killed = typeof end === 'string';
    const wait = supervisor.next(now, startedAt, killed ? null : end, killed ? end : null);
    if (wait === null) break;
    now += wait;
  }
  return found;
}

console.log(JSON.stringify(JSON.parse(fs.readFileSync(0, 'utf8')).map(starts)));
