import { expect, it } from 'vitest';

import { warm } from './warm.js';

it('takes a moment', () => {
  expect(warm(1)).toBeInstanceOf(Promise);
});
