import { expect, it } from 'vitest';

import { run } from './orders.js';

it('counts orders', () => {
  expect(run({ messages: [1, 2] })).toBe(2);
});
