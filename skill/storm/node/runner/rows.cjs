'use strict';
/**
 * What a database that knows one session answers, where a host dials for what its database holds.
 *
 * The columns are not known here: each has what the query asks for, or else what its name says.
 * Credentials are not made here: Baileys' initAuthCreds() gives them (baileys.cjs).
 */

/** Packages that are databases, or stand between a program and one; and a host's own file that does. */
const DATABASE =
  /^(better-sqlite3|sqlite3|sqlite|pg|mysql2?|mongoose|mongodb|ioredis|redis|@redis|@prisma|level|sequelize|typeorm|@nestjs\/typeorm|keyv|quick\.db|[@.~]{1,2}\/([\w.-]+\/)*redis)\b/;
const ONE = /\.(h?get|getItem|find(One|Unique|First|ByPk|ById)(By|OrFail|OrThrow|OrNull)?)$/i;
const MANY = /\.(find|findMany|findAll|findBy|getMany)$/;
const KEYED = /\.(h?get|getItem)$/;
const SQL = /\.(query|execute|all|get)$/;
const DELETES = /\.(delete\w*|destroy|del|hdel|remove\w*|truncate)$/i;
/** Tables beside the one of sessions: what is in those, a host does without. */
const BESIDE =
  /message|msg|chat|contact|ticket|log|group|label|tag|queue|sched|campaign|event|hook|key|cred|history|media|file|setting|plugin|command|job|token|baileys/i;
/** Tables, and keys of a store, that hold credentials. */
const HOLDS = /cred|auth|session|baileys|device|instance/i;
/** A look-up of one part of the credentials. */
const PART = /creds|pre-?key|sender-?key|app-state/i;
/** Columns that hold credentials: the host makes new ones where they are empty. */
const CREDENTIALS = /cred|auth|^session(data|state)?$|^keys?$/i;
const KINDS = [
  [/^(created|updated|connected)_?([aA]t|[oO]n|[dD]ate)$/, () => new Date(0)],
  [/(At|_at|On|_on|[dD]ate|[eE]rror|[rR]eason)$|^(deleted|disabled|banned|blocked|archived)$/, () => null],
  [/^(data|config|options|settings|meta|metadata|json|payload|extra)$/i, () => '{}'],
  [/(number|phone|jid|owner|wuid)/i, () => '15550001111'],
  [/(count|retries|attempts|retry|order|version)$/i, () => 0],
  [/^(is[A-Z_]|has[A-Z_]|active$|enabled$)/, () => true],
  [/(status|state)$/i, () => 'connected'],
  [/^id$|Id$|_id$|ID$|name$|session|instance|account|client$|user$/i, () => 'main'],
];
/** What an ORM's row can do. */
const DOES = /^(save|update|destroy|reload|remove|deleteOne|updateOne|set|increment|decrement)$/;
/** What is chained to a query before it is awaited. */
const CHAINED =
  'sort limit skip lean exec populate select where orderBy toArray maxTimeMS session collation'.split(' ');

/** The columns that a filter names, each with a value that it takes. */
function wanted(filter, found = {}) {
  if (filter === null || typeof filter !== 'object' || Array.isArray(filter)) return found;
  for (const [name, value] of Object.entries(filter)) {
    if (/^(AND|OR|NOT|\$\w+)$/.test(name)) {
      if (name !== 'NOT') [].concat(value).forEach((one) => wanted(one, found));
    } else if (value === null || typeof value !== 'object') found[name] = value;
    else if (Array.isArray(value)) [found[name]] = value;
    else {
      const one = value.equals ?? value.$eq ?? (value.in ?? value.$in)?.[0] ?? value.startsWith;
      if (one !== undefined) found[name] = one;
      else wanted(value, found); // a key of several columns
    }
  }
  return found;
}

function column(name, kind) {
  if (CREDENTIALS.test(name)) return null;
  if (kind && /^(integration|engine|provider|library|channel|type)$/i.test(name)) return kind;
  const [, make] = KINDS.find(([names]) => names.test(name)) ?? [];
  return make ? make() : null;
}

