import { describe, expect, it } from 'vitest';

import { plist, unit } from './service.js';

describe('the service', () => {
  it('starts the built program', () => {
    expect(unit('/usr/bin/node', '/srv/trellis')).toContain(
      'ExecStart=/usr/bin/node /srv/trellis/dist/index.js',
    );
    expect(plist('/usr/bin/node', '/srv/trellis')).toContain(
      '<string>/srv/trellis/dist/index.js</string>',
    );
  });

  it('is started again after it ended', () => {
    expect(unit('node', '/srv/trellis')).toContain('Restart=always');
    expect(plist('node', '/srv/trellis')).toContain(
      '<key>KeepAlive</key>\n    <true/>',
    );
  });
});
