import { expect, it } from 'vitest';

import { nextFerry } from './timetable.js';

it('finds the next one', () => {
  expect(nextFerry('09:00')).toBe('09:10');
  expect(nextFerry('09:10')).toBe('09:10');
  expect(nextFerry('23:00')).toBe('06:40');
});
