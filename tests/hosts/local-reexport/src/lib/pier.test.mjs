import { expect, it } from 'vitest';

import { pier } from './pier.js';

it('names the pier', () => {
  expect(pier(3)).toBe('pier 3');
});
