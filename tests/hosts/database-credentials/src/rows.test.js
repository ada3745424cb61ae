import { expect, it } from 'vitest';

import { rowOf } from './rows.js';

it('keeps tables apart', () => {
  expect(rowOf('a', 'b')).toBe('a:b');
});
