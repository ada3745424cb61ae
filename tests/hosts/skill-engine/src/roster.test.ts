import { expect, it } from 'vitest';

import { answer } from './roster.js';

it('keeps one gardener a day', () => {
  expect(answer('ada', 'who Monday')).toBe('nobody yet');
  expect(answer('ada', 'water Monday')).toBe('monday is yours');
  expect(answer('bo', 'who Monday')).toBe('ada');
  expect(answer('bo', 'nice beans')).toBeNull();
});
