'use strict';
/**
 * What a validator reads out of a bot's settings: the values that are there, and the defaults that
 * the bot itself gives. Without them a limit of its own, such as of its retries, would be no number.
 */

const VALIDATOR = /^(zod|joi|@hapi\/joi|yup|envalid|znv|@t3-oss\/env-\w+)\b/;
const READS = /\.(parse|parseAsync|safeParse|safeParseAsync|validate|validateSync|validateAsync|cast|attempt|assert|cleanEnv|parseEnv|createEnv)$/;
const SHAPES = /\.(object|strictObject|looseObject|extend|safeExtend|keys|shape|append)$/;
const KIND = /\.(number|int|integer|port|num|float|boolean|bool)$/;
/** schema: {kind, shape, fallback: [value], optional, then: [function]}, by its stand-in. */
const KNOWN = new WeakMap();
const schemaOf = (value) => (['object', 'function'].includes(typeof value) && value !== null ? KNOWN.get(value) : undefined);

/** Remembers what a call of a validator says of the schema that it gives, `made`. */
function describe(name, self, args, made) {
  if (!VALIDATOR.test(name)) return;
  const [first, second] = args;
  const schema = { then: [], ...schemaOf(self) };
  const last = name.split('.').at(-1);
  if (SHAPES.test(name) && Object(first) === first) schema.shape = { ...schema.shape, ...first };
  else if (last === 'merge' || last === 'concat') schema.shape = { ...schema.shape, ...schemaOf(first)?.shape };
  else if (/^(default|prefault|catch)$/.test(last)) schema.fallback = [first];
  else if (/^(optional|nullable|nullish|partial|notRequired|allow)$/.test(last)) schema.optional = true;
  else if (last === 'transform' && typeof first === 'function') schema.then = [...schema.then, first];
  else if (last === 'preprocess' && typeof first === 'function') {
    const inner = schemaOf(second);
    Object.assign(schema, inner, { then: [first, ...(inner?.then ?? [])] });
  } else if (KIND.test(name)) schema.kind = /^bool/.test(last) ? 'boolean' : 'number';
  if (/^(envalid|znv)/.test(name) && Object(first) === first && 'default' in first) schema.fallback = [first.default];
  KNOWN.set(made, schema);
}

const MISSING = Symbol('missing');

/** The value that a schema makes of one that is given; MISSING where one is wanted and is not there. */
function valueOf(schema, given) {
  if (schema === undefined) return given === undefined ? MISSING : given;
  let value = given;
  if (value === undefined || value === null) {
    if (!schema.fallback) return schema.shape ? shaped(schema.shape, {}) : schema.optional ? value : MISSING;
    const [fallback] = schema.fallback;
    value = typeof fallback === 'function' && !KNOWN.has(fallback) ? fallback() : fallback;
  }
  if (schema.shape && Object(value) === value) value = shaped(schema.shape, value);
  if (schema.kind === 'number' && typeof value === 'string' && !Number.isNaN(Number(value))) value = Number(value);
  if (schema.kind === 'boolean' && typeof value === 'string') value = /^(true|1|yes|on)$/i.test(value);
  try {
    return schema.then.reduce((one, change) => change(one), value);
  } catch {
    return value;
  }
}

/** An object of those fields; of those that are missing the schema itself, as a stand-in. */
function shaped(shape, given) {
  const found = {};
  for (const [name, schema] of Object.entries(shape)) {
    const value = valueOf(schemaOf(schema), given[name]);
    if (value === MISSING) found[name] = schema;
    else if (value !== undefined) found[name] = value;
  }
  return found;
}

/** [what a validator gives back], or undefined where it is not asked to read anything. */
function validated(name, self, args) {
  if (!VALIDATOR.test(name) || !READS.test(name)) return undefined;
  const last = name.split('.').at(-1);
  let [given, schema] = [args[0], schemaOf(self)];
  if (/^(cleanEnv|parseEnv)$/.test(last)) schema = { shape: Object(args[1]), then: [] };
  else if (last === 'attempt' || last === 'assert') schema = schemaOf(args[1]) ?? schema;
  else if (last === 'createEnv') {
    const { server, client, shared, runtimeEnv } = Object(given);
    [given, schema] = [Object(runtimeEnv), { shape: { ...server, ...client, ...shared }, then: [] }];
  }
  if (schema === undefined) return undefined;
  const value = valueOf(schema, given);
  if (value === MISSING) return undefined;
  if (last.startsWith('safeParse')) {
    const read = { success: true, data: value };
    return [last === 'safeParse' ? read : Promise.resolve(read)];
  }
  if (/^joi|^@hapi/.test(name) && last === 'validate') return [{ value, error: undefined }];
  const waits = /Async$/.test(last) || (name.startsWith('yup') && last === 'validate');
  return [waits ? Promise.resolve(value) : value];
}

module.exports = { describe, validated };
