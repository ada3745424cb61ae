// A bot whose loop is rewritten: its own gate decides, so nothing else may hold its dials.
import makeWASocket, * as baileys from '@whiskeysockets/baileys';

import start from './odd.cjs';
import { Reconnect } from './rewritten/whatsapp-reconnect.mjs';

console.log(typeof Reconnect);
start(baileys, makeWASocket);
