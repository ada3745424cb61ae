import { expect, it } from 'vitest';

import { handlers } from './handlers.js';

it('lists its handlers', () => {
  expect(handlers()).toHaveLength(1);
});
