// usage: node credentials.mjs     (in the bot's folder; writes store/auth/creds.json)
// The credentials of a linked bot, made by the Baileys that it has.
import { createRequire } from 'node:module';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

const bot = createRequire(join(process.cwd(), 'package.json'));
const baileys = await import(pathToFileURL(bot.resolve('@whiskeysockets/baileys')));
const { BufferJSON, initAuthCreds } = baileys;
const me = { id: '999:7@s.whatsapp.net', name: 'Bot' };
const creds = { ...initAuthCreds(), me, account: {}, registered: true };
mkdirSync('store/auth', { recursive: true });
writeFileSync('store/auth/creds.json', JSON.stringify(creds, BufferJSON.replacer));
