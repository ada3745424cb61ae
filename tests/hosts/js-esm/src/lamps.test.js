import { expect, it } from 'vitest';

import { lampsOn } from './lamps.js';

it('is early in winter and late in summer', () => {
  expect(lampsOn(new Date('2026-01-01T00:00:00Z'))).toBe('16:05');
  expect(lampsOn(new Date('2026-07-01T00:00:00Z'))).toBe('20:25');
});
