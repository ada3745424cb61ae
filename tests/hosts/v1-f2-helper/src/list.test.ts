import { expect, it } from 'vitest';

import { obey } from './list.js';

it('keeps the list', () => {
	expect(obey('?')).toBe('nothing to buy');
	expect(obey('+Milk')).toBe('milk is on the list');
	expect(obey('?')).toBe('milk');
	expect(obey('-milk')).toBe('milk is off');
	expect(obey('hello')).toBeNull();
});
