import { expect, it } from 'vitest';

import { folderOf } from './folder.js';

it('names a folder for each number', () => {
  expect(folderOf('7')).toBe('data/bells-7');
});
