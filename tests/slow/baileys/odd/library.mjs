// What each bot here takes of Baileys: as it is, or held in its source (BOT_WAY=held).
import dns from 'node:dns';

const { BOT_BAILEYS, BOT_WAY, WHATSAPP_ROOT, WHATSAPP_URL } = process.env;

// The look-up of the current client version goes out to the world: there is none.
dns.lookup = (name, options, callback = options) => {
  process.nextTick(callback, new Error(`getaddrinfo ENOTFOUND ${name}`));
};

const found = await import(BOT_BAILEYS);
const baileys = found.default?.makeWASocket ? found.default : found;
const { initAuthCreds, makeWASocket, WA_CERT_DETAILS } = baileys;
WA_CERT_DETAILS.PUBLIC_KEY = Buffer.from(WHATSAPP_ROOT, 'hex');

const quiet = { level: 'silent', child: () => quiet };
for (const level of ['trace', 'debug', 'info', 'warn', 'error', 'fatal']) quiet[level] = () => {};

const held = BOT_WAY === 'held' ? await import('./whatsapp-reconnect.mjs') : undefined;

/** A socket; creds: those of `linked()` or `unlinked()`. */
export function connect(creds, more = {}) {
  const keys = { get: async () => ({}), set: async () => {} };
  const own = { auth: { creds, keys }, logger: quiet, waWebSocketUrl: WHATSAPP_URL };
  const config = { ...own, browser: ['odd', 'bot', '1'], ...more };
  return held ? held.socket(makeWASocket, config) : makeWASocket(config);
}

export const unlinked = () => initAuthCreds();

export function linked(number = '4911111') {
  const me = { id: `${number}:1@s.whatsapp.net` };
  return { ...initAuthCreds(), me, account: {}, registered: true, signalIdentities: [] };
}

export const say = (...words) => console.log(['SEEN', ...words].join(' '));
