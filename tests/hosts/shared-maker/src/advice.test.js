import { expect, it } from 'vitest';

import { advice } from './advice.js';

it('says what to scan', () => {
  expect(advice('x')).toBe('scan x');
});
