// node --import preload.mjs app.js: an unmodified bot meets the server of server.mjs, and
// nothing else. By the environment:
//
//   WHATSAPP_URL            where Baileys dials
//   WHATSAPP_ROOT           the public key it trusts, as hex
//   WHATSAPP_TIMEOUT_MS     how long it waits for an answer, instead of 20 s
//   BOT_STARTS              a file to which each start adds a line
//   BOT_CRASH               set: each start throws, a bug in the bot
//
// Says on stdout when it hands over to the bot: nothing is dialled before that.
import dns from 'node:dns';
import { appendFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

const { BOT_CRASH, BOT_STARTS, WHATSAPP_ROOT, WHATSAPP_TIMEOUT_MS, WHATSAPP_URL } = process.env;

if (BOT_STARTS) appendFileSync(BOT_STARTS, `${process.pid}\n`);
if (BOT_CRASH) throw new Error('a bug');

// The look-up of the current client version goes out to the world: there is none.
dns.lookup = (name, options, callback = options) => {
  const error = new Error(`getaddrinfo ENOTFOUND ${name}`);
  process.nextTick(callback, Object.assign(error, { code: 'ENOTFOUND', hostname: name }));
};

const bot = createRequire(join(process.cwd(), 'package.json'));
const baileys = await import(pathToFileURL(bot.resolve('@whiskeysockets/baileys')));
const { DEFAULT_CONNECTION_CONFIG, WA_CERT_DETAILS } = baileys;
WA_CERT_DETAILS.PUBLIC_KEY = Buffer.from(WHATSAPP_ROOT, 'hex');
DEFAULT_CONNECTION_CONFIG.waWebSocketUrl = WHATSAPP_URL;
if (WHATSAPP_TIMEOUT_MS) DEFAULT_CONNECTION_CONFIG.connectTimeoutMs = Number(WHATSAPP_TIMEOUT_MS);
console.log(JSON.stringify({ began: Date.now() }));