/** One row. filled: what the query asks for. wiped: told that it holds no credentials any more. */
function row(filled, kind, wiped) {
  const known = { id: 'main', ...filled };
  const made = new Proxy(known, {
    get(target, name) {
      if (Object.hasOwn(target, name) || typeof name === 'symbol') return target[name];
      if (name === 'then' || name === 'toString' || name === 'valueOf') return Object.prototype[name];
      if (/^(get|getDataValue)$/.test(name)) return (one) => (one === undefined ? made : made[one]);
      if (/^(toJSON|toObject)$/.test(name)) return () => ({ ...target });
      if (!DOES.test(name)) return column(name, kind);
      return async (values) => {
        for (const [one, value] of Object.entries(Object(values))) {
          if (CREDENTIALS.test(one) && !value) wiped();
          known[one] = value;
        }
        if (/^(destroy|remove|deleteOne)$/.test(name)) wiped();
        return made;
      };
    },
  });
  return made;
}

/** A query that is awaited, whatever is chained to it before. */
function answered(value) {
  const query = Promise.resolve(value);
  for (const name of CHAINED) query[name] = () => query;
  return query;
}

/** The name of the table that a query is for: of the model, or in SQL. */
function tableOf(name, self, args) {
  const [, table] = /\b(?:from|into|update)\s+["'`]?(?:\w+["'`]?\.["'`]?)?(\w+)/i.exec(sqlOf(args)) ?? [];
  if (table) return table;
  const own = typeof self === 'function' && Object.getPrototypeOf(self) !== Function.prototype ? self.name : '';
  return own || (/\.(\w+)\.\w+$/.exec(name)?.[1] ?? '').replace(/^(Model|prototype|default)$/, '');
}

const sqlOf = (args) => (typeof args[0] === 'string' && /^\s*select\b/i.test(args[0]) ? args[0] : '');

/**
 * What a query of a database gives; undefined where another stand-in will do. name: the stand-in
 * that is called, with `self` and `args`. rows: "" where nothing is stored yet, "lists" where one
 * session is listed, "all" where it is found, too. kind: what the host calls Baileys. asked: told
 * of a query that a row would answer; gave: of one that it does; wiped: of credentials' deletion.
 */
function found(name, self, args, { rows, kind, asked, gave, wiped }) {
  if (!DATABASE.test(name)) return undefined;
  if (name.startsWith('better-sqlite3')) return /\.all$/.test(name) ? [] : undefined;
  const table = tableOf(name, self, args);
  if (DELETES.test(name) && HOLDS.test(table || text(args))) wiped();
  const sql = SQL.test(name) && sqlOf(args) !== '';
  const one = ONE.test(name);
  if (!sql && !one && !MANY.test(name)) return undefined;
  const none = one ? answered(null) : undefined;
  if (BESIDE.test(table) || (KEYED.test(name) && !sql) || (one && PART.test(text(args)))) return none;
  asked();
  if (!rows || (one && rows !== 'all')) return none;
  const [, database] = /^((?:@[\w-]+\/)?[\w-]+)/.exec(name);
  gave(`one row of ${table || 'a table'} (${database})`);
  const made = row(wanted(sql ? {} : filterOf(args)), kind, wiped);
  if (sql) return answered(Object.assign([[made], []], { rows: [made], rowCount: 1 }));
  return answered(one ? made : [made]);
}

/** The condition of a query: Prisma's and Sequelize's `where`, Mongoose's own, or an id. */
function filterOf([first]) {
  if (first === null || first === undefined) return {};
  if (typeof first !== 'object') return { id: first };
  return first.where ?? (['include', 'select', 'attributes', 'orderBy'].some((one) => one in first) ? {} : first);
}

function text(args) {
  try {
    return JSON.stringify(args) ?? '';
  } catch {
    return '';
  }
}

module.exports = { found };
