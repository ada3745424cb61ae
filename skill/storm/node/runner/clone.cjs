'use strict';
const { isStub } = require('./stubs.cjs');

/** structuredClone() of what holds a stand-in: it stays, and the rest is copied. */
function clone(value, options) {
  try {
    return structuredClone(value, options);
  } catch (error) {
    return withStandIns(value, new Map(), error);
  }
}

/** Throws `error` for anything else that cannot be copied. */
function withStandIns(value, known, error) {
  if (isStub(value)) return value;
  if (typeof value === 'function' || typeof value === 'symbol') throw error;
  if (value === null || typeof value !== 'object') return value;
  if (known.has(value)) return known.get(value);
  const plain = [Object.prototype, Array.prototype, null].includes(Object.getPrototypeOf(value));
  if (!plain) return structuredClone(value);
  const copy = Array.isArray(value) ? [] : {};
  known.set(value, copy);
  for (const key of Object.keys(value)) copy[key] = withStandIns(value[key], known, error);
  return copy;
}

module.exports = { clone };
