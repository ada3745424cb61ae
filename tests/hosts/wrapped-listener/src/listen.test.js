import { expect, it } from 'vitest';

import { listenTo } from './listen.js';

it('gives a function', () => {
  expect(listenTo({})).toBeTypeOf('function');
});
