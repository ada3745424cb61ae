import { expect, it, vi } from 'vitest';

import { deliver } from './post.js';

it('measures the letter', async () => {
  vi.stubGlobal('fetch', async (url: string) =>
    url === 'full' ? new Response('dear') : new Response('', { status: 404 }),
  );
  expect(await deliver('full')).toBe(4);
  expect(await deliver('empty')).toBe(0);
});
