import { expect, it } from 'vitest'

import { nextHighWater } from './tides.js'

it('is the next one, never the last one', () => {
  const known = new Date('2026-01-01T00:00:00Z')
  expect(nextHighWater(known, known).toISOString()).toBe('2026-01-01T12:25:00.000Z')
  const later = new Date('2026-01-01T12:26:00Z')
  expect(nextHighWater(known, later).toISOString()).toBe('2026-01-02T00:50:00.000Z')
})
