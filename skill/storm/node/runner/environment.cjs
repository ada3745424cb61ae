'use strict';
/**
 * Settings that a host asks its environment for: from its own example, or made up by their names;
 * and its number, where a file of settings has a blank for it.
 */

const EXAMPLE = /^\.env\.(example|sample|template|dist|defaults)$/;
/** Those change what a host does, and it does well without them. */
const LEFT = /^(NODE_|npm_|HTTPS?_PROXY|NO_PROXY|CI$|DEBUG|LOG|TZ|LANG|HEROKU|KOYEB|RAILWAY|RENDER|VERCEL|PM2|WHATSAPP_RECONNECT)/i;
const KINDS = [
  [/PORT$/, '3000'],
  [/MONGO.*(UR[LI]|DB)?/, 'mongodb://127.0.0.1/bot'],
  [/REDIS.*UR[LI]/, 'redis://127.0.0.1/'],
  [/(POSTGRES|PG|DATABASE|DB).*UR[LI]/, 'postgres://bot@127.0.0.1/bot'],
  [/UR[LI]$|ENDPOINT|HOOK/, 'http://127.0.0.1:9/'],
  [/HOST$/, '127.0.0.1'],
  [/NUMBER|PHONE|OWNER|ADMIN|SUDO|NUMERO|NOMOR/, '15550001111'],
  [/TOKEN|KEY|SECRET|PASS|SALT/, 'stand-in-of-skillgen-for-this-one'],
  [/SESSION|INSTANCE|NAME$|USER|(^|_)ID$|PREFIX/, 'main'],
];

/** NAME=value lines; without those that have none. */
function read(text) {
  const found = {};
  for (const line of text.split('\n')) {
    const [, name, value] = /^\s*(?:export\s+)?([A-Za-z_]\w*)\s*=\s*(.*?)\s*$/.exec(line) ?? [];
    const plain = (value ?? '').replace(/^(['"])(.*)\1$|\s+#.*$/, '$2');
    if (plain) found[name] = plain;
  }
  return found;
}

/** {name: value}. unset: names that the host has asked for. files: the host's. text: of a file. */
function settingsFor(unset, files, text) {
  const found = {};
  for (const name of unset) {
    if (typeof name !== 'string' || LEFT.test(name)) continue;
    const [, value] = KINDS.find(([kind]) => kind.test(name.toUpperCase())) ?? [];
    if (value !== undefined) found[name] = value;
  }
  const examples = Object.keys(files).filter((file) => EXAMPLE.test(file.split('/').at(-1)));
  for (const file of examples) {
    for (const [name, value] of Object.entries(read(text(file)))) {
      if (!LEFT.test(name)) found[name] = value;
    }
  }
  return found;
}

/** Files in which a bot is told its number. */
const SETTINGS = /(^|\/)(config\w*|settings?|setup)\.[cm]?[jt]s$/i;
const NUMBER = '15550001111';
/** A number that is left for its owner to fill in: '' or '628xx'. */
const BLANK = /\b(\w*(?:number|nomor|n[uú]mero|phone|owner|telepon)\w*)(["']?\s*[:=]\s*\[?\s*)(["'`])(?:|\+?\d*x{2,}[\dx]*)\3/gi;

/** {text, names}: with those numbers filled in. */
function filledIn(text) {
  const names = [];
  const filled = text.replace(BLANK, (_all, name, between, quote) => {
    if (/name|nama|nome/i.test(name)) return _all;
    names.push(name);
    return `${name}${between}${quote}${NUMBER}${quote}`;
  });
  return { text: filled, names };
}

module.exports = { NUMBER, SETTINGS, filledIn, settingsFor };
