// Added by skillgen 0.0.0 (sha256 of the rest: 0000000000000000)
//
// Fails where an update of the bot has taken the patch along.
import * as fs from 'fs';
import { join } from 'path';
import { describe, expect, it } from 'vitest';

/** How often a file has some code, however it is laid out. */
function counter(file: string) {
  const text = fs.readFileSync(join(__dirname, file), 'utf8');
  const code = text.replace(/^\s*(\/\/|\/?\*).*$/gm, '').replace(/\s/g, '');
  return (part: string) => code.split(part).length - 1;
}

// What is built, in dist/ say, has no source beside it.
const hasSource = fs.existsSync(join(__dirname, 'index.ts'));

describe.skipIf(!hasSource)('whatsapp wiring', () => {
  it('wiring.test.ts is patched; if an update undid it: skillgen apply', () => {
    const times = counter('wiring.test.ts');
    expect(times('fs.readFileSync(')).toBeGreaterThan(0);
  });
});
