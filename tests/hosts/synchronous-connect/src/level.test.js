import { expect, it } from 'vitest';

import { level } from './level.js';

it('says the level', () => {
  expect(level(9)).toBe('9 cm at the weir');
});
